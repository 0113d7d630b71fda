//! Batches of commands, on both databases: each operation of the profile reaches simulated meters and is read back; what is lost,
//! refused, superseded or withdrawn is listed for each meter.

use std::sync::Arc;

use app::api::batches::BatchesPort;
use domain::clock::{Clock, SystemClock};
use domain::order;
use meters::GatewayHandle;
use meters::live::Live;
use model::command::CommandReason;
use model::console::{BatchCounts, BatchFilter, BatchQuery, LeftOut, Target};
use model::error::AppError;
use model::ids::{BatchId, MeterId};
use model::issue::{Issue, Kind};
use model::meter::ControlMode;
use model::parameters::{Limits, PlanEntry, Slot, TierPeriod, Tiers};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{HOUR, MINUTE, Timestamp};
use server::tasks::Task;
use server::tasks::clock::SetClocks;
use services::auth::Passwords;
use services::console::ConsoleService;
use services::{Context, NoMeterGateway};
use simulator::LineFault;
use store::{audit, parameters};
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

/// A site and the console of one operator.
struct Desk {
    s: Site,
    port: ConsoleService,
    context: Context,
    live: Live,
    who: Who,
}

impl Desk {
    async fn new(w: World, gateways: usize, meters: u8) -> Self {
        let s = Site::new(w, gateways, meters).await;
        let clock: domain::clock::SharedClock = Arc::new(SystemClock);
        let live = Live::load(&s.w.db, clock.clone()).await.unwrap();
        let (db, rng, live_too) = (s.w.db.clone(), s.w.rng.clone(), live.clone());
        let context = Context { db, clock, rng, live: live_too, gateway: Arc::new(NoMeterGateway) };
        let passwords = Passwords::new(context.rng.clone()).unwrap();
        let port = ConsoleService::new(context.clone(), passwords, order::Limits::default(), domain::returns::Rules::default());
        let who = Who {
            user: s.clerk,
            role: Role::Cashier,
            permissions: Permissions::of(Role::Cashier),
            name: "clerk".into(),
            ip: "10.0.0.5".into(),
        };
        Self { s, port, live, context, who }
    }

    async fn start(&self) -> GatewayHandle {
        self.s.start_with(self.live.clone()).await
    }

    fn meter(&self, n: usize) -> MeterId {
        self.s.rooms[n].meter
    }

    /// All meters, including those that do not answer.
    fn all() -> Target {
        Target { everywhere: true, lost: true, ..Target::default() }
    }

    async fn issue(&self, issue: Issue, target: &Target) -> BatchId {
        let id = BatchId(self.context.form_key());
        let preview = self.port.preview(&self.who, issue.kind(), target).await.unwrap();
        self.port.issue_commands(&self.who, id, &issue, target, &preview.seal).await.unwrap();
        id
    }

    async fn counts(&self, batch: BatchId) -> BatchCounts {
        self.port.batch(&self.who, batch, None, 0).await.unwrap().batch.counts
    }

    async fn over(&self, batch: BatchId) -> BatchCounts {
        until(SOON, "the batch", || async { !self.counts(batch).await.is_moving() }).await;
        self.counts(batch).await
    }
}

both!(a_list_of_rooms_has_a_limit, |w: World| async move {
    let d = Desk::new(w, 1, 1).await;
    let list = |lines: usize| Target { rooms: "909\n".repeat(lines), ..Target::default() };
    assert_eq!(d.port.preview(&d.who, Kind::Clock, &list(1_000)).await.unwrap().unknown.len(), 1_000);
    assert_eq!(d.port.preview(&d.who, Kind::Clock, &list(1_001)).await.err(), Some(AppError::ListTooLong));
});

