//! Missing readings, load curves and abnormal use, against computations of their own from raw rows.

use std::collections::{BTreeMap, BTreeSet};

use domain::clock::Clock;
use model::abnormal_use::AbnormalKind;
use model::energy::Energy;
use model::report::{Cell, Heading, Note, RangeProblem, Report, ReportKind};
use model::time::{DAY, Date, HOUR, Timestamp};
use story_support::{World, both};
use uuid::Uuid;

use super::{abnormal_alarms, column, limited, operator, past, report, rows, section, total, usual_interval};

both!(readings_load_and_abnormal_use_equal_raw_rows, past, |w: World| async move {
    missing_readings_are_counted_one_by_one(&w).await;
    a_meter_is_due_by_its_own_interval(&w).await;
    load_is_that_of_raw_hours(&w).await;
    every_section_has_the_same_hours(&w).await;
    abnormal_use_is_found_against_raw_days(&w).await;
    an_operator_of_a_building_sees_its_meters_alone(&w).await;
});

/// The place of a name and kind.
pub async fn id(w: &World, name: &str, kind: &str) -> String {
    let found: Vec<(Uuid,)> = rows(w, &format!("SELECT id FROM places WHERE name = '{name}' AND kind = '{kind}'")).await;
    found[0].0.as_simple().to_string()
}

/// The meters of a building and floor: id, room and gateway.
async fn meters(w: &World, building: &str) -> Vec<(Uuid, String, String)> {
    let sql = format!(
        "SELECT m.id, r.name, g.name FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id
         JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
         WHERE b.name = '{building}' AND f.name = '1层' AND m.retired_at IS NULL ORDER BY r.name"
    );
    rows(w, &sql).await
}

fn literal(w: &World, id: Uuid) -> String {
    if matches!(w.db, store::Db::Sqlite { .. }) { format!("x'{}'", id.as_simple()) } else { format!("'{id}'") }
}

/// The cell of a row's column.
fn cell(report: &Report, title: Heading, row: usize, heading: Heading) -> &Cell {
    let section = section(report, title);
    let index = section.columns.iter().position(|column| column.heading == heading).unwrap();
    &section.rows[row][index]
}

