//! The server's clock is set ahead and back: readings go on in their order, nothing is held, everything is charged once.

use std::sync::Arc;
use std::time::Duration;

use ::residents::schedules::{self, LastSwitching, NewSchedule};
use domain::clock::{Clock, FollowedClock, SystemClock};
use domain::meter_state::{Measurement, MeterStatus, PlainStatus};
use domain::switch_schedule::{first, is_missed, next};
use estate::instruments;
use metering::clock_steps;
use metering::instruments::CircuitReading;
use meters::live::Live;
use meters::recorder::{MeterEvent, Recorder};
use model::energy::Energy;
use model::ids::{CircuitId, CommandId, InstrumentId};
use model::instrument::{CircuitSettings, InstrumentForm, Ratio};
use model::issue::Issue;
use model::language::Lang;
use model::meter::SupplyState;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::parameters::{Limits, Parameters};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::reading::ReadingSource;
use model::switch_schedule::{SwitchOutcome, SwitchTimes, Weekdays};
use model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};
use notify::queue::{self, Trial};
use store::commands::{self, NewCommand};
use store::parameters;
use story_support::room_fixture::RoomFixture;
use story_support::site::{Site, until};
use story_support::{World, both};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::readings::measurement;

const SOON: Duration = Duration::from_secs(30);
const CHARGED: &str = "SELECT CAST(COALESCE(SUM(wh), 0) AS BIGINT) FROM charges";
const COUNTED: &str = "SELECT CAST(COALESCE(SUM(wh), 0) AS BIGINT) FROM energy_daily";

/// A room, and a recorder that reads its meter by the clock of the world.
struct Reader {
    fixture: RoomFixture,
    events: mpsc::Sender<MeterEvent>,
    recorder: JoinHandle<()>,
    clock: Arc<FollowedClock>,
    wh: i64,
    rows: i64,
}

impl Reader {
    /// 200 yuan at one yuan/kWh.
    async fn new(w: World) -> Self {
        let (fixture, _) = RoomFixture::supplied(w, 10_000, 20_000).await;
        let (events, recorder, clock) = recorder(&fixture).await;
        Self { fixture, events, recorder, clock, wh: 1_000, rows: 1 }
    }

    /// Reads the meter after some time, in which it used some energy.
    async fn read(&mut self, after: i64, wh: i64) {
        self.fixture.w.clock.advance(after);
        self.wh += wh;
        self.rows += 1;
        let at = self.fixture.w.clock.now();
        let measurement = Measurement { total: Energy(self.wh), reverse: None, rates: None, ..measurement(0) };
        let meter_status = MeterStatus::Plain(PlainStatus { relay_closed: Some(true), ..PlainStatus::default() });
        let (meter, source) = (self.fixture.meter, ReadingSource::Sweep);
        self.events.send(MeterEvent::Read { meter, from: at, at, source, measurement, meter_status }).await.unwrap();
    }

    /// The server starts again after its clock was set.
    async fn restart(&mut self, step: i64) {
        self.end().await;
        let w = &self.fixture.w;
        w.clock.set(step);
        let now = w.clock.now();
        let ahead = clock_steps::ahead(&w.db, now).await.unwrap().unwrap();
        clock_steps::follow(&w.db, &w.rng, now, -ahead).await.unwrap();
        (self.events, self.recorder, self.clock) = recorder(&self.fixture).await;
    }

    /// Ends the recorder when everything is stored and shown: readings of server wallets are shown only after they are stored.
    async fn end(&mut self) {
        self.events = mpsc::channel(1).0;
        (&mut self.recorder).await.unwrap();
    }

    async fn stored(&self) {
        let rows = self.rows;
        until(SOON, "the readings", || async { self.fixture.w.number("SELECT COUNT(*) FROM readings").await == rows }).await;
    }
}

async fn recorder(fixture: &RoomFixture) -> (mpsc::Sender<MeterEvent>, JoinHandle<()>, Arc<FollowedClock>) {
    let (w, (events, receive)) = (&fixture.w, mpsc::channel(100));
    let (db, rng, live) = (w.db.clone(), w.rng.clone(), fixture.live.clone());
    let recorder = Recorder::load(db, w.clock.clone(), rng, live, Arc::default()).await.unwrap();
    let followed = recorder.followed_clock();
    (events, tokio::spawn(recorder.run(receive)), followed)
}