both!(every_batch_operation_reaches_meters_on_two_gateways, |w: World| async move {
    let d = Desk::new(w, 2, 2).await;
    d.s.meter(1, 2).fault(LineFault::Silent, 1.0).unwrap();
    let engine = d.start().await;
    let lost = d.meter(3);
    until(SOON, "three to answer and one to be lost", || async {
        let seen = (0..3).all(|n| d.live.get(d.meter(n)).is_some_and(|latest| latest.observed_at.is_some()));
        seen && d.live.get(lost).is_some_and(|latest| latest.lost_since.is_some())
    })
    .await;

    let limits = Limits { alarm1: 3_000, alarm2: 900, overdraft: 100, hoarding: 500_000, overload_w: 2_200 };
    let tiers = Tiers { period: TierPeriod::Month, thresholds: [10_000, 20_000], surcharges: [500, 3_000] };
    let slots = |rate| vec![Slot { rate, hour: 0, minute: 0 }, Slot { rate: 2, hour: 8, minute: 30 }];
    let entries = vec![PlanEntry { month: 1, day: 1, table: 1 }, PlanEntry { month: 7, day: 1, table: 2 }];
    let at = Timestamp((SystemClock.now().0 / 1_000) * 1_000 + 2 * HOUR);
    for issue in [
        Issue::Mode(ControlMode::Guaranteed),
        Issue::Mode(ControlMode::ForcedOff),
        Issue::Mode(ControlMode::Prepaid),
        Issue::Switch(false),
        Issue::Switch(true),
        Issue::Limits(limits),
        Issue::Prices([9_000, 7_000, 5_383, 3_000]),
        Issue::Tiers(tiers),
        Issue::DayTable { table: 1, slots: slots(4) },
        Issue::DayTable { table: 2, slots: slots(3) },
        Issue::DatePlan(entries.clone()),
        Issue::Standby { prices: [9_500, 7_500, 5_500, 3_500], at },
        Issue::Clock,
    ] {
        let preview = d.port.preview(&d.who, issue.kind(), &Target { everywhere: true, ..Target::default() }).await.unwrap();
        assert_eq!(preview.meters.len(), 3, "{issue:?}");
        assert_eq!(preview.left_out.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [LeftOut::Lost]);
        let batch = d.issue(issue.clone(), &Target { everywhere: true, ..Target::default() }).await;
        let counts = d.over(batch).await;
        assert_eq!((counts.done, counts.meters), (3, 3), "{issue:?}: {counts:?}");
    }
    assert_eq!(d.s.view(0, 1).mode, ControlMode::Prepaid);

    // The meters hold what was issued, as the pages show it.
    let known = || async { parameters::find(&d.s.w.db, d.meter(0)).await.unwrap().map(|(found, _)| found) };
    until(SOON, "the parameters to be kept", || async { known().await.is_some_and(|found| found.switch_over == Some(at)) }).await;
    let found = known().await.unwrap();
    assert_eq!((found.limits, found.tiers, found.date_plan), (limits, tiers, entries));
    assert_eq!((found.prices, found.standby), ([9_000, 7_000, 5_383, 3_000], [9_500, 7_500, 5_500, 3_500]));
    assert_eq!(found.day_tables, [slots(4), slots(3)]);

    let cancel = d.issue(Issue::Cancel, &Target { everywhere: true, ..Target::default() }).await;
    assert_eq!(d.over(cancel).await.done, 3);
    until(SOON, "the cancellation to be kept", || async { known().await.is_some_and(|found| found.switch_over.is_none()) }).await;
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'in_force' AND state = 'superseded'").await, 3);
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'parameters'").await, 0, "all changes were ours");
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'batch.create'").await, 14);
    assert!(audit::verify(&d.s.w.db).await.unwrap().broken_at.is_none());
    engine.stop().await;
});