async fn missing_readings_are_counted_one_by_one(w: &World) {
    let who = operator(w, "operator").await;
    let today = w.clock.now().date();
    let (from, until) = (today.plus(-20), today.plus(-6));
    // Two days of one meter and some hours of another are lost.
    let of_floor = meters(w, "3号楼").await;
    let (first, second) = (literal(w, of_floor[0].0), literal(w, of_floor[1].0));
    let (start, end) = (from.plus(3).start().0, from.plus(5).start().0);
    w.by_hand(&format!("DELETE FROM readings WHERE meter_id = {first} AND at >= {start} AND at < {end}")).await.unwrap();
    let (start, end) = (start + 5 * HOUR, start + 13 * HOUR);
    w.by_hand(&format!("DELETE FROM readings WHERE meter_id = {second} AND at >= {start} AND at < {end}")).await.unwrap();

    let fields = [("from", &*from.to_string()), ("until", &*until.to_string())];
    let made = report(w, who, ReportKind::MissingReadings, &fields).await.unwrap();
    // Every instant at which a reading was due, one after the other; midnight values do not count.
    let interval = i64::from(usual_interval().seconds()) * 1_000;
    let raw: Vec<(Uuid, String, Option<i64>)> = rows(
        w,
        "SELECT m.id, g.name, r.at FROM meters m JOIN gateways g ON g.id = m.gateway_id
         LEFT JOIN readings r ON r.meter_id = m.id AND r.source <> 3 WHERE m.retired_at IS NULL ORDER BY m.id, r.at",
    )
    .await;
    let mut read: BTreeMap<(Uuid, String), Vec<i64>> = BTreeMap::new();
    for (meter, gateway, at) in raw {
        read.entry((meter, gateway)).or_default().extend(at);
    }
    let (mut by_day, mut by_meter) = (BTreeMap::<Date, i64>::new(), BTreeMap::<Uuid, i64>::new());
    let mut by_gateway = BTreeMap::<String, i64>::new();
    for ((meter, gateway), times) in &read {
        let between = times.windows(2).flat_map(|pair| {
            let parts = (pair[1] - pair[0] + interval / 2) / interval;
            (1..parts).map(move |n| pair[0] + (pair[1] - pair[0]) * n / parts)
        });
        let end = until.plus(1).start().0 - interval / 2;
        let last = times.last().copied().unwrap_or(end);
        let after = (1..).map(|n| last + n * interval).take_while(|due| *due <= end);
        let due: Vec<Date> = between.chain(after).map(|due| Timestamp(due).date()).collect();
        for day in (from.0..=until.0).map(Date) {
            let is_read = times.iter().any(|at| Timestamp(*at).date() == day);
            let count = if is_read { due.iter().filter(|one| **one == day).count() } else { 4 };
            let count = i64::try_from(count).unwrap().min(4);
            *by_day.entry(day).or_default() += count;
            *by_meter.entry(*meter).or_default() += count;
            *by_gateway.entry(gateway.clone()).or_default() += count;
        }
    }
    let shown = section(&made, Heading::ByMeter);
    let of_room = |room: &str| {
        let name = format!("3号楼 1层 {room}");
        let row = shown.rows.iter().find(|row| matches!(&row[0], Cell::Room { name: shown, .. } if *shown == name));
        row.unwrap_or_else(|| panic!("{name}: {shown:?}"))[5].amount().unwrap()
    };
    for (meter, room, _) in &of_floor[..2] {
        assert_eq!(of_room(room), by_meter[meter], "{room}");
    }
    assert!(by_meter[&of_floor[0].0] >= 7 && by_meter[&of_floor[1].0] >= 1);
    let of_days: BTreeMap<Date, i64> = column(section(&made, Heading::ByTime), Heading::ReadingsMissing)
        .into_iter()
        .filter_map(|(day, missing)| if let Cell::Day(day) = day { Some((day, missing)) } else { None })
        .collect();
    assert_eq!(of_days, by_day);
    let of_gateways = column(section(&made, Heading::ByGateway), Heading::ReadingsMissing);
    assert_eq!(of_gateways.len(), by_gateway.len());
    for (gateway, missing) in of_gateways {
        let Cell::Text(gateway) = gateway else { panic!("{gateway:?}") };
        assert_eq!(missing, by_gateway[&gateway], "{gateway}");
    }
    let whole: i64 = by_day.values().sum();
    assert_eq!(total(section(&made, Heading::ByPlace), Heading::ReadingsMissing), whole);
    assert_eq!(total(shown, Heading::ReadingsMissing), whole);
    let days: i64 = section(&made, Heading::DaysOfMeters).totals().unwrap().iter().filter_map(Cell::amount).sum();
    assert_eq!(days, whole);
    let due = i64::try_from(read.len()).unwrap() * 4 * made.query.days();
    assert_eq!(total(section(&made, Heading::ByTime), Heading::ReadingsDue), due);
    assert!(made.notes.contains(&Note::IntervalsAsNow));
}

async fn a_meter_is_due_by_its_own_interval(w: &World) {
    let who = operator(w, "operator").await;
    let until = w.clock.now().date().plus(-6);
    let fields = [("from", &*until.plus(-4).to_string()), ("until", &*until.to_string())];
    let due = async || {
        let made = report(w, who, ReportKind::MissingReadings, &fields).await.unwrap();
        total(section(&made, Heading::ByTime), Heading::ReadingsDue)
    };
    let before = due().await;
    let meter = literal(w, meters(w, "4号楼").await[0].0);
    w.by_hand(&format!("UPDATE meters SET sweep_interval_s = 57600 WHERE id = {meter}")).await.unwrap();
    assert_eq!(due().await, before - 5 * 4 + 8, "in five days, each 16 hours: 7.5 times");
    w.by_hand(&format!("UPDATE meters SET sweep_interval_s = NULL WHERE id = {meter}")).await.unwrap();
}

