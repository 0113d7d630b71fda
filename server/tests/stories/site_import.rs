//! A site from its workbook: all or nothing, once, and the same from the export; on both databases.

use std::fmt::Write as _;
use std::sync::Arc;

use app::i18n::Lang;
use domain::clock::{Clock, SystemClock};
use domain::order::Limits;
use domain::returns::Rules;
use domain::site_plan::PlaceContact;
use domain::wall_layout::Scope;
use estate::site_import::ImportWay;
use estate::{contacts, place_groups};
use meters::live::Live;
use meters::profile::Profiles;
use model::approval::{Decision, Outcome};
use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId, UserId};
use model::money::Fen;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::site_workbook::{CellChange, CellValue, Column, Counts, Fault, Preview, RowEffect, Sheet};
use services::auth::Passwords;
use services::site::SiteService;
use story_support::closings::proved;
use story_support::refunding::uuid;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

const ROOMS: &str = "楼栋,楼层,房间\n1号楼,1层,101\n1号楼,1层,102\n1号楼,2层,201\n2号楼,,值班室\n";
const GATEWAYS: &str = "Gateway,Host,Port\nG1,127.0.0.1,15021\nG2,127.0.0.1,15022\n";
const METERS: &str = "Serial number;Building;Floor;Room;Gateway;Unit number;Profile;Wallet\n\
    000000000161;1号楼;1层;101;G1;1;rpp;meter\n\
    000000000162;1号楼;1层;102;G1;2;rpp;server\n\
    000000000163;2号楼;;值班室;G2;1;rpp;none\n";
const PRICES: &str = "Price plan,Building,Price\n居民,,0.65\n办公,2号楼,0.9\n";
const ACCOUNTS: &str = "楼栋,楼层,房间,住户,登录名,初始密码,期初余额(元)\n\
    1号楼,1层,101,张三,zhangsan,,50.00\n1号楼,1层,101,李四,lisi,ten letters,\n1号楼,1层,102,王五,wangwu,,12.5\n";
const INSTRUMENTS: &str = "编号,名称,楼栋,通信管理机,站号,表型,回路,回路名称,电流互感器变比,上级回路,下级楼栋,下级楼层\n\
    M1,总表,1号楼,G1,240,energy-u32,,,200/5,,,\n\
    M2,楼层表,1号楼,G1,241,multi-12-u32,1,一层,10,M1,1号楼,1层\n\
    M2,楼层表,1号楼,G1,241,multi-12-u32,2,二层,10,M1/1,1号楼,2层\n";
const FRIENDLY_HOURS: &str = "building,floor,room,night_from,night_until,weekends,emergency_yuan\n\
    ,,,23:00,07:00,yes,\n1号楼,,,,,no,5\n1号楼,1层,101,,,no,5\n";
const CONTACTS: &str = "楼栋,楼层,房间,咨询电话,短信签名\n,,,010-62770000,清河宿舍\n1号楼,1层,101,110,\n";
const DEFAULTS: &str = "building,alarm1,alarm2,overload_w\n,20,5,1800\n1号楼,,,2500\n";
const GROUPS: &str = "分组,楼栋,楼层,房间\n西区,1号楼,1层,\n西区,2号楼,,值班室\n空组,,,\n";

struct Office {
    w: World,
    site: SiteService,
    who: Who,
}

impl Office {
    async fn of(w: World) -> Self {
        let user = w.clerk().await;
        Self::by(w, user).await
    }

    async fn by(w: World, user: UserId) -> Self {
        let passwords = Passwords::new(w.rng.clone()).unwrap();
        let profiles = Profiles::load(None).unwrap();
        let site = SiteService::new(w.context().await, passwords, &profiles, Limits::default());
        Self {
            w,
            site,
            who: Who {
                user,
                role: Role::Cashier,
                permissions: Permissions::of(Role::Cashier),
                name: "clerk".into(),
                ip: "10.0.0.9".into(),
            },
        }
    }

    async fn import(&self, name: &str, text: &str) -> Preview {
        self.site.import(&self.who, "园区", name, text.as_bytes()).await.unwrap()
    }

