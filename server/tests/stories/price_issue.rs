//! A price plan and the meters that hold their own credit: who keeps other values, what is issued to whom, and the stragglers; on
//! both databases.

use domain::clock::Clock;
use domain::price_issue::{Wanted, issue};
use estate::places::{self, NewPlace};
use model::console::PriceGap;
use model::ids::{MeterId, PlaceId, Uuid};
use model::issue::Issue;
use model::meter::Wallet;
use model::parameters::Parameters;
use model::person::Role;
use model::place::PlaceKind;
use model::tariff::{Prices, parse_plan};
use model::time::{DAY, MINUTE};
use store::meters::{self, NewMeter};
use store::parameters;
use store::prices::{self, Publication};
use story_support::web::{PASSWORD, Person, Web, field, location};
use story_support::{World, both};

/// A building with a plan; three rooms with a meter wallet each and one with a server wallet. The last of the three
/// has a plan of its own.
struct Estate {
    w: World,
    plan: Uuid,
    meters: Vec<MeterId>,
    wanted: Wanted,
}

fn seasons() -> Prices {
    Prices {
        rates: [9_000, 7_000, 5_000, 3_000],
        tables: ["00:00=4 07:00=2 22:00=4".parse().unwrap(), Default::default()],
        plan: parse_plan("01-01=1").unwrap(),
        ..Prices::default()
    }
}

impl Estate {
    async fn new(w: World) -> Self {
        let gateway = w.gateways(&["127.0.0.1:1502".parse().unwrap()]).await[0];
        let now = w.clock.now();
        let building = PlaceId(w.rng.id(now));
        let mut tx = w.db.begin().await.unwrap();
        let new = NewPlace { id: building, parent: None, kind: PlaceKind::Building, name: "A", sort: 1 };
        places::add(&mut tx, &new).await.unwrap();
        let (mut rooms, mut ids) = (Vec::new(), Vec::new());
        for unit in 1..=4_u8 {
            let (place, id, name) = (PlaceId(w.rng.id(now)), MeterId(w.rng.id(now)), format!("10{unit}"));
            let room = NewPlace { id: place, parent: Some(building), kind: PlaceKind::Room, name: &name, sort: unit.into() };
            places::add(&mut tx, &room).await.unwrap();
            let (serial, profile) = (format!("{unit:012}"), "rpp".to_owned());
            let wallet = if unit == 4 { Wallet::Server } else { Wallet::Meter };
            meters::add_meter(&mut tx, now, &NewMeter { id, place, gateway, unit, serial, profile, wallet }).await.unwrap();
            rooms.push(place);
            ids.push(id);
        }
        tx.commit().await.unwrap();
        let publish = async |plan: &str, effective_at, prices| {
            let new = Publication { plan: plan.into(), effective_at, prices };
            prices::publish(&w.db, &w.rng, w.clock.now(), None, &new).await.unwrap()
        };
        let plan = publish("rooms", None, seasons()).await;
        let from = model::time::Timestamp(now.plus(10 * DAY).0 / MINUTE * MINUTE);
        let next = Prices { rates: [9_500, 7_500, 5_500, 3_500], ..seasons() };
        publish("rooms", Some(from), next.clone()).await;
        let own = publish("own", None, Prices::flat(4_000)).await;
        prices::assign(&w.db, now, None, building, plan).await.unwrap();
        prices::assign(&w.db, now, None, rooms[2], own).await.unwrap();
        Self { w, plan, meters: ids, wanted: Wanted { now: seasons(), next: Some((next, from)) } }
    }

    /// What a meter keeps that was told these.
    fn told(&self, gaps: &[PriceGap]) -> Parameters {
        let mut known = Parameters::default();
        for gap in gaps {
            match issue(*gap, &self.wanted, self.w.clock.now()).unwrap() {
                Issue::Prices(prices) => known.prices = prices,
                Issue::Standby { prices, at } => (known.standby, known.switch_over) = (prices, Some(at)),
                Issue::DayTable { table, slots } => known.day_tables[usize::from(table) - 1] = slots,
                Issue::DatePlan(entries) => known.date_plan = entries,
                other => panic!("{other:?}"),
            }
        }
        known
    }

    async fn read(&self, meter: usize, known: &Parameters) {
        self.w.clock.advance(MINUTE);
        parameters::store(&self.w.db, &self.w.rng, self.w.clock.now(), self.meters[meter], 1, known).await.unwrap();
    }