/// Reads, sets the clock by each step and reads on after it; until the room is cut off.
async fn everything_goes_on(w: World, steps: &[i64]) {
    let mut reader = Reader::new(w).await;
    // The account and its price are older than the largest step back.
    reader.read(3 * HOUR, 10).await;
    for _ in 0..3 {
        reader.read(2 * SECOND, 10).await;
    }
    reader.stored().await;
    for step in steps {
        // One is on its way while the clock is set.
        reader.read(2 * SECOND, 10).await;
        reader.fixture.w.clock.set(*step);
        for _ in 0..8 {
            reader.read(2 * SECOND, 10).await;
        }
        reader.stored().await;
    }
    for _ in 0..31 {
        reader.read(HOUR / 2, 7_000).await;
    }
    reader.end().await;
    let Reader { fixture, wh, rows, .. } = &reader;
    let (w, now) = (&fixture.w, fixture.w.clock.now());
    assert_eq!(w.number("SELECT COUNT(*) FROM readings").await, *rows);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality > 0").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!((w.number(COUNTED).await, w.number(CHARGED).await), (wh - 1_000, wh - 1_000));
    assert!(w.number("SELECT MAX(at) FROM readings").await <= now.0);
    assert_eq!(fixture.latest().observed_at, Some(now));
    assert_eq!(w.number("SELECT MAX(observed_at) FROM meter_latest").await, now.0);
    assert_eq!(w.number("SELECT COUNT(*) FROM events WHERE kind = 'clock-stepped'").await, 1, "one alarm");
    assert_eq!(w.number("SELECT COUNT(*) FROM events WHERE kind = 'clock-stepped' AND until_at IS NULL").await, 0, "and it ends");
    assert_eq!(fixture.latest().state(), SupplyState::Arrears);
    assert!(!fixture.relay().await, "arrears go on");
    fixture.prove().await;
}

both!(a_clock_ahead_for_a_while_changes_no_bill, |w: World| everything_goes_on(w, &[DAY, -DAY]));
both!(a_clock_that_is_set_back_changes_no_bill, |w: World| everything_goes_on(w, &[-HOUR]));
both!(a_clock_that_is_set_ahead_changes_no_bill, |w: World| everything_goes_on(w, &[DAY]));
both!(a_clock_that_steps_several_times_is_followed, |w: World| everything_goes_on(w, &[-HOUR, DAY, -2 * MINUTE, -DAY]));

/// An instrument with one circuit.
async fn instrument(fixture: &RoomFixture) -> (InstrumentId, CircuitId) {
    let (w, now) = (&fixture.w, fixture.w.clock.now());
    let permissions = Permissions::of(Role::Admin);
    let who = Who { user: fixture.clerk, role: Role::Admin, permissions, name: String::new(), ip: String::new() };
    let form = InstrumentForm {
        number: "M".into(),
        name: "M".into(),
        place: fixture.building.to_string(),
        gateway: fixture.gateway.to_string(),
        unit: "200".into(),
        profile: "energy-u32".into(),
        ..InstrumentForm::default()
    };
    let circuit = CircuitSettings { position: 1, name: "M".into(), ct: Ratio::ONE, parent: None, feeds: None };
    let id = instruments::add(&w.db, &w.rng, now, &who, &form.parse().unwrap(), &[circuit]).await.unwrap();
    (id, metering::instruments::in_service(&w.db).await.unwrap()[0].1[0].id)
}

// Readings of the future that moved among earlier ones hid the newest counter: the next reading was charged from an older one.
both!(what_was_read_last_is_the_newest_after_a_restart, |w: World| async move {
    let mut reader = Reader::new(w).await;
    reader.read(3 * HOUR, 10).await;
    let (instrument, circuit) = instrument(&reader.fixture).await;
    for step in [-50 * MINUTE, -40 * MINUTE, -HOUR, -7 * MINUTE] {
        for _ in 0..6 {
            reader.read(20 * MINUTE, 10).await;
            let (w, counter) = (&reader.fixture.w, Energy(reader.wh));
            let reading = CircuitReading { circuit, counter, reverse: None };
            metering::instruments::record(&w.db, &w.rng, w.clock.now(), instrument, Energy::ZERO, &[reading]).await.unwrap();
        }
        reader.stored().await;
        reader.restart(step).await;
        let w = &reader.fixture.w;
        assert_eq!(w.number("SELECT COUNT(*) FROM readings").await, reader.rows, "none is lost");
        let disorder = "SELECT COUNT(*) FROM readings a JOIN readings b
                        ON b.at > a.at AND (b.total_wh < a.total_wh OR b.sequence < a.sequence)";
        assert_eq!(w.number(disorder).await, 0, "{step}");
        let disorder = "SELECT COUNT(*) FROM circuit_readings a JOIN circuit_readings b
                        ON b.at > a.at AND b.counter_wh < a.counter_wh";
        assert_eq!(w.number(disorder).await, 0, "{step}");
        let newest = ["SELECT MAX(at) FROM circuit_readings", "SELECT MAX(read_at) FROM instrument_state"];
        for newest in newest {
            assert!(w.number(newest).await <= w.clock.now().0, "{step}");
        }
        reader.read(3 * MINUTE + 1, 10).await;
        reader.stored().await;
    }
    let (w, passed) = (&reader.fixture.w, reader.wh - 1_000);
    assert_eq!((w.number(COUNTED).await, w.number(CHARGED).await), (passed, passed));
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality > 0").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM circuit_readings WHERE quality > 0").await, 0);
    let energy = "SELECT CAST(SUM(energy_wh) AS BIGINT) - (MAX(counter_wh) - MIN(counter_wh)) FROM circuit_readings";
    assert_eq!((w.number(energy).await, w.number("SELECT COUNT(*) FROM circuit_readings").await), (0, 24));
    reader.fixture.prove().await;
});