    async fn all(&self) {
        for (name, text) in [
            ("rooms", ROOMS),
            ("groups", GROUPS),
            ("gateways", GATEWAYS),
            ("meters", METERS),
            ("prices", PRICES),
            ("accounts", ACCOUNTS),
            ("instruments", INSTRUMENTS),
            ("friendly_hours", FRIENDLY_HOURS),
            ("contacts", CONTACTS),
            ("defaults", DEFAULTS),
        ] {
            let done = self.import(&format!("{name}.csv"), text).await;
            assert_eq!((done.problem_count, &done.problems), (0, &vec![]), "{name}");
        }
    }

    async fn rows(&self) -> [i64; 5] {
        [
            self.w.number("SELECT COUNT(*) FROM places WHERE kind = 'room'").await,
            self.w.number("SELECT COUNT(*) FROM gateways").await,
            self.w.number("SELECT COUNT(*) FROM meters WHERE retired_at IS NULL").await,
            self.w.number("SELECT COUNT(*) FROM price_versions").await,
            self.w.number("SELECT COUNT(*) FROM accounts").await,
        ]
    }
}

both!(a_site_is_imported_and_its_books_are_true, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    let w = &office.w;
    assert_eq!(office.rows().await, [4, 2, 3, 2, 2]);
    assert_eq!(w.number("SELECT COUNT(*) FROM account_residents").await, 3);
    // What residents had before is on its way into the meter, once, and already in the wallet that the server keeps.
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind IN ('open', 'credit') AND state = 'queued'").await, 2);
    let taken = "SELECT CAST(SUM(amount_e4) AS BIGINT) FROM ledger_transfers WHERE debit = 'taken-over'";
    assert_eq!(w.number(taken).await, 625_000);
    assert_eq!(w.word("SELECT state FROM orders WHERE amount_fen = 1250").await, "credited");
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE login = 'lisi' AND password_hash <> ''").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE login = 'zhangsan' AND password_hash = ''").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'site.import'").await, 10);
    assert_eq!(w.number("SELECT COUNT(*) FROM friendly_hours WHERE night_from = 1380 OR emergency_fen = 500").await, 3);
    assert_eq!(w.number("SELECT COUNT(*) FROM place_contacts WHERE signature = '清河宿舍' OR phone = '110'").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM place_defaults WHERE alarm1_fen = 2000 OR overload_w = 2500").await, 2);
    let fed = "SELECT COUNT(*) FROM circuits c JOIN circuits p ON p.id = c.parent_id WHERE p.ct_ratio = 40 AND c.ct_ratio = 10";
    assert_eq!(w.number(fed).await, 2);
    assert_eq!(w.number("SELECT COUNT(DISTINCT feeds_place_id) FROM circuits").await, 2);
    proved(w).await;
});

// The second to change its address found it taken by the first, which had not left its own.
both!(instruments_exchange_their_addresses, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    let exchanged = INSTRUMENTS.replace(",240,", ",x,").replace(",241,", ",240,").replace(",x,", ",241,");
    let done = office.import("instruments.csv", &exchanged).await;
    assert_eq!((done.problem_count, &done.problems), (0, &vec![]));
    let units = ["SELECT unit FROM instruments WHERE number = 'M1'", "SELECT unit FROM instruments WHERE number = 'M2'"];
    assert_eq!((office.w.number(units[0]).await, office.w.number(units[1]).await), (241, 240));
    assert_eq!(office.w.number("SELECT COUNT(*) FROM instruments WHERE retired_at IS NULL").await, 2);
});

