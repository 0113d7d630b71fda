//! Instruments against simulated ones, on both databases: set up on their pages, read beside prepaid meters, lost, set back.

use std::time::{Duration, Instant};

use app::api::instruments::InstrumentsPort;
use domain::wall_layout::Scope;
use estate::places;
use meters::live::Live;
use meters::profile::Profiles;
use model::console::EventQuery;
use model::error::AppError;
use model::event::EventKind;
use model::ids::{CircuitId, InstrumentId, PlaceId};
use model::instrument::{
    CircuitForm, CircuitSettings, InstrumentField, InstrumentForm, InstrumentSettings, InstrumentTrouble, Ratio,
};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::place::PlaceKind;
use model::reading::ReadingQuality;
use model::time::MINUTE;
use services::Context;
use services::instruments::InstrumentsService;
use simulator::{CircuitPlan, InstrumentHandle, InstrumentPlan, LineFault, Load};
use sqlx::AssertSqlSafe;
use store::Db;
use story_support::site::Site;
use story_support::{World, both};

const MAIN: u8 = 200;
const FLOORS: u8 = 201;
/// The ratio of all current transformers.
const RATIO: u32 = 4;

/// Quality, counter and energy of the readings of a circuit, in their order.
async fn readings(w: &World, name: &str) -> Vec<(ReadingQuality, i64, i64)> {
    let sql = format!(
        "SELECT r.quality, r.counter_wh, r.energy_wh FROM circuit_readings r JOIN circuits c ON c.id = r.circuit_id
         WHERE c.name = '{name}' ORDER BY r.at"
    );
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap(),
    }
}

fn who(user: model::ids::UserId, role: Role) -> Who {
    Who { user, role, permissions: Permissions::of(role), name: String::new(), ip: String::new() }
}

/// A building with its own gateway, three meters that draw 1 kW each, a main of all three, and a device with a circuit for
/// two of these meters.
struct Desk {
    site: Site,
    context: Context,
    service: InstrumentsService,
    boss: Who,
    building: PlaceId,
}

impl Desk {
    async fn new(w: World) -> Self {
        let site = Site::with(w, 1, 3, |config| {
            config.load = Load::Constant { watts: 1_000 };
            for (_, meter) in config.estate.meters_mut() {
                meter.energy = 1_000_000;
                let account = meter.account.as_mut().unwrap();
                (account.count, account.order, account.cumulative, account.remaining) = (1, 5, 100_000, 100_000);
            }
            let feeding = |units: &[u8], loss_permille| CircuitPlan { units: units.to_vec(), loss_permille, ratio: RATIO };
            config.estate.gateways[0].instruments = vec![
                InstrumentPlan { unit: MAIN, profile: "energy-u32".into(), circuits: vec![feeding(&[1, 2, 3], 40)] },
                InstrumentPlan { unit: FLOORS, profile: "multi-12-u32".into(), circuits: vec![feeding(&[1, 2], 0)] },
            ];
        })
        .await;
        let boss = who(site.clerk, Role::Admin);
        let context = site.w.context().await;
        let add = async |parent, kind, name: &str| {
            let names = [name.to_owned()];
            places::create(&site.w.db, &site.w.rng, context.now(), &boss, parent, (kind, &names)).await.unwrap()
        };
        let root = add(None, PlaceKind::Site, "园区").await;
        let building = add(Some(root), PlaceKind::Building, "A").await;
        let service = InstrumentsService::new(context.clone(), Profiles::load(None).unwrap());
        Self { site, context, service, boss, building }
    }

    fn settings(&self, gateway: &str, name: &str, unit: u8, profile: &str) -> InstrumentSettings {
        let form = InstrumentForm {
            number: format!("N-{unit}"),
            name: name.into(),
            place: self.building.to_string(),
            gateway: gateway.into(),
            unit: unit.to_string(),
            profile: profile.into(),
            interval_s: "1".into(),
            ..InstrumentForm::default()
        };
        form.parse().unwrap()
    }

