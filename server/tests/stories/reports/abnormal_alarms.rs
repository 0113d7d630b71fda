//! Alarms of abnormal use, compared with the report of the same days.

use std::collections::BTreeSet;

use app::api::alarm_rules::AlarmRulesPort;
use domain::abnormal_use::finished_at;
use model::abnormal_use::AbnormalKind;
use model::alarm::OwnAlarmRule;
use model::event::EventKind;
use model::ids::UserId;
use model::report::{Cell, Heading, Report, ReportKind};
use model::time::{Date, HOUR};
use server::tasks::watch_use::WatchUse;
use services::auth::Passwords;
use services::console::ConsoleService;
use story_support::World;

use super::analysis::id;
use super::{report, rows};

/// The rooms of a building in which something happened, by the report.
fn unusual_rooms(made: &Report, building: &str) -> BTreeSet<String> {
    let rows = made.sections.iter().filter(|section| section.title == Heading::AbnormalUse).flat_map(|section| &section.rows);
    let happened = rows.filter(|row| row[2] != Cell::Word(Heading::Abnormal(AbnormalKind::AboveFloor)));
    let room = |row: &Vec<Cell>| if let Cell::Room { name, .. } = &row[0] { Some(name.clone()) } else { None };
    happened.filter_map(room).filter(|name| name.starts_with(building)).collect()
}

/// An alarm is raised by the judgement of the report, and ends with the next day that is usual.
pub async fn are_raised_where_their_rule_is_on(w: &World, who: UserId, day: Date, made: &Report) {
    let watch = WatchUse::new(w.context().await);
    let open = async || {
        let open: Vec<(String, String, String)> = rows(
            w,
            "SELECT b.name, f.name, r.name FROM events e JOIN meters m ON m.id = e.meter_id JOIN places r ON r.id = m.place_id
             JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
             WHERE e.kind = 'abnormal-use' AND e.until_at IS NULL",
        )
        .await;
        open.into_iter().map(|(building, floor, room)| format!("{building} {floor} {room}")).collect::<BTreeSet<_>>()
    };
    assert_eq!(watch.observe(finished_at(day)).await.unwrap(), 0, "it is off as long as nobody wants it");
    let found = unusual_rooms(made, "4号楼");
    let (passwords, limits) = (Passwords::new(w.rng.clone()).unwrap(), domain::order::Limits::default());
    let console = ConsoleService::new(w.context().await, passwords, limits, domain::returns::Rules::default());
    let (admin, building) = (w.admin("previewer").await, id(w, "4号楼", "building").await.parse().unwrap());
    let on = OwnAlarmRule { is_on: Some(true), ..OwnAlarmRule::default() };
    let preview = console.preview_alarm_rule(&admin, building, EventKind::AbnormalUse, &on).await.unwrap();
    assert!(preview.now == 0 && preview.new >= found.len(), "{}: at least those of one day", preview.new);
    w.by_hand(
        "INSERT INTO place_alarm_rules (place_id, kind, is_on)
         SELECT id, 'abnormal-use', TRUE FROM places WHERE kind = 'building' AND name = '4号楼'",
    )
    .await
    .unwrap();
    assert_eq!(watch.observe(finished_at(day)).await.unwrap(), found.len());
    assert!(found.len() >= 2, "{found:?}");
    assert_eq!(open().await, found);
    assert_eq!(watch.observe(finished_at(day).plus(HOUR)).await.unwrap(), 0, "a day is judged once");
    let next = day.plus(1);
    let text = next.to_string();
    let made = report(w, who, ReportKind::AbnormalUse, &[("from", &text), ("until", &text)]).await.unwrap();
    watch.observe(finished_at(next)).await.unwrap();
    let (open_after, found_after) = (open().await, unusual_rooms(&made, "4号楼"));
    assert!(found_after.is_subset(&open_after) && open_after.is_subset(&found.union(&found_after).cloned().collect()));
    assert!(found.iter().any(|room| !open_after.contains(room)), "a usual day ends it: {open_after:?}");
    w.by_hand("UPDATE place_alarm_rules SET is_on = FALSE WHERE kind = 'abnormal-use'").await.unwrap();
    watch.observe(finished_at(next)).await.unwrap();
    assert_eq!(open().await, BTreeSet::new());
    assert_eq!(w.number("SELECT COUNT(*) FROM alarm_waits WHERE kind = 'abnormal-use'").await, 0, "nothing is remembered");
}