both!(a_batch_continues_after_a_crash, |w: World| async move {
    let d = Desk::new(w, 2, 4).await;
    d.s.sim.gateway(1).unwrap().refuse(true);
    for unit in 1..=4 {
        d.s.meter(1, unit).fault(LineFault::Silent, 1.0).unwrap();
    }
    let engine = d.start().await;
    let limits = Limits { alarm1: 2_000, alarm2: 500, ..Limits::default() };
    let batch = d.issue(Issue::Limits(limits), &Desk::all()).await;
    until(SOON, "the first gateway", || async { d.counts(batch).await.done == 4 }).await;
    engine.abort();
    let counts = d.counts(batch).await;
    assert_eq!((counts.done, counts.waiting + counts.sending), (4, 4));

    d.s.sim.gateway(1).unwrap().refuse(false);
    for unit in 1..=4 {
        d.s.meter(1, unit).heal().unwrap();
    }
    let engine = d.start().await;
    assert_eq!(d.over(batch).await.done, 8);
    let versions: Vec<u16> = d.s.sim.meters().iter().map(|meter| meter.view().unwrap().parameter_version).collect();
    assert_eq!(versions, [1; 8], "each was told once");
    engine.stop().await;
});

both!(a_newer_batch_wins_and_unsent_commands_can_be_withdrawn, |w: World| async move {
    let d = Desk::new(w, 1, 2).await;
    for unit in 1..=2 {
        d.s.meter(0, unit).fault(LineFault::Silent, 1.0).unwrap();
    }
    let engine = d.start().await;
    let first = d.issue(Issue::Mode(ControlMode::ForcedOff), &Desk::all()).await;
    let second = d.issue(Issue::Mode(ControlMode::Guaranteed), &Desk::all()).await;
    assert_eq!(d.counts(first).await.dropped, 2);

    d.port.cancel_batch(&d.who, second).await.unwrap();
    assert_eq!(d.counts(second).await.dropped, 2);
    let items = d.port.batch(&d.who, second, Some(BatchFilter::Failed), 0).await.unwrap().items;
    assert_eq!(items.iter().map(|item| item.reason).collect::<Vec<_>>(), [Some(CommandReason::Cancelled); 2]);

    d.port.retry_batch(&d.who, second, Some(d.meter(0))).await.unwrap();
    d.port.retry_batch(&d.who, second, Some(d.meter(0))).await.unwrap();
    let counts = d.counts(second).await;
    assert_eq!((counts.waiting, counts.dropped, counts.meters), (1, 1, 2), "pressed twice, it is tried once");
    for unit in 1..=2 {
        d.s.meter(0, unit).heal().unwrap();
    }
    assert_eq!(d.over(second).await.done, 1);
    assert_eq!((d.s.view(0, 1).mode, d.s.view(0, 2).mode), (ControlMode::Guaranteed, ControlMode::Prepaid));
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'batch.retry'").await, 1);
    let failed = BatchQuery { kind: Some(Kind::Limits), ..BatchQuery::default() };
    assert_eq!(d.port.batches(&d.who, &failed).await.unwrap().total, 0);
    assert_eq!(d.port.batches(&d.who, &BatchQuery::default()).await.unwrap().total, 2);
    engine.stop().await;
});

both!(a_repeated_or_late_form_starts_one_batch, |w: World| async move {
    let d = Desk::new(w, 1, 2).await;
    let (id, issue) = (BatchId(d.context.form_key()), Issue::Clock);
    let seal = d.port.preview(&d.who, Kind::Clock, &Desk::all()).await.unwrap().seal;
    d.port.issue_commands(&d.who, id, &issue, &Desk::all(), &seal).await.unwrap();
    d.port.issue_commands(&d.who, id, &issue, &Desk::all(), &seal).await.unwrap();
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM commands").await, 2);
    let one = Target { meter: Some(d.meter(0)), everywhere: false, ..Desk::all() };
    let other = d.port.issue_commands(&d.who, BatchId(d.context.form_key()), &issue, &one, &seal).await;
    assert_eq!(other.unwrap_err(), AppError::Conflict, "other meters than were shown");
    d.port.issue_commands(&d.who, id, &issue, &one, &seal).await.expect("it was issued before the target meant other meters");
    let other = d.port.issue_commands(&d.who, id, &Issue::Read, &Desk::all(), &seal).await;
    assert_eq!(other.unwrap_err(), AppError::Conflict, "the key is of another command");
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM commands").await, 2);
    let stranger = BatchId(d.context.form_key());
    assert_eq!(d.port.batch(&d.who, stranger, None, 0).await.unwrap_err(), AppError::NotFound);
});

