//! Modes, relay commands and settings are done only when the meter shows them, on both databases.

use model::command::CommandReason;
use model::issue::Issue;
use model::meter::ControlMode;
use model::order::CommandState;
use model::parameters::{Limits, PlanEntry, Slot, TierPeriod, Tiers};
use simulator::{Defect, LineFault};
use store::commands::Command;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

async fn ended(s: &Site, command: &Command) -> Command {
    until(SOON, command.kind.as_str(), || async { s.refreshed(command).await.finished_at.is_some() }).await;
    s.refreshed(command).await
}

both!(mode_and_switch_commands_are_read_back, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 5_000).await;
    let engine = s.start().await;
    s.settled(SOON).await;
    let meter = s.rooms[0].meter;
    assert!(s.view(0, 1).relay_closed);
    for (issue, mode, closed) in [
        (Issue::Mode(ControlMode::ForcedOff), ControlMode::ForcedOff, false),
        (Issue::Mode(ControlMode::Guaranteed), ControlMode::Guaranteed, true),
        (Issue::Mode(ControlMode::Prepaid), ControlMode::Prepaid, true),
        (Issue::Switch(false), ControlMode::Prepaid, false),
        (Issue::Switch(true), ControlMode::Prepaid, true),
    ] {
        let command = s.command(meter, issue.clone()).await;
        engine.wake();
        let command = ended(&s, &command).await;
        assert_eq!((command.state.as_str(), command.reason.map(CommandReason::as_str)), ("done", None), "{issue:?}");
        assert_eq!((s.view(0, 1).mode, s.view(0, 1).relay_closed), (mode, closed), "{issue:?}");
    }
    engine.stop().await;
    s.prove().await;
});

both!(a_welded_relay_ends_the_command_and_opens_a_case, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 5_000).await;
    let engine = s.start().await;
    s.settled(SOON).await;
    s.meter(0, 1).defect(Defect::RelayWelded, true).await.unwrap();
    let command = s.command(s.rooms[0].meter, Issue::Mode(ControlMode::ForcedOff)).await;
    let command = ended(&s, &command).await;
    assert_eq!((command.state.as_str(), command.reason.map(CommandReason::as_str)), ("done", Some("relay")));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'relay'").await, 1);
    engine.stop().await;
});

both!(settings_are_done_once_the_registers_show_them, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    s.sim.gateway(0).unwrap().fault(LineFault::LostAnswer, 0.2);
    let engine = s.start().await;
    for room in &s.rooms {
        let slot = |rate, hour, minute| Slot { rate, hour, minute };
        let tiers = Tiers { period: TierPeriod::Month, thresholds: [10_000, 20_000], surcharges: [500, 1_000] };
        for issue in [
            Issue::Limits(Limits { alarm1: 3_000, alarm2: 900, overdraft: 0, hoarding: 500_000, overload_w: 2_200 }),
            Issue::Prices([9_000, 7_000, 5_000, 3_000]),
            Issue::Tiers(tiers),
            Issue::Clock,
            Issue::DayTable { table: 1, slots: vec![slot(4, 0, 0), slot(2, 8, 30)] },
            Issue::DatePlan(vec![PlanEntry { month: 1, day: 1, table: 1 }]),
        ] {
            s.command(room.meter, issue).await;
        }
    }
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE state = 'done'").await, 12);
    assert!(s.view(0, 1).parameter_version >= 5);
});

both!(invalid_settings_fail_with_a_reason, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = s.start().await;
    let meter = s.rooms[0].meter;
    let limits = Issue::Limits(Limits { alarm1: 100, alarm2: 900, overdraft: 0, hoarding: 0, overload_w: 0 });
    let mode = Issue::Mode(ControlMode::Prepaid);
    for (issue, stored, reason, result) in
        [(limits, None, "out-of-range", Some(10)), (mode, Some(r#"{"issue":{"mode":"party"}}"#), "invalid", None)]
    {
        let command = s.command_stored_as(meter, issue, stored).await;
        engine.wake();
        let command = ended(&s, &command).await;
        assert_eq!(
            (command.state.as_str(), command.reason.map(CommandReason::as_str), command.result),
            ("failed", Some(reason), result)
        );
    }
    engine.stop().await;
});

both!(the_newest_command_for_a_lost_meter_wins, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    let engine = s.start().await;
    let meter = s.rooms[0].meter;
    let first = s.command(meter, Issue::Mode(ControlMode::ForcedOff)).await;
    let second = s.command(meter, Issue::Mode(ControlMode::Guaranteed)).await;
    engine.wake();
    assert_eq!(s.refreshed(&first).await.state, CommandState::Superseded);
    s.meter(0, 1).heal().unwrap();
    assert_eq!(ended(&s, &second).await.state, CommandState::Done);
    assert_eq!(s.view(0, 1).mode, ControlMode::Guaranteed);
    engine.stop().await;
});