async fn load_is_that_of_raw_hours(w: &World) {
    let who = operator(w, "operator").await;
    let until = w.clock.now().date().plus(-1);
    let from = until.plus(-13);
    let place = id(w, "3号楼", "building").await;
    let fields = [("from", &*from.to_string()), ("until", &*until.to_string()), ("place", &*place)];
    let made = report(w, who, ReportKind::LoadCurve, &fields).await.unwrap();
    let raw: Vec<(i64, String, i64)> = rows(
        w,
        "SELECT e.hour, f.name, e.wh FROM energy_hourly e JOIN meters m ON m.id = e.meter_id AND m.wallet <> 'none'
         JOIN places r ON r.id = m.place_id JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
         WHERE b.name = '3号楼'",
    )
    .await;
    let start = |hour: i64| Timestamp(hour * HOUR);
    let within = raw.iter().filter(|(hour, ..)| (from..=until).contains(&start(*hour).date()));
    let mut hours: BTreeMap<i64, i64> = (from.start().hour()..until.plus(1).start().hour()).map(|hour| (hour, 0)).collect();
    let mut of_floors: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for (hour, floor, wh) in within {
        *hours.get_mut(hour).unwrap() += wh;
        *of_floors.entry((floor.clone(), *hour)).or_default() += wh;
    }
    // Each day's peak, the first where several are equal, and its energy.
    for (row, day) in (from.0..=until.0).map(Date).enumerate() {
        let of_day = || hours.iter().filter(|(hour, _)| start(**hour).date() == day);
        let peak = of_day().map(|(_, wh)| *wh).max().unwrap();
        let first = of_day().find(|(_, wh)| **wh == peak).map(|(hour, _)| start(*hour)).unwrap();
        assert_eq!(*cell(&made, Heading::PeakDemand, row, Heading::Peak), Cell::Power(peak), "{day}");
        assert_eq!(*cell(&made, Heading::PeakDemand, row, Heading::HighestAt), Cell::Time(first));
        let sum: i64 = of_day().map(|(_, wh)| *wh).sum();
        assert_eq!(*cell(&made, Heading::PeakDemand, row, Heading::Energy), Cell::Energy(Energy(sum)));
    }
    // The usual day.
    for hour in 0..24 {
        let of = |weekend: bool| {
            let same = hours
                .iter()
                .map(|(at, wh)| (start(*at), *wh))
                .filter(|(at, _)| i64::from(at.civil().hour) == hour && (at.date().weekday() >= 5) == weekend);
            let values: Vec<i64> = same.map(|(_, wh)| wh).collect();
            let count = i64::try_from(values.len()).unwrap();
            Cell::Power((2 * values.iter().sum::<i64>() + count) / (2 * count))
        };
        let row = usize::try_from(hour).unwrap();
        assert_eq!(*cell(&made, Heading::UsualDay, row, Heading::Weekdays), of(false), "{hour}");
        assert_eq!(*cell(&made, Heading::UsualDay, row, Heading::Weekends), of(true), "{hour}");
    }
    // Floors at the hour of the building's peak add up to it; their own peaks do not.
    let peak = hours.values().copied().max().unwrap();
    let at = hours.iter().find(|(_, wh)| **wh == peak).map(|(hour, _)| *hour).unwrap();
    let floors = section(&made, Heading::ByPlace);
    assert_eq!(total(floors, Heading::AtPeakOfAll), peak);
    for (name, power) in column(floors, Heading::AtPeakOfAll) {
        let Cell::Text(name) = name else { panic!("{name:?}") };
        assert_eq!(power, of_floors.get(&(name.clone(), at)).copied().unwrap_or(0), "{name}");
    }
    let peaks: i64 = column(floors, Heading::Peak).into_iter().map(|(_, power)| power).sum();
    assert!(peaks >= peak);
    assert!(made.notes.contains(&Note::PeakOfAll { power: peak, at: start(at), of_parts: peaks }));
    assert_eq!(section(&made, Heading::HoursOfDays).rows.len(), 14);
    let months = report(w, who, ReportKind::LoadCurve, &[fields[0], fields[1], fields[2], ("by", "month")]).await.unwrap();
    let highest = column(section(&months, Heading::PeakDemand), Heading::Peak).into_iter().map(|(_, power)| power).max();
    assert_eq!(highest, Some(peak));
    // Days before the first reading are unknown, not zero.
    let long_ago = [("from", "2020-01-01"), ("until", "2020-01-02"), ("place", &*place)];
    let unknown = report(w, who, ReportKind::LoadCurve, &long_ago).await.unwrap();
    assert!(section(&unknown, Heading::UsualDay).rows.is_empty() && section(&unknown, Heading::PeakDemand).rows.is_empty());
}