both!(a_group_read_names_the_meters_that_do_not_answer, |w: World| async move {
    let d = Desk::new(w, 2, 2).await;
    d.s.meter(0, 2).fault(LineFault::Silent, 1.0).unwrap();
    let engine = d.start().await;
    let began = SystemClock.now();
    let batch = d.issue(Issue::Read, &Target { everywhere: true, ..Target::default() }).await;
    let counts = d.over(batch).await;
    assert_eq!((counts.done, counts.failed), (3, 1), "{counts:?}");
    let items = d.port.batch(&d.who, batch, Some(BatchFilter::Failed), 0).await.unwrap().items;
    assert_eq!((items[0].meter, items[0].reason), (d.meter(1), Some(CommandReason::Lost)));
    let read = d.s.w.number("SELECT MIN(at) FROM (SELECT MAX(at) AS at FROM readings GROUP BY meter_id) newest").await;
    assert!(read >= began.0, "done says that a newer reading is stored");
    engine.stop().await;
});

both!(meters_that_missed_a_price_switch_are_listed, |w: World| async move {
    let d = Desk::new(w, 1, 2).await;
    d.s.meter(0, 2).fault(LineFault::Silent, 1.0).unwrap();
    let engine = d.start().await;
    let planned = [9_500, 7_500, 5_500, 3_500];
    let at = Timestamp((SystemClock.now().0 / 1_000) * 1_000 + 4_000);
    let batch = d.issue(Issue::Standby { prices: planned, at }, &Desk::all()).await;
    until(SOON, "the switch-over", || async { SystemClock.now() > at }).await;
    until(SOON, "the first to be told", || async { d.counts(batch).await.done == 1 }).await;
    let missed = d.port.missed_price_switches(&d.who, 0).await.unwrap();
    assert_eq!(missed.total, 2, "none was looked at yet");
    // Skips the minute until they are checked.
    d.s.w.execute("UPDATE commands SET next_at = 0 WHERE kind = 'in_force'").await;
    until(SOON, "the first to be in force", || async { d.port.missed_price_switches(&d.who, 0).await.unwrap().total == 1 }).await;
    let line = d.port.missed_price_switches(&d.who, 0).await.unwrap().lines.remove(0);
    assert_eq!((line.meter, line.prices, line.loaded, line.failed), (d.meter(1), planned, false, false));

    d.s.meter(0, 2).heal().unwrap();
    until(SOON, "the late one to have the prices", || async {
        d.port.missed_price_switches(&d.who, 0).await.unwrap().total == 0
    })
    .await;
    assert_eq!(d.counts(batch).await.done, 2);

    // The old prices were set again: the next check reports it, and a retry corrects it.
    let old = d.issue(Issue::Prices([1, 2, 3, 4]), &Desk::all()).await;
    d.over(old).await;
    d.s.w
        .execute(
            "UPDATE commands SET state = 'queued', next_at = 0, \
         args = '{\"in_force\":{\"prices\":[9500,7500,5500,3500],\"at\":1795000000000}}' WHERE kind = 'in_force'",
        )
        .await;
    let cases = "SELECT COUNT(*) FROM cases WHERE kind = 'prices' AND closed_at IS NULL";
    until(SOON, "both to be missed", || async { d.s.w.number(cases).await == 2 }).await;
    let missed = d.port.missed_price_switches(&d.who, 0).await.unwrap();
    assert!(missed.total == 2 && missed.lines.iter().all(|line| line.loaded && line.failed));
    assert_eq!(d.counts(batch).await.missed, 2);
    d.port.retry_batch(&d.who, batch, None).await.unwrap();
    d.s.settled(SOON).await;
    assert_eq!(d.port.missed_price_switches(&d.who, 0).await.unwrap().total, 0);
    assert_eq!(d.s.w.number(cases).await, 0, "prices in force close their case");
    engine.stop().await;
});

