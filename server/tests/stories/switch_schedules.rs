//! Rooms that are switched by themselves: once, in time, and never against what decides above the resident's switch.

use ::residents::schedules;
use app::api::resident::ResidentPort;
use domain::clock::Clock;
use model::error::AppError;
use model::switch_schedule::{SwitchOutcome, SwitchTimes, Weekdays};
use model::time::MINUTE;
use story_support::{World, both};

use crate::resident_site::{ON, OPEN, Site, who};

both!(a_schedule_is_carried_out_once_and_in_time, |w: World| async move {
    let (room, mate) = (w.room(1).await, who(w.room(2).await));
    let site = Site::new(w).await;
    let me = who(room);
    let night = |days: Vec<u8>| {
        SwitchTimes::new(Weekdays::of(days).unwrap(), "23:00".parse().unwrap(), "06:30".parse().unwrap()).unwrap()
    };
    let key = site.key();
    for _ in 0..2 {
        site.residents.add_schedule(&me, key, night(vec![0, 1, 2, 3, 4, 5, 6])).await.unwrap();
    }
    assert_eq!(site.residents.switch_offer(&me).await.unwrap().schedules.len(), 1, "the same form twice");
    // The clock stands at a Wednesday, so these are not due in this story.
    let others = [site.key(), site.key(), site.key()];
    for id in others {
        site.residents.add_schedule(&me, id, night(vec![1])).await.unwrap();
    }
    assert_eq!(site.residents.add_schedule(&me, site.key(), night(vec![1])).await, Err(AppError::TooManyKept));
    // A roommate sees all schedules of the room and may remove any.
    let join =
        "UPDATE account_residents SET account_id = (SELECT m.account_id FROM account_meters m JOIN meters e ON e.id = m.meter_id
                                                           WHERE e.serial = '1') WHERE user_id = $1";
    story_support::bind(&site.w.db, join, mate.user.0, &[]).await;
    let offer = site.residents.switch_offer(&mate).await.unwrap();
    assert_eq!(offer.schedules.iter().filter(|one| one.by.as_deref() == Some("resident1")).count(), 4);
    for id in others {
        site.residents.remove_schedule(&mate, id).await.unwrap();
    }
    let today = site.w.clock.now().date();
    let until = |day: i64, minute: i64| {
        let at = today.plus(day).start().plus(minute * MINUTE);
        site.w.clock.advance(at.since(site.w.clock.now()));
    };
    let run = async || {
        let due = schedules::due(&site.w.db, site.w.clock.now(), None, 10).await.unwrap();
        let mut outcomes = Vec::new();
        for schedule in &due {
            outcomes.push(site.residents.carry_out(schedule).await.unwrap());
        }
        outcomes
    };
    let (off, on) = (23 * 60, 6 * 60 + 30);

    assert_eq!(run().await, [], "nothing is due before its time");
    until(0, off);
    site.publish_reading(room, OPEN | 1 << 4, 0);
    assert_eq!(run().await, [Some(SwitchOutcome::Arrears)], "a room that is off for arrears is left alone");
    until(1, on);
    site.publish_reading(room, ON, 5_000);
    assert_eq!(run().await, [Some(SwitchOutcome::Already)]);
    until(1, off);
    site.publish_reading(room, ON, 5_000);
    site.lose(room);
    assert_eq!(run().await, [None], "a lost meter is waited for");
    assert_eq!(site.w.number("SELECT COUNT(*) FROM commands").await, 0);
    until(1, off + 2);
    site.publish_reading(room, ON, 5_000);
    assert_eq!(run().await, [Some(SwitchOutcome::Sent)]);
    // As if the server had crashed before it wrote that down.
    site.w.execute("UPDATE switch_schedules SET next_at = last_at, next_on = last_on").await;
    assert_eq!(run().await, [Some(SwitchOutcome::Sent)]);
    assert_eq!(site.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'switch'").await, 1, "once");

    // The command never left: minutes later it is withdrawn.
    until(1, off + 13);
    let now = site.w.clock.now();
    let withdraw = async || schedules::withdraw_unsent(&site.w.db, &site.w.rng, now, now.plus(-10 * MINUTE)).await.unwrap();
    assert_eq!((withdraw().await, withdraw().await), (1, 0));
    assert_eq!(site.w.word("SELECT reason FROM commands").await, "late");
    assert_eq!(site.w.word("SELECT last_outcome FROM switch_schedules").await, "missed");

    // The server did not run for days: only what comes next counts.
    until(4, on + 60);
    site.publish_reading(room, ON, 5_000);
    assert_eq!(run().await, [Some(SwitchOutcome::Missed)]);
    assert_eq!(run().await, []);
    assert_eq!(site.w.number("SELECT COUNT(*) FROM commands").await, 1);

    site.w.execute("UPDATE account_residents SET to_at = 1").await;
    until(4, off);
    assert_eq!(run().await, [None]);
    assert_eq!(site.w.number("SELECT COUNT(*) FROM switch_schedules").await, 0, "it ends with the account");
    let audited = "SELECT COUNT(*) FROM audit WHERE action IN ('meter.schedule', 'meter.schedule-remove')";
    assert_eq!(site.w.number(audited).await, 7);
});