/// Also today, whose last hour is not over, and for a group of floors of two buildings.
async fn every_section_has_the_same_hours(w: &World) {
    let who = operator(w, "operator").await;
    let now = w.clock.now();
    let from = now.date().plus(-2).to_string();
    let group = w.rng.id(now);
    let group_literal = literal(w, group);
    w.by_hand(&format!(
        "INSERT INTO place_groups (id, name, created_at) VALUES ({group_literal}, 'first floors', 0);
         INSERT INTO place_group_members (group_id, place_id) SELECT {group_literal}, f.id FROM places f
         JOIN places b ON b.id = f.parent_id WHERE b.name IN ('3号楼', '4号楼') AND f.name = '1层';"
    ))
    .await
    .unwrap();
    let place = id(w, "3号楼", "building").await;
    for (place, parts) in [(place, None), (group.to_string(), Some(2))] {
        let made = report(w, who, ReportKind::LoadCurve, &[("from", &from), ("place", &place)]).await.unwrap();
        let energy = total(section(&made, Heading::PeakDemand), Heading::Energy);
        let by_place = section(&made, Heading::ByPlace);
        assert_eq!(total(by_place, Heading::Energy), energy);
        assert!(parts.is_none_or(|parts| by_place.rows.len() == parts));
        let hours = section(&made, Heading::HoursOfDays);
        assert_eq!(hours.totals().unwrap().iter().filter_map(Cell::amount).sum::<i64>(), energy);
        let raw: Vec<(i64,)> = rows(
            w,
            &format!(
                "SELECT CAST(SUM(e.wh) AS BIGINT) FROM energy_hourly e JOIN meters m ON m.id = e.meter_id AND m.wallet <> 'none'
                 JOIN places r ON r.id = m.place_id JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
                 WHERE {} AND e.hour >= {} AND e.hour < {}",
                if parts.is_some() { "b.name IN ('3号楼', '4号楼') AND f.name = '1层'" } else { "b.name = '3号楼'" },
                now.date().plus(-2).start().hour(),
                now.hour()
            ),
        )
        .await;
        assert_eq!(energy, raw[0].0, "up to the hour that is not over");
        assert!(made.notes.contains(&Note::PlacesAsNow));
    }
}

/// The days of rooms that a report leaves out.
fn left_out(made: &Report) -> i64 {
    made.notes.iter().find_map(|note| if let Note::DaysUnknown(count) = note { Some(*count) } else { None }).unwrap_or(0)
}

