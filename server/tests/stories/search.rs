//! The search of the console: rooms by whatever people quote, whole names first, buildings and groups, within the operator's
//! buildings.

use app::api::accounts::AccountsPort;
use app::api::gateways::GatewaysPort;
use app::api::meter_wall::MeterWallPort;
use app::api::rooms::RoomsPort;
use model::console::{MeterLine, MeterQuery};
use story_support::{World, both};

use crate::operator::{Estate, run};

both!(a_room_search_finds_exactly_that_room, |w: World| async move {
    let e = Estate::new(w).await;
    assert_eq!(e.console.search(&e.boss, "2号楼 301", 0).await.unwrap().lines[0].latest.meter, e.there);
    assert_eq!(e.console.search(&e.boss, "301", 0).await.unwrap().lines.len(), 2);
    assert_eq!(e.console.search(&e.boss, "resident1", 0).await.unwrap().lines[0].latest.meter, e.here);
    assert_eq!(e.console.search(&e.clerk, "301", 0).await.unwrap().lines[0].latest.meter, e.here);
    for (suffixed, meter) in [("2号楼 301室", e.there), ("2号楼 301号", e.there), ("301房 resident1", e.here)] {
        let found = e.console.search(&e.boss, suffixed, 0).await.unwrap().lines;
        assert_eq!(found.iter().map(|line| line.latest.meter).collect::<Vec<_>>(), [meter], "{suffixed}");
    }
    assert_eq!(e.console.search(&e.boss, "301室", 0).await.unwrap().lines.len(), 2);
    assert!(e.console.search(&e.boss, "%", 0).await.unwrap().lines.is_empty());
});

both!(a_search_lists_whole_names_and_numbers_first, |w: World| async move {
    let e = Estate::new(w).await;
    let first = async |text: &str| queries::search(&e.w.db, e.boss.user, text, 0).await.unwrap().unwrap().lines[0].latest.meter;
    assert_eq!(first("301").await, e.here, "by place");
    run(&e.w, "UPDATE places SET name = '3010' WHERE id = (SELECT place_id FROM meters WHERE id = $1)", &[e.here.0]).await;
    assert_eq!(first("301").await, e.there, "not 3010, which comes before it");
    let page = async |number| queries::search(&e.w.db, e.boss.user, "301", number).await.unwrap().unwrap();
    assert_eq!((page(0).await.total, page(1).await.lines), (2, Vec::new()));
    let places = e.console.find_places(&e.boss, "2号楼").await.unwrap();
    assert_eq!(places.iter().map(|place| (&*place.name, place.meters)).collect::<Vec<_>>(), [("2号楼", 1)]);
    assert_eq!(e.console.find_places(&e.clerk, "2号楼").await.unwrap(), [], "only the operator's buildings");
});

both!(a_search_finds_what_the_list_of_meters_finds, |w: World| async move {
    let e = Estate::new(w).await;
    e.console.open_account(&e.boss, &e.opening(e.there)).await.unwrap();
    let line = e.console.meters(&e.boss, &MeterQuery::default()).await.unwrap().lines.remove(1);
    let number = e.console.room(&e.boss, e.there).await.unwrap().account.unwrap().number;
    let quoted = [&line.serial, &line.gateway, &number, "2号楼", "3层", "30", "张三", "ZhangSan", "resident1"];
    let pairs = ["2号楼 301", "301 2号楼", "3层 301 张三", "2号楼 resident1", "nothing", "%", "_", "!", "301 nothing"];
    for who in [&e.boss, &e.clerk] {
        for text in quoted.into_iter().chain(pairs) {
            let listed = e.console.meters(who, &MeterQuery { text: text.into(), ..MeterQuery::default() }).await.unwrap().lines;
            let found = queries::search(&e.w.db, who.user, text, 0).await.unwrap().unwrap().lines;
            let facts = |lines: &[MeterLine]| {
                let of = |line: &MeterLine| format!("{} {} {} {}", line.room, line.serial, line.gateway, line.residents);
                lines.iter().map(of).collect::<Vec<_>>()
            };
            assert_eq!(facts(&found), facts(&listed), "{text}");
        }
        let own = queries::meter_line(&e.w.db, who.user, e.here).await.unwrap().unwrap();
        assert_eq!(own.room.to_string(), "1号楼 3层 301");
    }
    assert!(queries::meter_line(&e.w.db, e.clerk.user, e.there).await.unwrap().is_none());
    assert_eq!(queries::search(&e.w.db, e.boss.user, " ", 0).await.unwrap(), None, "without a word");
});
