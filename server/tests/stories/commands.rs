//! Modes, switches and settings are done only when the meter shows them, on both databases.

use std::time::Duration;

use model::meter::ControlMode;
use simulator::{Defect, LineFault};
use store::commands::Command;
use story_support::site::{Site, until};
use story_support::{World, both};

const SOON: Duration = Duration::from_secs(20);

async fn ended(s: &Site, command: &Command) -> Command {
    until(SOON, &command.kind, || async { s.refreshed(command).await.finished_at.is_some() }).await;
    s.refreshed(command).await
}

both!(mode_and_switch_commands_are_read_back, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 5_000).await;
    let engine = s.start().await;
    s.settled(SOON).await;
    let meter = s.rooms[0].meter;
    assert!(s.view(0, 1).relay_closed);
    for (kind, args, mode, closed) in [
        ("mode", r#"{"mode":"forced_off"}"#, ControlMode::ForcedOff, false),
        ("mode", r#"{"mode":"guaranteed"}"#, ControlMode::Guaranteed, true),
        ("mode", r#"{"mode":"prepaid"}"#, ControlMode::Prepaid, true),
        ("switch", r#"{"on":false}"#, ControlMode::Prepaid, false),
        ("switch", r#"{"on":true}"#, ControlMode::Prepaid, true),
    ] {
        let command = s.command(meter, kind, args).await;
        engine.wake();
        let command = ended(&s, &command).await;
        assert_eq!((command.state.as_str(), command.note.as_deref()), ("done", None), "{args}");
        assert_eq!((s.view(0, 1).mode, s.view(0, 1).relay_closed), (mode, closed), "{args}");
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
    let command = s.command(s.rooms[0].meter, "mode", r#"{"mode":"forced_off"}"#).await;
    let command = ended(&s, &command).await;
    assert_eq!((command.state.as_str(), command.note.as_deref()), ("done", Some("relay")));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'relay'").await, 1);
    engine.stop().await;
});

both!(settings_are_done_once_the_registers_show_them, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    s.sim.gateway(0).unwrap().fault(LineFault::LostAnswer, 0.2);
    let engine = s.start().await;
    for room in &s.rooms {
        for (kind, args) in [
            ("limits", r#"{"alarm1":3000,"alarm2":900,"overdraft":0,"hoarding":500000,"overload_w":2200}"#),
            ("prices", r#"{"standby":false,"prices":[9000,7000,5000,3000]}"#),
            ("tiers", r#"{"period":"month","thresholds":[10000,20000],"surcharges":[500,1000]}"#),
            ("clock", "{}"),
            ("day_table", r#"{"table":1,"slots":[{"rate":4,"hour":0,"minute":0},{"rate":2,"hour":8,"minute":30}]}"#),
            ("date_plan", r#"{"entries":[{"month":1,"day":1,"table":1}]}"#),
        ] {
            s.command(room.meter, kind, args).await;
        }
    }
    s.settled(Duration::from_secs(60)).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE state = 'done'").await, 12);
    assert!(s.view(0, 1).parameter_version >= 5);
});

both!(invalid_settings_fail_with_a_reason, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = s.start().await;
    let meter = s.rooms[0].meter;
    let limits = r#"{"alarm1":100,"alarm2":900,"overdraft":0,"hoarding":0,"overload_w":0}"#;
    for (kind, args, note, result) in
        [("limits", limits, "out-of-range", Some(10)), ("mode", r#"{"mode":"party"}"#, "invalid", None)]
    {
        let command = s.command(meter, kind, args).await;
        engine.wake();
        let command = ended(&s, &command).await;
        assert_eq!((command.state.as_str(), command.note.as_deref(), command.result), ("failed", Some(note), result));
    }
    engine.stop().await;
});

both!(the_newest_command_for_a_lost_meter_wins, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    let engine = s.start().await;
    let meter = s.rooms[0].meter;
    let first = s.command(meter, "mode", r#"{"mode":"forced_off"}"#).await;
    let second = s.command(meter, "mode", r#"{"mode":"guaranteed"}"#).await;
    engine.wake();
    assert_eq!(s.refreshed(&first).await.state, "superseded");
    s.meter(0, 1).heal().unwrap();
    assert_eq!(ended(&s, &second).await.state, "done");
    assert_eq!(s.view(0, 1).mode, ControlMode::Guaranteed);
    engine.stop().await;
});