both!(the_export_imported_again_changes_nothing, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    let (w, before) = (&office.w, office.rows().await);
    let group = place_groups::create(&w.db, &w.rng, w.clock.now(), &office.who, "研究生").await.unwrap();
    let building = PlaceId(uuid(w, "SELECT id FROM places WHERE name = '1号楼'").await);
    place_groups::change(&w.db, w.clock.now(), &office.who, group, &[building], &[]).await.unwrap();
    let contact = PlaceContact { phone: "120".parse().ok(), signature: None };
    contacts::set(&w.db, w.clock.now(), &office.who, DefaultsOf::Group(group), &contact).await.unwrap();
    let priced =
        "Price plan,Building,Floor,Room,Group,Price\n办公,,,,研究生,0.9\n居民,1号楼,1层,101,,0.65\n办公,1号楼,2层,,,0.9\n";
    assert_eq!(office.import("prices.csv", priced).await.problem_count, 0);
    for lang in Lang::ALL {
        let file = office.site.export(lang).await.unwrap();
        for done in [
            office.site.dry_run(&office.who, "site.xlsx", &file).await.unwrap(),
            office.site.import(&office.who, "园区", "site.xlsx", &file).await.unwrap(),
        ] {
            assert_eq!((done.problem_count, done.is_idle(), &done.problems), (0, true, &vec![]));
            assert_eq!(done.counts.map(|counts| counts.unchanged), [4, 2, 3, 5, 3, 3, 3, 3, 2, 4]);
        }
    }
    office.all().await;
    assert_eq!(office.rows().await, before);
    proved(&office.w).await;
});

both!(a_file_with_a_problem_stores_nothing, |w: World| async move {
    let office = Office::of(w).await;
    office.import("rooms.csv", ROOMS).await;
    office.import("gateways.csv", GATEWAYS).await;
    let broken = format!("{METERS}000000000164;1号楼;1层;109;G1;9;rpp;\n000000000165;1号楼;1层;101;G1;1;rpp;\n");
    let refused = office.import("meters.csv", &broken).await;
    let places: Vec<_> = refused.problems.iter().map(|found| (found.row, found.column, &found.fault)).collect();
    assert_eq!(places, [(Some(5), Some(3), &Fault::UnknownRoom), (Some(6), Some(5), &Fault::Repeated(2))]);
    assert_eq!(refused.counts, [Counts::default(); Sheet::ALL.len()]);
    assert_eq!(office.rows().await[2], 0);
    let weak = "Building,Floor,Room,Resident,Login name,First password\n1号楼,1层,101,A,a,short\n";
    office.import("meters.csv", METERS).await;
    let refused = office.import("accounts.csv", weak).await;
    assert_eq!(refused.problems.first().map(|found| &found.fault), Some(&Fault::WeakPassword));
    assert_eq!(office.rows().await[4], 0);
});

both!(a_changed_file_changes_what_differs, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    let swapped = METERS.replace("G1;1", "G1;x").replace("G1;2", "G1;1").replace("G1;x", "G1;2");
    let done = office.import("meters.csv", &swapped).await;
    assert_eq!(done.counts[2], Counts { created: 0, changed: 2, unchanged: 1 });
    assert_eq!(office.w.number("SELECT unit FROM meters WHERE serial = '000000000161'").await, 2);
    let done = office.import("gateways.csv", &GATEWAYS.replace("15021", "15029")).await;
    assert_eq!(done.counts[1], Counts { created: 0, changed: 1, unchanged: 1 });
    office.w.clock.advance(60_000);
    let done = office.import("prices.csv", &PRICES.replace("0.65", "0.7")).await;
    assert_eq!(done.counts[3], Counts { created: 0, changed: 1, unchanged: 1 });
    let done = office.import("accounts.csv", &ACCOUNTS.replace("张三", "张三丰").replace("50.00", "99.00")).await;
    assert_eq!(done.counts[4], Counts { created: 0, changed: 1, unchanged: 2 });
    // An opening balance counts when the account is opened, and never again.
    let taken = "SELECT CAST(SUM(amount_e4) AS BIGINT) FROM ledger_transfers WHERE debit = 'taken-over'";
    assert_eq!(office.w.number(taken).await, 625_000);
    let moved = METERS.replace("1层;101", "1层;102");
    let refused = office.import("meters.csv", &moved).await;
    assert_eq!(refused.problems.first().map(|found| &found.fault), Some(&Fault::MeterInUse));
    let more = format!("{GROUPS}西区,1号楼,2层,201\n");
    assert_eq!(office.import("groups.csv", &more).await.counts[9], Counts { created: 1, changed: 0, unchanged: 3 });
    assert_eq!(office.w.number("SELECT COUNT(*) FROM place_group_members").await, 3);
    proved(&office.w).await;
});