both!(messages_go_on_after_the_clock_was_set_back, |w: World| async move {
    let (user, role) = (w.clerk().await, Role::Admin);
    let who = Who { user, role, permissions: Permissions::of(role), name: String::new(), ip: String::new() };
    let sms = NotificationChannel::Sms;
    w.clock.set(2 * DAY);
    for _ in 0..3 {
        let trial = Trial { channel: sms, address: "13800138000", language: Lang::Zh };
        queue::test(&w.db, &w.rng, w.clock.now(), &who, &trial).await.unwrap();
    }
    let all = queue::claim(&w.db, w.clock.now(), sms, 10).await.unwrap();
    // One is taken, one waits for its next try, and one is under way.
    let tried = [(&all[0], Ok(Money::ZERO)), (&all[1], Err(NotificationReason::Busy))];
    queue::finish(&w.db, w.clock.now(), &tried).await.unwrap();
    w.clock.advance(MINUTE);
    w.clock.set(-2 * DAY);
    let now = w.clock.now();
    clock_steps::follow(&w.db, &w.rng, now, -2 * DAY).await.unwrap();
    assert_eq!(queue::tried_since(&w.db, now, sms).await.unwrap(), 0, "or the pace of the channel lets none through for days");
    for (after, next) in [(0, &all[1]), (4 * MINUTE, &all[2])] {
        w.clock.advance(after);
        let due = queue::claim(&w.db, w.clock.now(), sms, 10).await.unwrap();
        assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [next.id]);
    }
});

// A room that was switched off in days to come was not switched on before them.
both!(schedules_go_on_after_the_clock_was_set_back, |w: World| async move {
    let (room, role) = (w.room(1).await, Role::Resident);
    let who = Who { user: room.resident, role, permissions: Permissions::NONE, name: String::new(), ip: String::new() };
    let days = Weekdays::of(0..7).unwrap();
    let times = SwitchTimes::new(days, "23:00".parse().unwrap(), "06:30".parse().unwrap()).unwrap();
    w.clock.set(3 * DAY);
    let (id, (at, on)) = (w.rng.id(w.clock.now()), first(&times, w.clock.now()).unwrap());
    let new = NewSchedule { id, account: room.account, meter: room.meter, times, next: (at, on) };
    schedules::add(&w.db, w.clock.now(), &who, &new).await.unwrap();
    w.clock.advance(at.since(w.clock.now()));
    let due = async || schedules::due(&w.db, w.clock.now(), None, 10).await.unwrap();
    let last = LastSwitching { at, on, outcome: SwitchOutcome::Already, command: None };
    schedules::done(&w.db, &due().await[0], &last, next(&times, at).unwrap()).await.unwrap();
    w.clock.set(-3 * DAY);
    let now = w.clock.now();
    assert_eq!(due().await, [], "three days would pass");
    clock_steps::follow(&w.db, &w.rng, now, -3 * DAY).await.unwrap();
    let found = due().await;
    assert!(found.len() == 1 && is_missed(found[0].next.0, now), "left out, and the next one follows from now: {found:?}");
});

// Or each change of a setting looks like that of somebody else who holds the keys.
both!(settings_sent_after_a_clock_set_back_are_known, |w: World| async move {
    let meter = w.room(1).await.meter;
    w.clock.set(2 * DAY);
    parameters::store(&w.db, &w.rng, w.clock.now(), meter, 1, &Parameters::default()).await.unwrap();
    w.clock.set(-2 * DAY);
    clock_steps::follow(&w.db, &w.rng, w.clock.now(), -2 * DAY).await.unwrap();
    w.clock.advance(MINUTE);
    let (now, id) = (w.clock.now(), CommandId(w.rng.id(w.clock.now())));
    let command = NewCommand::setting(id, meter, Issue::Limits(Limits::default()).into(), None);
    let mut tx = w.db.begin().await.unwrap();
    commands::enqueue(&mut tx, now, &command).await.unwrap();
    tx.commit().await.unwrap();
    let done = "UPDATE commands SET state = 'done', attempts = 1, sent_at = $2, finished_at = $2 WHERE id = $1";
    story_support::bind(&w.db, done, id.0, &[now.0]).await;
    parameters::store(&w.db, &w.rng, now.plus(SECOND), meter, 2, &Parameters::default()).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'parameters'").await, 0);
});