    async fn page(&self, person: &Person<'_>) -> String {
        person.get(&format!("/prices/{}/meters", self.plan)).await.text().await.unwrap()
    }
}

const ALL: [PriceGap; 4] = [PriceGap::Prices, PriceGap::Standby, PriceGap::Table(1), PriceGap::Seasons];

/// The link of a page that begins so.
fn link(page: &str, begins: &str) -> String {
    let (_, rest) = page.split_once(&format!("href=\"{begins}")).unwrap_or_else(|| panic!("{begins}: {page}"));
    format!("{begins}{}", rest.split('"').next().unwrap()).replace("&amp;", "&")
}

both!(a_plan_lists_the_meters_that_keep_other_values, |w: World| async move {
    let estate = Estate::new(w).await;
    let web = Web::start(&estate.w).await;
    let mut boss = web.person(&estate.w, Role::Admin, "boss").await;
    boss.cookie += "; lang=en";
    let none = estate.page(&boss).await;
    for part in ["0 of 2 meters keep what the plan says; 0 differ", "parameters of 2 meters have not been read", "never read"] {
        assert!(none.contains(part), "{part}: {none}");
    }
    assert!(none.contains("1 meter has a server wallet") && !none.contains("Issue to 2"), "{none}");

    estate.read(0, &estate.told(&ALL)).await;
    estate.read(1, &estate.told(&[PriceGap::Table(1), PriceGap::Seasons])).await;
    let page = estate.page(&boss).await;
    assert!(page.contains("1 of 2 meters keep what the plan says; 1 differ"), "{page}");
    assert!(page.contains("A 102") && !page.contains("A 101") && !page.contains("A 103"), "the third has another plan: {page}");
    // Once the next version is in force, who loaded it before keeps what the plan says.
    estate.w.clock.advance(11 * DAY);
    // The session ended meanwhile.
    assert_eq!(boss.log_in("boss", PASSWORD).await.status(), 303);
    boss.cookie += "; lang=en";
    let later = estate.page(&boss).await;
    assert!(later.contains("Version 2 is in force") && later.contains("1 of 2 meters"), "{later}");
    assert!(!later.contains("Standby prices of the next version"), "{later}");
    estate.w.limit("boss").await;
    let elsewhere = estate.page(&boss).await;
    assert!(elsewhere.contains("applies to no meter") && !elsewhere.contains("A 102"), "{elsewhere}");
});

/// Confirms the preview of a command, after `change` was made to the form; gives where that leads.
async fn confirm(person: &Person<'_>, link: &str, change: impl Fn(String) -> String) -> String {
    let preview = person.get(&link.replacen("/commands/new", "/commands/preview", 1)).await.text().await.unwrap();
    let field = |name: &str| field(&preview, name).replace("&quot;", "%22").replace("&#34;", "%22");
    let [kind, issue, places, differs, seal, key] = ["kind", "issue", "places", "differs", "seal", "key"].map(field);
    let form = format!("kind={kind}&issue={issue}&meter=&places={places}&rooms=&lost=1&differs={differs}&seal={seal}&key={key}");
    location(&person.post("/api/operator/issue", &change(form)).await).to_owned()
}

both!(prices_of_a_person_alone_are_not_sent_again_later, |w: World| async move {
    let estate = Estate::new(w).await;
    estate.read(0, &estate.told(&ALL)).await;
    let web = Web::start(&estate.w).await;
    let alone = web.person(&estate.w, Role::Admin, "alone").await;
    let by_hand = "/commands/new?kind=prices&price1=0.0001&price2=0.0001&price3=0.0001&price4=0.0001&place=all&lost=1";
    let batch = confirm(&alone, by_hand, |form| form).await;
    assert!(batch.starts_with("/commands/") && !batch.contains("e="), "{batch}");
    estate.w.execute("UPDATE commands SET state = 'failed', reason = 'lost', finished_at = decided_at").await;
    let sent = estate.w.number("SELECT COUNT(*) FROM commands").await;
    web.person(&estate.w, Role::Admin, "second").await;
    let again = format!("batch={}&meter=", batch.trim_start_matches("/commands/"));
    let refused = alone.post("/api/operator/retry-batch", &again).await;
    assert!(location(&refused).contains("e=prices-by-plan"), "{}", location(&refused));
    assert_eq!(estate.w.number("SELECT COUNT(*) FROM commands").await, sent);
});