both!(an_import_changes_no_places_that_prices_go_by, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    let faults = async |name: &str, text: &str| {
        let shown = office.site.dry_run(&office.who, name, text.as_bytes()).await.unwrap();
        shown.problems.into_iter().map(|found| (found.row, found.column, found.fault)).collect::<Vec<_>>()
    };
    let of_empty = "Price plan,Group,Price\n办公,空组,0.9\n";
    assert_eq!(faults("prices.csv", of_empty).await, [(Some(2), Some(1), Fault::GroupEmpty)], "it would apply nowhere");
    assert_eq!(office.import("prices.csv", of_empty).await.problem_count, 1);
    // A plan waits for approval, is given, and is taken away: the group keeps its places from then on.
    let more = "分组,楼栋,楼层,房间\n西区,1号楼,2层,201\n";
    assert_eq!(faults("groups.csv", more).await, []);
    let (w, boss) = (&office.w, office.w.admin("boss").await);
    let plan = uuid(w, "SELECT id FROM price_plans WHERE name = '办公'").await;
    let group = PlaceGroupId(uuid(w, "SELECT id FROM place_groups WHERE name = '西区'").await);
    let kept = [(Some(2), Some(0), Fault::GroupPriced)];
    for plan in [Some(plan), None] {
        w.clock.advance(60_000);
        let decision = Decision::PriceGroup { group, plan };
        assert_eq!(w.request(&office.who, &Rules::default(), &decision, None).await.unwrap(), Outcome::Waits);
        assert_eq!(faults("groups.csv", more).await, kept);
        w.approves(&boss, w.waits(boss.user, &decision).await.unwrap()).await.unwrap();
        assert_eq!(faults("groups.csv", more).await, kept);
    }
    assert_eq!(office.import("groups.csv", more).await.problem_count, 1);
    assert_eq!(office.import("groups.csv", &more.replace("西区", "西区二")).await.problem_count, 0, "another group");
    proved(w).await;
});

both!(an_imported_site_is_on_the_wall_of_a_running_server, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let live = Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap();
    let engine = s.start_with(live.clone()).await;
    let office = Office::by(s.w.clone(), s.clerk).await;
    for (name, text) in [("rooms.csv", ROOMS), ("gateways.csv", GATEWAYS), ("meters.csv", METERS)] {
        assert_eq!(office.import(name, text).await.problems, []);
    }
    // As the engine does by itself twice a minute: another process imported it.
    engine.reload();
    until(SOON, "the wall", || async { live.meter_places(&Scope::All).len() == 1 + 3 }).await;
    engine.stop().await;
});

both!(four_thousand_rooms_are_imported_at_once, |w: World| async move {
    let office = Arc::new(Office::of(w).await);
    let (mut rooms, mut meters) = (ROOMS.lines().next().unwrap().to_owned(), METERS.lines().next().unwrap().to_owned());
    let mut gateways = GATEWAYS.lines().next().unwrap().to_owned();
    for n in 0..4_000 {
        let (building, floor, gateway) = (n / 500, n / 50 % 10, n / 200);
        write!(rooms, "\nB{building},{floor},{n:05}").unwrap();
        write!(meters, "\n{n:012};B{building};{floor};{n:05};G{gateway};{};rpp;", n % 200 + 1).unwrap();
        if n % 200 == 0 {
            write!(gateways, "\nG{gateway},10.0.0.{gateway},502").unwrap();
        }
    }
    for (name, text) in [("rooms.csv", &rooms), ("gateways.csv", &gateways), ("meters.csv", &meters)] {
        assert_eq!(office.import(name, text).await.problems, []);
    }
    assert_eq!(office.rows().await[..3], [4_000, 20, 4_000]);
    assert!(office.import("meters.csv", &meters).await.is_idle());
    proved(&office.w).await;
});