async fn abnormal_use_is_found_against_raw_days(w: &World) {
    let who = operator(w, "operator").await;
    let day = w.clock.now().date().plus(-4);
    let of_floor = meters(w, "4号楼").await;
    let used: Vec<(Uuid, i64)> = rows(
        w,
        &format!(
            "SELECT d.meter_id, d.wh FROM energy_daily d JOIN account_meters a ON a.meter_id = d.meter_id AND a.to_at IS NULL
             WHERE d.day = {} AND a.from_at < {} AND d.wh > 500",
            day.0,
            day.plus(-60).start().0
        ),
    )
    .await;
    let mut occupied = of_floor.iter().filter(|(meter, ..)| used.iter().any(|(one, _)| one == meter));
    let (high, zero) = (occupied.next().unwrap(), occupied.next().unwrap());
    let (high_id, zero_id) = (literal(w, high.0), literal(w, zero.0));
    w.by_hand(&format!("UPDATE energy_daily SET wh = wh + 90000 WHERE meter_id = {high_id} AND day = {}", day.0)).await.unwrap();
    w.by_hand(&format!("DELETE FROM energy_daily WHERE meter_id = {zero_id} AND day = {}", day.0)).await.unwrap();
    w.by_hand(&format!(
        "INSERT INTO energy_hourly (meter_id, hour, wh) VALUES ({high_id}, {}, 20000)
         ON CONFLICT (meter_id, hour) DO UPDATE SET wh = energy_hourly.wh + excluded.wh",
        day.start().hour() + 2
    ))
    .await
    .unwrap();

    let text = day.to_string();
    let made = report(w, who, ReportKind::AbnormalUse, &[("from", &text), ("until", &text)]).await.unwrap();
    let found = section(&made, Heading::AbnormalUse);
    let of = |room: &str, kind: AbnormalKind| {
        let name = format!("4号楼 1层 {room}");
        let is_it = |row: &&Vec<Cell>| {
            matches!(&row[0], Cell::Room { name: shown, .. } if *shown == name) && row[2] == Cell::Word(Heading::Abnormal(kind))
        };
        found.rows.iter().find(is_it).unwrap_or_else(|| panic!("{name} {kind:?}: {found:?}"))
    };
    // The same weekday of the eight weeks before, as far as the meter was there.
    let mut weeks = Vec::new();
    for week in 1..=8 {
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(wh), 0) AS BIGINT) FROM energy_daily WHERE meter_id = {high_id} AND day = {}",
            day.0 - 7 * week
        );
        weeks.push(rows::<(i64,)>(w, &sql).await[0].0);
    }
    weeks.sort_unstable();
    let median = i64::midpoint(weeks[3], weeks[4]);
    let jump = of(&high.1, AbnormalKind::Jump);
    let raw = used.iter().find(|(meter, _)| *meter == high.0).unwrap().1 + 90_000;
    assert_eq!((&jump[3], &jump[4]), (&Cell::Energy(Energy(raw)), &Cell::Energy(Energy(median))));
    assert_eq!(jump[5], Cell::share(raw, median));
    assert_eq!(of(&high.1, AbnormalKind::AboveFloor)[3], Cell::Energy(Energy(raw)));
    assert_eq!(of(&zero.1, AbnormalKind::Zero)[3], Cell::Energy(Energy(0)));
    let night = format!(
        "SELECT CAST(SUM(wh) AS BIGINT) FROM energy_hourly WHERE meter_id = {high_id} AND hour BETWEEN {first} AND {first} + 4",
        first = day.start().hour()
    );
    let night = rows::<(i64,)>(w, &night).await[0].0;
    assert_eq!(of(&high.1, AbnormalKind::Night)[3], Cell::Energy(Energy(night)));
    let severities: Vec<i64> = found.rows.iter().filter_map(|row| row[6].amount()).collect();
    assert!(severities.is_sorted_by(|one, next| one >= next), "{severities:?}");
    assert_eq!(total(section(&made, Heading::ByKind), Heading::Times), i64::try_from(found.rows.len()).unwrap());
    let before = left_out(&made);
    abnormal_alarms::are_raised_where_their_rule_is_on(w, who, day, &made).await;
    // A day on which the meter was not read has the share of a longer time, and says nothing.
    let (start, end) = (day.start().0 - DAY / 2, day.plus(1).start().0 + DAY / 2);
    w.by_hand(&format!("DELETE FROM readings WHERE meter_id = {high_id} AND at >= {start} AND at < {end}")).await.unwrap();
    let made = report(w, who, ReportKind::AbnormalUse, &[("from", &text), ("until", &text)]).await.unwrap();
    let rooms: BTreeSet<String> = section(&made, Heading::AbnormalUse)
        .rows
        .iter()
        .filter_map(|row| if let Cell::Room { name, .. } = &row[0] { Some(name.clone()) } else { None })
        .collect();
    assert!(!rooms.contains(&format!("4号楼 1层 {}", high.1)) && rooms.contains(&format!("4号楼 1层 {}", zero.1)));
    assert_eq!(left_out(&made), before + 1, "one room and day, however much was found of it");
    // A counter that began again here says nothing of the time before: its energy is not counted, and not zero.
    w.by_hand(&format!(
        "INSERT INTO counter_decisions (case_id, meter_id, at, choice, energy_wh, decided_at, from_at)
         SELECT c.id, {zero_id}, {end}, 'accept', 0, {end}, {start} FROM cases c
         WHERE NOT EXISTS (SELECT 1 FROM counter_decisions d WHERE d.case_id = c.id) LIMIT 1"
    ))
    .await
    .unwrap();
    let fields = [("from", &*text), ("until", &*text)];
    let made = report(w, who, ReportKind::AbnormalUse, &fields).await.unwrap();
    assert!(
        section(&made, Heading::AbnormalUse).rows.iter().all(|row| row[2] != Cell::Word(Heading::Abnormal(AbnormalKind::Zero))
            || !matches!(&row[0], Cell::Room { name, .. } if *name == format!("4号楼 1层 {}", zero.1)))
    );
    assert_eq!(left_out(&made), before + 2);
    let room = format!("4号楼 1层 {}", zero.1);
    let load = report(w, who, ReportKind::LoadCurve, &[fields[0], fields[1], ("room", &room)]).await.unwrap();
    assert!(section(&load, Heading::UsualDay).rows.is_empty(), "{load:?}");
}

async fn an_operator_of_a_building_sees_its_meters_alone(w: &World) {
    let chief = operator(w, "operator").await;
    let place = id(w, "4号楼", "building").await;
    let who = limited(w, "4号楼").await;
    for (kind, title) in [
        (ReportKind::MissingReadings, Heading::ByMeter),
        (ReportKind::LoadCurve, Heading::PeakDemand),
        (ReportKind::AbnormalUse, Heading::AbnormalUse),
    ] {
        let chosen = report(w, chief, kind, &[("place", &place)]).await.unwrap();
        let own = report(w, who, kind, &[]).await.unwrap();
        assert_eq!(section(&own, title), section(&chosen, title), "{kind:?}");
        let other = id(w, "3号楼", "building").await;
        assert_eq!(report(w, who, kind, &[("place", &other)]).await, Err(RangeProblem::UnknownPlace), "{kind:?}");
        let long = report(w, who, kind, &[("from", "1976-01-01")]).await;
        assert_eq!(long, Err(RangeProblem::TooLong(400)), "{kind:?}");
    }
}