both!(an_operator_sees_batches_of_their_own_meters_only, |w: World| async move {
    let d = Desk::new(w, 1, 2).await;
    let batch = d.issue(Issue::Clock, &Desk::all()).await;
    // A building that holds no room at all.
    let nowhere = d.s.w.rng.id(SystemClock.now());
    let place = "INSERT INTO places (id, parent_id, kind, name, sort) VALUES ($1, NULL, 'building', 'x', $2)";
    story_support::bind(&d.s.w.db, place, nowhere, &[9]).await;
    d.s.w
        .execute(
            "INSERT INTO operator_buildings (user_id, place_id) SELECT u.id, p.id FROM users u, places p \
         WHERE u.login = 'clerk' AND p.name = 'x'",
        )
        .await;
    d.s.w.limit("clerk").await;
    assert_eq!(d.port.batch(&d.who, batch, None, 0).await.unwrap_err(), AppError::NotFound);
    assert_eq!(d.port.batches(&d.who, &BatchQuery::default()).await.unwrap().total, 0);
    d.port.cancel_batch(&d.who, batch).await.unwrap();
    assert_eq!(d.s.w.number("SELECT COUNT(*) FROM commands WHERE state = 'queued'").await, 2, "others' meters are not touched");
    assert!(d.port.preview(&d.who, Kind::Clock, &Desk::all()).await.unwrap().meters.is_empty());
});

both!(a_parameter_change_nobody_sent_opens_a_case, |w: World| async move {
    let meter = w.meter(1).await;
    let keep = |minutes: i64, version: u16| {
        let (w, at) = (w.clone(), w.clock.now().plus(minutes * MINUTE));
        async move { parameters::store(&w.db, &w.rng, at, meter, version, &Default::default()).await.unwrap() }
    };
    let cases = "SELECT COUNT(*) FROM cases WHERE kind = 'parameters'";
    keep(0, u16::MAX).await;
    keep(1, u16::MAX).await;
    assert_eq!(w.number(cases).await, 0, "what was first seen is no change");
    keep(2, 0).await;
    assert_eq!(w.number(cases).await, 1, "one more, over the end of the count");
});

both!(clocks_are_set_when_the_rule_requires_it, |w: World| async move {
    let meter = w.meter(1).await;
    let now = w.clock.now();
    let see = |offset: i64| {
        let (db, seen) = (w.db.clone(), w.clock.now().0);
        async move {
            let sql = "INSERT INTO meter_latest (meter_id, observed_at, status, remaining_fen, cumulative_fen, count, epoch,
                                                 total_wh,
                                                 reverse_wh, clock_offset_s) VALUES ($1, $2, 3, 0, 0, 0, 1, 0, 0, $3)
                       ON CONFLICT (meter_id) DO UPDATE SET observed_at = excluded.observed_at,
                           clock_offset_s = excluded.clock_offset_s";
            story_support::bind(&db, sql, meter.0, &[seen, offset]).await;
        }
    };
    let task = SetClocks(w.context().await);
    assert_eq!(now.civil().minute, 46, "far from the hour");
    for (offset, says) in [
        (20, "0 off, 0 set, 0 at fault"),
        (90, "1 off, 1 set, 0 at fault"),
        // Its command is being sent.
        (90, "0 off, 0 set, 0 at fault"),
    ] {
        see(offset).await;
        assert_eq!(task.run().await.unwrap().summary, says);
    }
    for round in 0..2 {
        story_support::bind(
            &w.db,
            "UPDATE commands SET state = 'done', finished_at = $2 WHERE meter_id = $1",
            meter.0,
            &[w.clock.now().0],
        )
        .await;
        w.clock.advance(24 * HOUR);
        see(400).await;
        let says = if round == 0 { "1 off, 1 set, 0 at fault" } else { "1 off, 0 set, 1 at fault" };
        assert_eq!(task.run().await.unwrap().summary, says);
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'clock'").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'meter.clock'").await, 2);
});