both!(a_dry_run_says_what_becomes_of_each_row, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    let text = |text: &str| CellValue::text(text);
    let changed = format!("{}1号楼,1层,101,孙六,sunliu,,\n", ACCOUNTS.replace("张三", "张三丰"));
    let shown = office.site.dry_run(&office.who, "accounts.csv", changed.as_bytes()).await.unwrap();
    let rows: Vec<_> = shown.rows.iter().map(|row| (row.row, row.effect, row.subject.as_str(), row.changes.clone())).collect();
    let name = |before: &str, after| vec![CellChange { column: Column::Resident, before: text(before), after: text(after) }];
    assert_eq!(
        rows,
        [
            (2, RowEffect::Changed, "1号楼 1层 101 · 张三丰 (zhangsan)", name("张三", "张三丰")),
            (5, RowEffect::Changed, "1号楼 1层 101 · 孙六 (sunliu)", name("", "孙六")),
            (3, RowEffect::Unchanged, "1号楼 1层 101 · 李四 (lisi)", vec![]),
            (4, RowEffect::Unchanged, "1号楼 1层 102 · 王五 (wangwu)", vec![]),
        ]
    );
    let prices = PRICES.replace("0.9", "0.95").replace(",,0.65", ",1号楼,0.65");
    let shown = office.site.dry_run(&office.who, "prices.csv", prices.as_bytes()).await.unwrap();
    let cells: Vec<_> =
        shown.rows.iter().flat_map(|row| &row.changes).map(|cell| (cell.column, cell.before.to_string())).collect();
    assert_eq!(cells, [(Column::Plan, String::new()), (Column::Price, "0.9000".to_owned())]);
    assert_eq!(office.rows().await, [4, 2, 3, 2, 2], "nothing is stored");
});

both!(an_import_says_in_the_audit_what_changed, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    office.w.clock.advance(60_000);
    office.import("/somewhere/prices.csv", &PRICES.replace("0.65", "0.7")).await;
    let detail = office.w.word("SELECT detail FROM audit WHERE action = 'site.import' ORDER BY seq DESC LIMIT 1").await;
    let detail: serde_json::Value = serde_json::from_str(&detail).unwrap();
    let changed = serde_json::json!([{ "of": "居民", "column": "price", "before": "0.6500", "after": "0.7000" }]);
    assert_eq!((&detail["changed"], &detail["files"][0]["name"]), (&changed, &serde_json::json!("prices.csv")));
    assert_eq!(detail["files"][0]["sha256"].as_str().map(str::len), Some(64));
    let mut rooms = ROOMS.lines().next().unwrap().to_owned();
    (0..500).for_each(|n| write!(rooms, "\n9号楼,,{n}").unwrap());
    office.import("rooms.csv", &rooms).await;
    let size = "SELECT CAST(LENGTH(detail) AS BIGINT) FROM audit WHERE action = 'site.import' ORDER BY seq DESC LIMIT 1";
    assert!((200..4_000).contains(&office.w.number(size).await), "bounded");
});

both!(an_opening_balance_above_the_limit_is_refused, |w: World| async move {
    let office = Office::of(w).await;
    for (name, text) in [("rooms", ROOMS), ("gateways", GATEWAYS), ("meters", METERS), ("prices", PRICES)] {
        office.import(&format!("{name}.csv"), text).await;
    }
    let limit = Fen(Limits::default().hoarding_fen);
    let over = ACCOUNTS.replace("50.00", "4999.00").replace("ten letters,", "ten letters,1.01");
    let shown = office.site.dry_run(&office.who, "accounts.csv", over.as_bytes()).await.unwrap();
    let sum = Fen(limit.0 + 1);
    let places: Vec<_> = shown.problems.iter().map(|found| (found.row, found.column, &found.fault)).collect();
    assert_eq!(places, [(Some(3), Some(6), &Fault::OverHoardingLimit { sum, limit })]);
    // The wallet of a room on the server has a limit of its own.
    let own = "INSERT INTO wallets (meter_id, changed_at, hoarding_fen)
               SELECT id, 0, 1000 FROM meters WHERE serial = '000000000162'";
    office.w.execute(own).await;
    let shown = office.site.dry_run(&office.who, "accounts.csv", ACCOUNTS.as_bytes()).await.unwrap();
    let faults: Vec<_> = shown.problems.iter().map(|found| (found.row, &found.fault)).collect();
    assert_eq!(faults, [(Some(4), &Fault::OverHoardingLimit { sum: Fen(1_250), limit: Fen(1_000) })]);
    let fits = ACCOUNTS.replace("12.5", "10");
    assert_eq!(office.import("accounts.csv", &fits).await.problems, []);
});