both!(prices_by_hand_are_refused_where_another_approves, |w: World| async move {
    let estate = Estate::new(w).await;
    estate.read(0, &estate.told(&ALL)).await;
    estate.read(1, &estate.told(&[PriceGap::Prices])).await;
    let web = Web::start(&estate.w).await;
    let mut technician = web.person(&estate.w, Role::Technician, "tools").await;
    technician.cookie += "; lang=en";
    let by_hand = "/commands/new?kind=prices&price1=0.0001&price2=0.0001&price3=0.0001&price4=0.0001&place=all&lost=1";
    let boss = web.person(&estate.w, Role::Admin, "boss").await;
    let refused = confirm(&technician, by_hand, |form| form).await;
    assert!(refused.contains("e=prices-by-plan"), "{refused}");
    // Nor with the plan's name on it.
    let standby = link(&estate.page(&technician).await, "/commands/new?kind=standby") + "&lost=1";
    let forged = confirm(&technician, &standby, |form| form.replace("5500", "1")).await;
    assert!(forged.contains("e=prices-by-plan"), "{forged}");
    assert_eq!(estate.w.number("SELECT COUNT(*) FROM commands").await, 0);
    let planned = confirm(&technician, &standby, |form| form).await;
    assert!(!planned.contains("e="), "{planned}");
    drop(boss);
});

both!(a_plan_is_issued_to_the_meters_that_differ, |w: World| async move {
    let estate = Estate::new(w).await;
    estate.read(0, &estate.told(&ALL)).await;
    estate.read(1, &estate.told(&[PriceGap::Prices])).await;
    let web = Web::start(&estate.w).await;
    let mut boss = web.person(&estate.w, Role::Admin, "boss").await;
    boss.cookie += "; lang=en";
    let page = estate.page(&boss).await;
    assert!(!page.contains("/commands/new?kind=prices"), "the prices are those of the plan: {page}");
    let standby = link(&page, "/commands/new?kind=standby");
    for part in [format!("plan%3A{}%3A0", estate.plan), "price3=0.5500".into(), "at=2026-12-".into()] {
        assert!(standby.contains(&part), "{part}: {standby}");
    }
    let table = link(&page, "/commands/new?kind=day_table");
    assert!(table.contains("table=1") && table.contains("from2=07%3A00") && table.contains("rate2=2"), "{table}");
    let form = boss.get(&standby).await.text().await.unwrap();
    assert!(form.contains("Meters of this plan that keep other values"), "{form}");
    let issued = confirm(&boss, &(standby + "&lost=1"), |form| form).await;
    assert!(issued.starts_with("/commands/") && !issued.contains("e="), "{issued}");
    let w = &estate.w;
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'standby'").await, 1);
    let meter = w.word("SELECT m.serial FROM commands c JOIN meters m ON m.id = c.meter_id WHERE c.kind = 'standby'").await;
    assert_eq!(meter, "000000000002", "exactly the one that lacks them");
    assert!(estate.page(&boss).await.contains("1 have a command on its way, and 0 have one that failed"));

    // It failed: the page says why, and tries it again.
    w.execute("UPDATE commands SET state = 'failed', reason = 'lost', finished_at = decided_at WHERE kind = 'standby'").await;
    let page = estate.page(&boss).await;
    assert!(page.contains("0 have a command on its way, and 1 have one that failed") && page.contains("retry-batch"), "{page}");
    let batch = link(&page, "/commands/0");
    let batch = batch.trim_start_matches("/commands/").to_owned();
    w.clock.advance(MINUTE);
    let again = boss.post("/api/operator/retry-batch", &format!("batch={batch}&meter={}", estate.meters[1])).await;
    assert_eq!(location(&again), format!("/commands/{batch}"));
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'standby'").await, 2);
    let checks = "SELECT COUNT(*) FROM commands WHERE kind = 'in_force' AND state = 'queued'";
    assert_eq!(w.number(checks).await, 1, "one check, that of the new command");
    // A technician may see it, and one who only reads is offered no command.
    let mut auditor = web.person(w, Role::ReadOnly, "reader").await;
    auditor.cookie += "; lang=en";
    let seen = estate.page(&auditor).await;
    assert!(!seen.contains("/commands/new") && seen.contains("Your role may not set parameters"), "{seen}");
});