// As of a machine that lost its time, and as after a slip in a year: nothing that is stored may move there.
both!(a_clock_that_is_years_off_moves_nothing, |w: World| async move {
    let mut reader = Reader::new(w).await;
    reader.read(3 * HOUR, 10).await;
    reader.read(20 * MINUTE, 10).await;
    reader.stored().await;
    for years in [-26, 2] {
        let first = reader.fixture.w.number("SELECT MIN(at) FROM readings").await;
        let (rows, step) = (reader.rows, years * 365 * DAY);
        reader.fixture.w.clock.set(step);
        reader.read(2 * SECOND, 10).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(reader.fixture.w.number("SELECT COUNT(*) FROM readings").await, rows, "it waits");
        assert_eq!(reader.clock.now(), None, "instruments wait too");
        reader.fixture.w.clock.set(-step);
        reader.read(2 * SECOND, 10).await;
        reader.stored().await;
        assert_eq!(reader.fixture.w.number("SELECT MIN(at) FROM readings").await, first);
        assert!(reader.clock.now().is_some());
    }
    let (w, passed) = (&reader.fixture.w, reader.wh - 1_000);
    assert_eq!((w.number(COUNTED).await, w.number(CHARGED).await), (passed, passed));
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality > 0").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM events WHERE kind = 'clock-stepped'").await, 1);
    reader.fixture.prove().await;
});

both!(a_server_does_not_start_a_month_before_its_readings, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let engine = s.start().await;
    let rows = "SELECT COUNT(*) FROM readings";
    until(SOON, "readings", || async { s.w.number(rows).await >= 4 }).await;
    engine.stop().await;
    let (first, clock) = (s.w.number("SELECT MIN(at) FROM readings").await, Arc::new(Ahead(-30 * DAY)));
    let live = Live::load(&s.w.db, clock.clone()).await.unwrap();
    let refused = s.try_start_at(clock, live).await.err().unwrap();
    assert!(refused.to_string().contains("set the clock"), "{refused}");
    assert_eq!(s.w.number("SELECT MIN(at) FROM readings").await, first);
});

/// The machine's clock, set ahead.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(self.0)
    }

    fn steady(&self) -> i64 {
        SystemClock.steady()
    }
}

both!(a_clock_that_was_ahead_is_noticed_at_the_start, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        sim.estate.meters_mut().for_each(|(_, meter)| *meter = meter.clone().in_use(50_000));
        sim.speed = 60.0;
    })
    .await;
    s.meter(0, 1).draw(Some(6_000)).await.unwrap();
    let clock: domain::clock::SharedClock = Arc::new(Ahead(DAY));
    let live = Live::load(&s.w.db, clock.clone()).await.unwrap();
    let engine = s.start_at(clock, live).await;
    let rows = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.unit = 1";
    until(SOON, "readings", || async { s.w.number(rows).await >= 5 }).await;
    engine.stop().await;
    let before = s.w.number(rows).await;

    // The clock is right again: what is read counts from where it stood, and a sale is delivered.
    let sold = s.sell(0, 1_000).await;
    let live = Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap();
    let engine = s.start_with(live.clone()).await;
    until(SOON, "more readings", || async { s.w.number(rows).await >= before + 5 }).await;
    until(SOON, "the sale", || async { s.order(&sold).await.credited_at.is_some() }).await;
    let seen = || live.get(s.meters[0]).and_then(|latest| latest.observed_at);
    assert!(seen().is_some_and(|at| at <= SystemClock.now()));
    engine.stop().await;
    let now = SystemClock.now();
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings WHERE quality > 0").await, 0);
    assert!(s.w.number("SELECT MAX(at) FROM readings").await <= now.0);
    let passed = "SELECT MAX(total_wh) - MIN(total_wh) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.unit = 1";
    let energy = "SELECT CAST(SUM(wh) AS BIGINT) FROM energy_daily d JOIN meters m ON m.id = d.meter_id WHERE m.unit = 1";
    assert_eq!(s.w.number(energy).await, s.w.number(passed).await, "nothing twice");
    let today = "SELECT COUNT(*) FROM energy_daily WHERE day > (SELECT MAX(at) + 28800000 FROM readings) / 86400000";
    assert_eq!(s.w.number(today).await, 0);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM events WHERE kind = 'clock-stepped'").await, 1);
    s.prove().await;
});