    /// A technician of one building.
    async fn limited_to(&self, login: &str, building: PlaceId) -> Who {
        let new = store::users::NewUser {
            role: Role::Technician,
            login,
            name: login,
            password_hash: "$argon2id$none",
            buildings: &Scope::Buildings([building].into()),
        };
        let w = &self.site.w;
        let user = store::users::create(&w.db, &w.rng, self.context.now(), &new, "test").await.unwrap();
        who(user, Role::Technician)
    }

    async fn gateway(&self) -> String {
        self.service.instrument_choices(&self.boss).await.unwrap().gateways[0].0.to_string()
    }

    async fn circuit(&self, id: InstrumentId, position: usize) -> CircuitId {
        self.service.instrument(&self.boss, id).await.unwrap().circuits[position - 1].id
    }

    fn simulated(&self, unit: u8) -> InstrumentHandle {
        self.site.sim.instrument(0, unit).unwrap()
    }
}

/// Waits for something that happens within some seconds.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_secs(40), "waited until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

both!(instruments_are_read_beside_meters_and_never_before_them, |w: World| async move {
    let d = Desk::new(w).await;
    let (gateway, w) = (d.gateway().await, &d.site.w);
    let ratio = Ratio::new(RATIO.into()).unwrap();
    let main = d.service.add_instrument(&d.boss, &d.settings(&gateway, "main", MAIN, "energy-u32"), ratio).await.unwrap();
    let floors = d.settings(&gateway, "floors", FLOORS, "multi-12-u32");
    let floors = d.service.add_instrument(&d.boss, &floors, ratio).await.unwrap();
    let parent = Some(d.circuit(main, 1).await);
    let first = CircuitSettings { position: 1, name: "first".into(), ct: ratio, parent, feeds: Some(d.building) };
    d.service.set_circuit(&d.boss, floors, &first).await.unwrap();

    // The server runs in the time of the site.
    let clock = d.site.sim.clock();
    let live = Live::load(&w.db, clock.clone()).await.unwrap();
    let engine = d.site.start_at(clock, live).await;
    eventually("all are read", async || {
        readings(w, "main").await.len() >= 2 && readings(w, "first").await.len() >= 2 && readings(w, "12").await.len() >= 2
    })
    .await;
    for _ in 0..4 {
        d.site.sim.advance(15 * MINUTE).await.unwrap();
        assert_eq!(engine.read_instrument(floors).await.unwrap(), None);
        assert_eq!(engine.read_instrument(main).await.unwrap(), None);
    }
    for (name, unit) in [("main", MAIN), ("first", FLOORS)] {
        let stored = readings(w, name).await;
        let counter = i64::try_from(d.simulated(unit).counters().unwrap()[0]).unwrap() * 10;
        let (_, last, _) = stored[stored.len() - 1];
        assert!((0..=10).contains(&(counter - last)), "{name}: {last} of {counter}");
        let energy: i64 = stored.iter().map(|(.., energy)| energy).sum();
        assert_eq!(energy, (last - stored[0].1) * i64::from(RATIO), "{name}");
        assert!(stored.iter().all(|(quality, ..)| *quality == ReadingQuality::Good), "{name}: {stored:?}");
    }
    // An hour of three meters with the loss of 40 in a thousand, and of two meters.
    let sum = async |name: &str| readings(w, name).await.iter().map(|(.., energy)| energy).sum::<i64>();
    let (main_wh, first_wh) = (sum("main").await, sum("first").await);
    assert!((3_050..3_300).contains(&main_wh) && (1_950..2_100).contains(&first_wh), "{main_wh} {first_wh}");
    assert!(readings(w, "12").await.iter().all(|(_, counter, energy)| (*counter, *energy) == (0, 0)), "not wired");

    // It is set back: held, not counted, and counted on from there when a person says so.
    d.simulated(MAIN).shift(-50_000).unwrap();
    d.site.sim.advance(15 * MINUTE).await.unwrap();
    assert_eq!(engine.read_instrument(main).await.unwrap(), None);
    let stored = readings(w, "main").await;
    let newest_of = |stored: &[(ReadingQuality, i64, i64)], quality| stored.iter().rfind(|one| one.0 == quality).unwrap().1;
    let counted = newest_of(&stored, ReadingQuality::Good) - stored[0].1;
    assert_eq!((stored[stored.len() - 1].0, stored[stored.len() - 1].2), (ReadingQuality::Fell, 0));
    assert_eq!(sum("main").await, counted * i64::from(RATIO));
    assert_eq!(d.service.instruments(&d.boss).await.unwrap().iter().map(|line| line.held).sum::<i64>(), 1);
    let open = async |kind| {
        let query = EventQuery { kind: Some(kind), ..EventQuery::default() };
        let page = alarms::events(&w.db, d.boss.user, &query, model::time::Timestamp(0)).await.unwrap();
        page.lines.into_iter().filter_map(|line| line.instrument).collect::<Vec<_>>()
    };
    assert_eq!(open(EventKind::InstrumentHeld).await, [(main, "main".to_owned())]);
    d.service.begin_again(&d.boss, main, d.circuit(main, 1).await).await.unwrap();
    d.site.sim.advance(15 * MINUTE).await.unwrap();
    assert_eq!(engine.read_instrument(main).await.unwrap(), None);
    let stored = readings(w, "main").await;
    let since = newest_of(&stored, ReadingQuality::Good) - newest_of(&stored, ReadingQuality::Begun);
    assert!(since >= 150, "{since}");
    assert_eq!(stored.iter().map(|(.., energy)| energy).sum::<i64>(), (counted + since) * i64::from(RATIO));

    // One that does not answer is lost with its reason, and purchases are delivered meanwhile.
    d.simulated(MAIN).fault(LineFault::Silent, 1.0).unwrap();
    let lost = async || {
        let lines = d.service.instruments(&d.boss).await.unwrap();
        lines.iter().find(|line| line.id == main).unwrap().lost
    };
    eventually("it is lost", async || lost().await.is_some()).await;
    assert_eq!(open(EventKind::InstrumentLost).await, [(main, "main".to_owned())]);
    assert_eq!(open(EventKind::InstrumentHeld).await, [], "a person said that it counts on");
    let (since, trouble) = lost().await.unwrap();
    assert_eq!(trouble, InstrumentTrouble::Silent);
    for room in 0..3 {
        let started = Instant::now();
        d.site.sell(room, 1_000).await;
        engine.wake();
        d.site.settled(Duration::from_secs(10)).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    assert_eq!(lost().await.unwrap().0, since, "since the first failure");
    assert_eq!(engine.read_instrument(main).await.unwrap(), Some(InstrumentTrouble::Silent));
    d.simulated(MAIN).heal().unwrap();
    eventually("it answers again", async || lost().await.is_none()).await;
    assert_eq!(open(EventKind::InstrumentLost).await, []);
    engine.stop().await;
    d.site.prove().await;
});

both!(instruments_are_set_up_within_the_operators_buildings, |w: World| async move {
    let d = Desk::new(w).await;
    let (gateway, w) = (d.gateway().await, &d.site.w);
    let settings = d.settings(&gateway, "main", MAIN, "energy-u32");
    let main = d.service.add_instrument(&d.boss, &settings, Ratio::ONE).await.unwrap();
    let refused = async |change: fn(&mut InstrumentSettings)| {
        let mut other = d.settings(&gateway, "other", 210, "energy-u32");
        change(&mut other);
        d.service.add_instrument(&d.boss, &other, Ratio::ONE).await.unwrap_err()
    };
    assert_eq!(refused(|s| s.unit = MAIN).await, (AppError::AddressTaken, Some(InstrumentField::Unit)));
    assert_eq!(refused(|s| s.unit = 2).await, (AppError::AddressTaken, Some(InstrumentField::Unit)), "a meter's");
    assert_eq!(refused(|s| s.number = "N-200".into()).await, (AppError::NameTaken, Some(InstrumentField::Number)));
    assert_eq!(refused(|s| s.profile = "none".into()).await, (AppError::Invalid, Some(InstrumentField::Profile)));
    assert_eq!(refused(|s| s.start = Some(u16::MAX)).await, (AppError::Invalid, Some(InstrumentField::Start)));
    assert_eq!(refused(|s| s.profile = "dlt645-total".into()).await, (AppError::Invalid, Some(InstrumentField::Number)));

    // A circuit does not feed itself, and a person of another building sees and changes nothing.
    let circuit = d.circuit(main, 1).await;
    let own = CircuitSettings { position: 1, name: "main".into(), ct: Ratio::ONE, parent: Some(circuit), feeds: None };
    let error = d.service.set_circuit(&d.boss, main, &own).await.unwrap_err();
    assert_eq!(error, (AppError::CircuitTree, Some(InstrumentField::Parent)));
    let names = ["B".to_owned()];
    let tree = places::tree(&w.db).await.unwrap();
    let other = (PlaceKind::Building, &names[..]);
    let other = places::create(&w.db, &w.rng, d.context.now(), &d.boss, Some(tree.site().unwrap().id), other).await.unwrap();
    let error = CircuitSettings { parent: None, feeds: Some(other), ..own.clone() };
    let error = d.service.set_circuit(&d.boss, main, &error).await.unwrap_err();
    assert_eq!(error.0, AppError::CircuitTree, "in another building");
    let limited = d.limited_to("tools", other).await;
    assert_eq!(d.service.instruments(&limited).await.unwrap(), []);
    assert_eq!(d.service.instrument(&limited, main).await.unwrap_err(), AppError::NotFound);
    assert_eq!(d.service.retire_instrument(&limited, main, "x").await.unwrap_err(), AppError::NotFound);
    let error = d.service.change_instrument(&limited, main, &settings).await.unwrap_err();
    assert_eq!(error, (AppError::NotFound, None));
    let choices = d.service.instrument_choices(&limited).await.unwrap();
    assert_eq!((choices.circuits.len(), choices.gateways.len(), choices.places.len()), (0, 0, 1));

    a_place_is_fed_once(&d, &gateway, other).await;
    what_is_not_seen_stays(&d, &gateway, (main, &settings)).await;

    // A meter does not get its address; it is changed and retired, and each is on the audit chain.
    let free = estate::meter_setup::free_units(&w.db, gateway.parse().unwrap()).await.unwrap();
    assert!(!free.contains(&MAIN));
    d.service.change_instrument(&d.boss, main, &InstrumentSettings { unit: 202, ..settings }).await.unwrap();
    let view = d.service.instrument(&d.boss, main).await.unwrap();
    assert_eq!((view.line.unit, view.line.place.as_str(), view.circuits.len()), (202, "A", 1));
    let form = CircuitForm { position: "1".into(), name: "main".into(), ct: "1".into(), ..CircuitForm::default() };
    assert_eq!(view.circuits[0].form, form);
    d.service.retire_instrument(&d.boss, main, "烧毁").await.unwrap();
    assert_eq!(d.service.instruments(&d.boss).await.unwrap(), []);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action LIKE 'instrument.%'").await, 13);
    let transformers = "SELECT COUNT(*) FROM audit WHERE action = 'instrument.add' AND detail NOT LIKE '%\"ct_ratio\":[1]%'";
    assert_eq!(w.number(transformers).await, 0, "each says what multiplies its energy");
    places::remove(&w.db, d.context.now(), &d.boss, d.building).await.unwrap_err();
    story_support::closings::proved(w).await;
});

// Its meters were counted below both circuits, also after two places became one.
async fn a_place_is_fed_once(d: &Desk, gateway: &str, other: PlaceId) {
    let (w, now) = (&d.site.w, d.context.now());
    let names = ["1".to_owned(), "2".to_owned()];
    places::create(&w.db, &w.rng, now, &d.boss, Some(d.building), (PlaceKind::Unit, &names)).await.unwrap();
    let tree = places::tree(&w.db).await.unwrap();
    let [first, second] = tree.children(d.building).map(|place| place.id).collect::<Vec<_>>()[..] else { panic!("two floors") };
    let device =
        d.service.add_instrument(&d.boss, &d.settings(gateway, "floors", FLOORS, "multi-12-u32"), Ratio::ONE).await.unwrap();
    let set = async |position: u8, feeds: PlaceId| {
        let name = position.to_string();
        let circuit = CircuitSettings { position, name, ct: Ratio::ONE, parent: None, feeds: Some(feeds) };
        d.service.set_circuit(&d.boss, device, &circuit).await
    };
    set(1, first).await.unwrap();
    set(2, second).await.unwrap();
    assert_eq!(set(3, second).await.unwrap_err(), (AppError::PlaceFedTwice, Some(InstrumentField::Feeds)));
    let merged = places::merge(&w.db, now, &d.boss, second, first).await.unwrap_err();
    assert_eq!(AppError::from(merged), AppError::PlaceFedTwice);
    let moved = places::relocate(&w.db, now, &d.boss, second, other).await.unwrap_err();
    assert_eq!(AppError::from(moved), AppError::CircuitTree, "its circuit stays in the building");
    let elsewhere = InstrumentSettings { place: other, ..d.settings(gateway, "floors", FLOORS, "multi-12-u32") };
    let moved = d.service.change_instrument(&d.boss, device, &elsewhere).await.unwrap_err();
    assert_eq!(moved, (AppError::CircuitTree, Some(InstrumentField::Place)));
    d.service.retire_instrument(&d.boss, device, "x").await.unwrap();
}

// A select without the value that is set sent its first option.
async fn what_is_not_seen_stays(d: &Desk, gateway: &str, (main, settings): (InstrumentId, &InstrumentSettings)) {
    let site = places::tree(&d.site.w.db).await.unwrap().site().unwrap().id;
    let above = InstrumentSettings { place: site, ..d.settings(gateway, "above", 211, "energy-u32") };
    let above = d.service.add_instrument(&d.boss, &above, Ratio::ONE).await.unwrap();
    let master = Some(d.circuit(above, 1).await);
    let fed = CircuitSettings { position: 1, name: "main".into(), ct: Ratio::ONE, parent: master, feeds: None };
    d.service.set_circuit(&d.boss, main, &fed).await.unwrap();

    let near = d.limited_to("near", d.building).await;
    let choices = d.service.instrument_choices(&near).await.unwrap();
    assert!(choices.gateways.is_empty() && !choices.circuits.iter().any(|(circuit, _)| Some(*circuit) == master));
    d.service.change_instrument(&near, main, settings).await.unwrap();
    d.service.set_circuit(&near, main, &CircuitSettings { name: "main 2".into(), ..fed.clone() }).await.unwrap();
    let view = d.service.instrument(&near, main).await.unwrap();
    assert_eq!((view.form.gateway.as_str(), view.circuits[0].form.parse().unwrap().parent), (gateway, master));
    d.service.set_circuit(&d.boss, main, &CircuitSettings { parent: None, ..fed.clone() }).await.unwrap();
    let chosen = d.service.set_circuit(&near, main, &fed).await.unwrap_err();
    assert_eq!(chosen, (AppError::NotFound, Some(InstrumentField::Parent)), "it is not theirs to choose");
    d.service.retire_instrument(&d.boss, above, "x").await.unwrap();
}
