//! A room's usage compared with other months and similar rooms, and what a day cost: of the resident's own time only.

use app::api::resident::{ResidentPort, UsageQuery};
use app::ports::{Role, Who};
use domain::clock::Clock;
use estate::site_options;
use model::error::AppError;
use model::money::Fen;
use model::site_option::SiteOption;
use model::time::{DAY, Date, HOUR};
use people::{month_cost, roommates};
use story_support::room_fixture::RoomFixture;
use story_support::rooms::Room;
use story_support::{World, both};

use crate::resident_site::{Site, energy, who};

both!(use_is_compared_with_months_and_similar_rooms, |w: World| async move {
    let mut rooms = Vec::new();
    for unit in 1..=6 {
        rooms.push(w.room(unit).await);
    }
    let building = w.rng.id(w.clock.now());
    let sql = "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'building', 'B', 1)";
    story_support::bind(&w.db, sql, building, &[]).await;
    w.execute("UPDATE places SET parent_id = (SELECT id FROM places WHERE kind = 'building') WHERE kind = 'room'").await;
    w.execute("UPDATE account_meters SET from_at = from_at - 3456000000").await;
    w.execute("UPDATE account_residents SET from_at = from_at - 3456000000").await;
    let site = Site::new(w).await;
    let today = site.w.clock.now().date();
    for (n, room) in (0..).zip(&rooms) {
        for day in 1..=29 {
            energy(&site.w, *room, today.0 - day, 1_000 * n).await;
        }
    }
    let me = who(rooms[3]);
    let usage = site.residents.usage(&me, UsageQuery::default()).await.unwrap();
    let similar = usage.similar.unwrap();
    assert_eq!((similar.rooms, similar.own.0, similar.median.0), (5, 29 * 3_000, 29 * 2_000), "others use 0, 1, 2, 4 and 5 kWh");
    assert_eq!((similar.lower.0, similar.upper.0), (29 * 1_000, 29 * 4_000));
    // After a replacement ten days ago a part is missing, which must not look thrifty.
    let moved = "UPDATE account_meters SET from_at = from_at + $2 WHERE meter_id = $1";
    story_support::bind(&site.w.db, moved, rooms[3].meter.0, &[30 * DAY]).await;
    assert_eq!(site.residents.usage(&me, UsageQuery::default()).await.unwrap().similar, None);
    story_support::bind(&site.w.db, moved, rooms[3].meter.0, &[-30 * DAY]).await;
    let months = usage.months.months.iter().map(|month| month.energy.0).sum::<i64>();
    assert_eq!(months, 29 * 3_000);

    let (day, query) = (today.plus(-2), UsageQuery { from: Some(today.plus(-3)), to: Some(today.plus(-2)), day: None });
    let days = site.residents.used_days(&me, query).await.unwrap();
    assert_eq!(days.iter().map(|used| used.energy.map(|energy| energy.0)).collect::<Vec<_>>(), [Some(3_000); 2]);
    let cost = site.residents.day_cost(&me, day).await.unwrap();
    assert_eq!((cost.meter, cost.energy.map(|energy| energy.0)), (rooms[3].meter, Some(3_000)));
    let before = site.residents.day_cost(&me, today.plus(-41)).await;
    assert_eq!(before.unwrap_err(), AppError::NotFound, "the account was not theirs yet");

    let lately = "UPDATE account_residents SET from_at = from_at + $2 WHERE user_id = $1";
    story_support::bind(&site.w.db, lately, me.user.0, &[38 * DAY]).await;
    let home = site.residents.home(&me).await.unwrap();
    let shown = home.days.iter().filter(|used| used.energy.is_some()).count();
    assert_eq!((home.days.len(), shown), (8, 2), "nor is what the one before used of the week theirs");
    story_support::bind(&site.w.db, lately, me.user.0, &[-38 * DAY]).await;

    let operator = Who { user: site.w.clerk().await, role: Role::Admin, ..me.clone() };
    site_options::set(&site.w.db, site.w.clock.now(), &operator, SiteOption::CompareRooms, false).await.unwrap();
    assert_eq!(site.residents.usage(&me, UsageQuery::default()).await.unwrap().similar, None, "the site hides it");
    assert_eq!(site.w.number("SELECT COUNT(*) FROM audit WHERE action = 'site.compare-rooms'").await, 1);
    cost_of_the_month(&site.w, rooms[3]).await;
});

both!(what_was_charged_before_somebody_moved_in_is_not_shown, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 5_000).await;
    fixture.record(vec![fixture.reading(30, 1_500)]).await;
    let resident = roommates::of_account(&fixture.w.db, account, fixture.start).await.unwrap()[0].user;
    let site = Site::new(fixture.w.clone()).await;
    site.w.clock.advance(2 * DAY);
    let me = who(Room { meter: fixture.meter, account, resident });
    let query = UsageQuery { from: Some(fixture.start.date()), to: None, day: None };
    let costs = async || {
        let days = site.residents.used_days(&me, query).await.unwrap();
        days.into_iter().filter_map(|used| used.cost).map(|cost| cost.0).collect::<Vec<_>>()
    };
    assert_eq!(costs().await, [5_000]);
    let lately = "UPDATE account_residents SET from_at = from_at + $2 WHERE user_id = $1";
    story_support::bind(&site.w.db, lately, resident.0, &[DAY]).await;
    assert_eq!(costs().await, [0_i64; 0], "neither on a day nor in the total of the page");
});

/// The cost that residents split is that of all their meters, or unknown.
async fn cost_of_the_month(w: &World, room: Room) {
    let today = w.clock.now().date();
    let cost = async |day: Date| month_cost::of_account(&w.db, room.account, day, day.plus(1)).await.unwrap();
    let day = today.plus(-3);
    let reading = "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
                   VALUES ($1, $2, 0, 0, 0, 0, $3)";
    for (hours, left) in [(1, 5_000), (40, 4_200)] {
        story_support::bind(&w.db, reading, room.meter.0, &[day.start().plus(hours * HOUR).0, left]).await;
    }
    assert_eq!(cost(day).await, Some(Fen(800)));
    story_support::bind(&w.db, reading, room.meter.0, &[day.start().plus(-2 * HOUR).0, 5_100]).await;
    assert_eq!(cost(day).await, Some(Fen(900)), "what lies across the first midnight belongs to these days");
    let end = "UPDATE account_meters SET to_at = $2 WHERE meter_id = $1";
    story_support::bind(&w.db, end, room.meter.0, &[today.start().0]).await;
    assert_eq!(cost(day).await, Some(Fen(900)), "replaced after these days");
    story_support::bind(&w.db, end, room.meter.0, &[day.plus(1).start().0]).await;
    assert_eq!(cost(day).await, None, "replaced within them: what the first one used is not known");
    w.execute("UPDATE account_meters SET to_at = NULL").await;
    // A second meter, of which nothing was read.
    w.meter(7).await;
    let sql = "INSERT INTO account_meters (account_id, meter_id, epoch, count, cumulative_fen, from_at)
               SELECT a.account_id, m.id, 1, 0, 0, a.from_at FROM account_meters a JOIN meters m ON m.serial = '7'
               WHERE a.meter_id = $1";
    story_support::bind(&w.db, sql, room.meter.0, &[]).await;
    assert_eq!(cost(day).await, None, "half of it would be wrong");
}