both!(a_former_resident_is_named_with_the_room, |w: World| async move {
    let office = Office::of(w).await;
    office.all().await;
    for sql in [
        "UPDATE account_residents SET to_at = 9 WHERE user_id = (SELECT id FROM users WHERE login = 'wangwu')",
        "UPDATE account_meters SET to_at = 9 WHERE meter_id = (SELECT id FROM meters WHERE serial = '000000000162')",
        "UPDATE accounts SET state = 'closed', closed_at = 9
         WHERE place_id = (SELECT place_id FROM meters WHERE serial = '000000000162')",
    ] {
        office.w.execute(sql).await;
    }
    let refused = office.import("accounts.csv", &format!("{ACCOUNTS}1号楼,1层,102,张三,zhangsan2,,\n")).await;
    let found: Vec<_> = refused.problems.iter().map(|found| (found.row, found.fault.clone())).collect();
    assert_eq!(found, [(Some(4), Fault::LoginOfFormer("1号楼 1层 102".into()))]);
    let moved = "楼栋,楼层,房间,住户,登录名\n1号楼,1层,102,张三,zhangsan\n";
    let refused = office.import("accounts.csv", moved).await;
    assert_eq!(refused.problems.first().map(|found| &found.fault), Some(&Fault::LoginOfOther("1号楼 1层 101".into())));
});

both!(all_faults_of_a_file_are_named_at_once, |w: World| async move {
    let office = Office::of(w).await;
    let files: [(&str, &str); 4] = [
        ("rooms.csv", "楼栋,楼层,房间\n1号楼,1层,101\n1号楼,1层,\n"),
        ("gateways.csv", "Gateway,Host,Port\nG1,127.0.0.1,70000\n"),
        (
            "meters.csv",
            "Serial number,Building,Floor,Room,Gateway,Unit number,Profile\n\
             000000000161,1号楼,1层,101,G1,1,rpp\n000000000162,2号楼,1层,101,G2,0,rpp\n000000000162,1号楼,1层,101,G1,2,none\n",
        ),
        (
            "accounts.csv",
            "楼栋,楼层,房间,住户,登录名,期初余额(元)\n3号楼,1层,101,张三,zhang san,\n1号楼,1层,101,李四,lisi,9999\n",
        ),
    ];
    let bytes = files.map(|(name, text)| Ok::<_, ()>((name, text.as_bytes().to_vec())));
    let read = office.site.files(bytes.into_iter()).unwrap();
    let shown = office.site.dry_run_of((ImportWay::CommandLine, &office.who), &read).await.unwrap();
    let found: Vec<_> = shown.problems.iter().map(|found| (found.sheet.as_str(), found.row.unwrap_or(0), &found.fault)).collect();
    let over = Fault::OverHoardingLimit { sum: Fen(999_900), limit: Fen(500_000) };
    let profile = found.iter().find(|(_, _, fault)| matches!(fault, Fault::NotOneOf(_))).expect("an unknown profile").2;
    assert_eq!(
        found,
        [
            ("rooms", 3, &Fault::Empty),
            ("gateways", 2, &Fault::OutOfRange(1, 65_535)),
            ("meters", 3, &Fault::UnknownRoom),
            ("meters", 3, &Fault::UnknownGateway),
            ("meters", 3, &Fault::OutOfRange(1, 247)),
            ("meters", 4, &Fault::Repeated(3)),
            ("meters", 4, profile),
            ("accounts", 2, &Fault::UnknownRoom),
            ("accounts", 2, &Fault::NotLogin),
            ("accounts", 3, &over),
        ],
        "no fault is named again where the thing is mentioned"
    );
});
