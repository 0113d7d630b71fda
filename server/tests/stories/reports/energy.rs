//! The energy report, and the roll-up that it reads.

use std::collections::BTreeMap;

use domain::clock::Clock;
use domain::rollup::Parts;
use model::co2::Co2Factor;
use model::energy::Energy;
use model::ids::{MeterId, UserId};
use model::report::{Cell, Heading, Note, RangeProblem, Report, ReportKind};
use model::time::{Date, HOUR, Timestamp};
use reports::place_energy::{self, Rolled};
use store::energy::{Day, Hour};
use store::readings::{self, Batch};
use story_support::{World, both};
use uuid::Uuid;

use super::{column, limited, operator, past, report, rows, section, total};

/// A meter's day: the names of its building, floor and room, the day, energy, and that of the four rates.
type RawDay = (String, String, String, i64, i64, i64, i64, i64, i64);

async fn raw(w: &World) -> Vec<RawDay> {
    rows(
        w,
        "SELECT t.name, b.name, r.name, d.day, d.wh, d.spike_wh, d.peak_wh, d.flat_wh, d.valley_wh
         FROM energy_daily d JOIN meters m ON m.id = d.meter_id AND m.wallet <> 'none'
              JOIN places r ON r.id = m.place_id JOIN places b ON b.id = r.parent_id JOIN places t ON t.id = b.parent_id",
    )
    .await
}

/// Sums by a name, without what used nothing.
fn grouped<K: Ord>(raw: &[RawDay], key: impl Fn(&RawDay) -> Option<K>) -> BTreeMap<K, i64> {
    let mut sums = BTreeMap::new();
    for one in raw {
        if let Some(key) = key(one) {
            *sums.entry(key).or_insert(0) += one.4;
        }
    }
    sums.retain(|_, wh| *wh != 0);
    sums
}

fn named(cells: Vec<(Cell, i64)>) -> BTreeMap<String, i64> {
    let name = |cell| match cell {
        Cell::Text(name) => name,
        other => panic!("{other:?}"),
    };
    cells.into_iter().filter(|(_, wh)| *wh != 0).map(|(cell, wh)| (name(cell), wh)).collect()
}

async fn id(w: &World, name: &str, kind: &str) -> String {
    let found: Vec<(Uuid,)> = rows(w, &format!("SELECT id FROM places WHERE name = '{name}' AND kind = '{kind}'")).await;
    found[0].0.as_simple().to_string()
}

both!(three_months_of_energy_are_reported, past, |w: World| async move {
    energy_of_every_place_equals_raw_rows(&w).await;
    hours_of_days_equal_raw_hours(&w).await;
    an_operator_of_a_building_sees_its_energy_alone(&w).await;
    late_readings_change_a_past_day_visibly(&w).await;
    a_room_that_moves_takes_its_energy_along(&w).await;
    an_edit_by_hand_is_noticed(&w).await;
});

async fn energy_of_every_place_equals_raw_rows(w: &World) {
    let who = operator(w, "operator").await;
    let today = w.clock.now().date();
    let (from, until) = (today.plus(-80), today.plus(-3));
    let range = [("from", &*from.to_string()), ("until", &*until.to_string())].map(|(name, value)| (name, value.to_owned()));
    let ask = |more: &[(&'static str, String)]| range.iter().cloned().chain(more.iter().cloned()).collect::<Vec<_>>();
    let made = async |more: &[(&'static str, String)]| {
        let fields = ask(more);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
        report(w, who, ReportKind::Energy, &fields).await.unwrap()
    };
    let raw = raw(w).await;
    let within = |one: &RawDay| (from.0..=until.0).contains(&one.3);
    let before = |one: &RawDay| (2 * from.0 - until.0 - 1..from.0).contains(&one.3);

    // The whole site by day and month, its rates, and its buildings with the time before.
    let days = made(&[]).await;
    let by_day = grouped(&raw, |one| within(one).then_some(one.3));
    let shown = column(section(&days, Heading::ByTime), Heading::Energy);
    let shown: BTreeMap<_, _> =
        shown.into_iter().filter(|(_, wh)| *wh != 0).map(|(cell, wh)| (format!("{cell:?}"), wh)).collect();
    let expected: BTreeMap<_, _> = by_day.iter().map(|(day, wh)| (format!("{:?}", Cell::Day(Date(*day))), *wh)).collect();
    assert_eq!(shown, expected);
    let months = made(&[("by", "month".into())]).await;
    let by_month = grouped(&raw, |one| within(one).then(|| Date(one.3).ymd()).map(|(year, month, _)| (year, month)));
    let shown: Vec<i64> = column(section(&months, Heading::ByTime), Heading::Energy).into_iter().map(|(_, wh)| wh).collect();
    assert_eq!(shown, by_month.into_values().collect::<Vec<_>>());
    let rates = column(section(&days, Heading::ByRate), Heading::Energy);
    let of_rate = |rate: fn(&RawDay) -> i64| raw.iter().filter(|one| within(one)).map(rate).sum::<i64>();
    let expected = [of_rate(|one| one.5), of_rate(|one| one.6), of_rate(|one| one.7), of_rate(|one| one.8)];
    assert_eq!(rates.iter().take(4).map(|(_, wh)| *wh).collect::<Vec<_>>(), expected);
    assert_eq!(total(section(&days, Heading::ByRate), Heading::Energy), by_day.values().sum::<i64>());
    for made in [&days, &months] {
        let buildings = section(made, Heading::ByPlace);
        assert_eq!(named(column(buildings, Heading::Energy)), grouped(&raw, |one| within(one).then(|| one.0.clone())));
        assert_eq!(named(column(buildings, Heading::EnergyBefore)), grouped(&raw, |one| before(one).then(|| one.0.clone())));
    }
    let floors = section(&months, Heading::MonthsOfFloors);
    let mut of_floors = grouped(&raw, |one| {
        let (year, month, _) = Date(one.3).ymd();
        within(one).then(|| (format!("{} {}", one.0, one.1), year, month))
    });
    for (index, column) in floors.columns.iter().enumerate().skip(1) {
        let Heading::MonthOf { year, month } = column.heading else { panic!("{column:?}") };
        for row in &floors.rows {
            let Cell::Text(name) = &row[0] else { panic!("{row:?}") };
            let name = name.trim_start_matches("示范园区 ").to_owned();
            assert_eq!(row[index].amount(), of_floors.remove(&(name, year, month)), "{row:?}");
        }
    }
    assert_eq!(of_floors, BTreeMap::new(), "no floor is left out");
    // Of a whole month all of the longer month before counts, in both tables.
    let (first, last) = today.month_before().0.month_before();
    let month = [("from", first.to_string()), ("until", last.to_string())];
    let month: Vec<(&str, &str)> = month.iter().map(|(name, value)| (*name, &**value)).collect();
    let month = report(w, who, ReportKind::Energy, &month).await.unwrap();
    let whole = month.query.before();
    let expected = raw.iter().filter(|one| (whole.0.0..=whole.1.0).contains(&one.3)).map(|one| one.4).sum::<i64>();
    for title in [Heading::ByTime, Heading::ByPlace] {
        assert_eq!(total(section(&month, title), Heading::EnergyBefore), expected, "{title:?}");
    }
    // The highest first.
    let ranked: Vec<i64> = column(section(&days, Heading::ByPlace), Heading::Energy).into_iter().map(|(_, wh)| wh).collect();
    assert!(ranked.is_sorted_by(|one, next| one >= next), "{ranked:?}");

    // A building's floors, a floor's rooms, a room, and an account.
    let building = made(&[("place", id(w, "3号楼", "building").await)]).await;
    let floors = grouped(&raw, |one| (within(one) && one.0 == "3号楼").then(|| one.1.clone()));
    assert_eq!(named(column(section(&building, Heading::ByPlace), Heading::Energy)), floors);
    assert!(floors.len() >= 2);
    let sql = "SELECT f.id FROM places f JOIN places b ON b.id = f.parent_id WHERE b.name = '3号楼' AND f.name = '1层'";
    let floor: Vec<(Uuid,)> = rows(w, sql).await;
    let floor = made(&[("place", floor[0].0.to_string())]).await;
    let of_floor = grouped(&raw, |one| (within(one) && one.0 == "3号楼" && one.1 == "1层").then(|| one.2.clone()));
    assert_eq!(named(column(section(&floor, Heading::ByPlace), Heading::Energy)), of_floor);
    let room = made(&[("room", "3号楼 1层 102".into()), ("by", "month".into())]).await;
    assert_eq!(room.about, "3号楼 1层 102");
    assert_eq!(total(section(&room, Heading::ByTime), Heading::Energy), of_floor["102"]);
    a_room_is_found_as_people_name_it(w, who).await;

    // A group: a floor, and a room that is below it too, count once.
    let group = w.rng.id(w.clock.now());
    let text = if matches!(w.db, store::Db::Sqlite { .. }) { format!("x'{}'", group.as_simple()) } else { format!("'{group}'") };
    let rooms = |building: &str, room: &str| {
        format!(
            "INSERT INTO place_group_members (group_id, place_id) SELECT {text}, r.id FROM places r
             JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
             WHERE b.name = '{building}' AND f.name = '1层' AND r.name = '{room}';"
        )
    };
    w.by_hand(&format!(
        "INSERT INTO place_groups (id, name, created_at) VALUES ({text}, 'east', 0);
         INSERT INTO place_group_members (group_id, place_id) SELECT {text}, f.id FROM places f
         JOIN places b ON b.id = f.parent_id WHERE b.name = '3号楼' AND f.name = '1层';{}{}",
        rooms("3号楼", "102"),
        rooms("4号楼", "103")
    ))
    .await
    .unwrap();
    let made_of_group = made(&[("place", group.to_string())]).await;
    let fourth = grouped(&raw, |one| (within(one) && one.0 == "4号楼" && one.1 == "1层" && one.2 == "103").then_some(()));
    let expected = of_floor.values().sum::<i64>() + fourth.values().sum::<i64>();
    assert_eq!(total(section(&made_of_group, Heading::ByTime), Heading::Energy), expected);
    assert_eq!(total(section(&made_of_group, Heading::ByPlace), Heading::Energy), expected);
}

async fn a_room_is_found_as_people_name_it(w: &World, who: UserId) {
    let of_room = "JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
                   WHERE b.name = '3号楼' AND f.name = '1层' AND r.name = '102'";
    let serial = format!("SELECT m.serial FROM meters m JOIN places r ON r.id = m.place_id {of_room} AND m.retired_at IS NULL");
    let serial: Vec<(String,)> = rows(w, &serial).await;
    for typed in ["3号楼102", "3号楼 102", "3号楼1层102", "示范园区 3号楼 1层 102", "3号楼102室", serial[0].0.as_str()]
    {
        let made = report(w, who, ReportKind::Energy, &[("room", typed)]).await.unwrap();
        assert_eq!(made.about, "3号楼 1层 102", "{typed}");
    }
    let login = "SELECT MIN(u.login) FROM users u JOIN account_residents o ON o.user_id = u.id AND o.to_at IS NULL";
    let login = w.word(login).await;
    assert!(report(w, who, ReportKind::Energy, &[("room", &login)]).await.is_ok(), "{login}");
    let many = report(w, who, ReportKind::Energy, &[("room", "1层102")]).await;
    assert_eq!(many, Err(RangeProblem::SeveralRooms), "a room of several buildings");
    let rooms = reports::subject::fitting_rooms(&w.db, who, "1层102", 2).await.unwrap();
    assert_eq!(rooms.len(), 2);
    for room in rooms {
        assert_eq!(report(w, who, ReportKind::Energy, &[("room", &room)]).await.unwrap().about, room, "each means one");
    }
}

async fn hours_of_days_equal_raw_hours(w: &World) {
    let who = operator(w, "operator").await;
    let until = w.clock.now().date().plus(-1);
    let from = until.plus(-6);
    let fields = [("from", &*from.to_string()), ("until", &*until.to_string()), ("by", "hour")];
    let made = report(w, who, ReportKind::Energy, &fields).await.unwrap();
    let raw: Vec<(i64, i64)> =
        rows(w, "SELECT e.hour, e.wh FROM energy_hourly e JOIN meters m ON m.id = e.meter_id WHERE m.wallet <> 'none'").await;
    let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
    for (hour, wh) in raw.into_iter().filter(|(hour, _)| (from..=until).contains(&Timestamp(hour * HOUR).date())) {
        *hours.entry(hour).or_default() += wh;
    }
    assert!(hours.len() > 24);
    let shown = column(section(&made, Heading::ByTime), Heading::Energy);
    let expected: Vec<_> = hours.iter().map(|(hour, wh)| (Cell::Time(Timestamp(hour * HOUR)), *wh)).collect();
    assert_eq!(shown, expected);
    let table = section(&made, Heading::HoursOfDays);
    assert_eq!((table.rows.len(), table.columns.len()), (7, 25));
    let cells: Vec<i64> = table.rows.iter().flat_map(|row| &row[1..]).filter_map(Cell::amount).collect();
    assert_eq!(cells, hours.into_values().collect::<Vec<_>>());

    // An account has the hours in which the meter was its own.
    let number = w
        .word(
            "SELECT a.number FROM accounts a JOIN account_meters o ON o.account_id = a.id AND o.to_at IS NULL
         JOIN meters m ON m.id = o.meter_id AND m.wallet = 'meter'
         WHERE a.state = 'open' ORDER BY a.opened_at, a.number LIMIT 1",
        )
        .await;
    let of_account = report(w, who, ReportKind::Energy, &[fields[0], fields[1], ("room", &number)]).await.unwrap();
    let sum: Vec<(Option<i64>,)> = rows(
        w,
        &format!(
            "SELECT CAST(SUM(e.wh) AS BIGINT) FROM energy_hourly e JOIN account_meters a ON a.meter_id = e.meter_id
             JOIN accounts k ON k.id = a.account_id WHERE k.number = '{number}' AND a.to_at IS NULL
             AND e.hour >= {} AND e.hour < {} AND e.hour >= a.from_at / 3600000",
            from.start().hour(),
            until.plus(1).start().hour()
        ),
    )
    .await;
    assert_eq!(Some(total(section(&of_account, Heading::ByTime), Heading::Energy)), sum[0].0);
    rates_are_those_of_days(w, &of_account, &number, (from, until)).await;
    // Whatever the rows are, rates are those of the days, and CO2 is counted for each row.
    let whole = total(section(&made, Heading::ByTime), Heading::Energy);
    assert_eq!(total(section(&made, Heading::ByRate), Heading::Energy), whole);
    let grams: i64 = expected.iter().map(|(_, wh)| (wh * 5_306 + 5_000) / 10_000).sum();
    assert_eq!(total(section(&made, Heading::ByTime), Heading::Co2), grams);
    assert!(made.notes.contains(&Note::Co2(Co2Factor::NATIONAL_2023)));
    let unknown = report(w, who, ReportKind::Energy, &[("room", "nowhere 999")]).await;
    assert_eq!(unknown, Err(RangeProblem::UnknownRoom));
}

/// An account that has its meter all the time has the rates of its days.
async fn rates_are_those_of_days(w: &World, made: &Report, number: &str, (from, until): (Date, Date)) {
    let raw: Vec<(i64, i64)> = rows(
        w,
        &format!(
            "SELECT CAST(SUM(d.flat_wh) AS BIGINT), CAST(SUM(d.wh) AS BIGINT)
             FROM energy_daily d JOIN account_meters a ON a.meter_id = d.meter_id AND a.to_at IS NULL
             JOIN accounts k ON k.id = a.account_id WHERE k.number = '{number}' AND d.day BETWEEN {} AND {}",
            from.0, until.0
        ),
    )
    .await;
    let rates = section(made, Heading::ByRate);
    assert!(raw[0].0 > 0);
    assert_eq!((column(rates, Heading::Energy)[2].1, total(rates, Heading::Energy)), raw[0]);
}

/// The roll-up as it is stored, row by row.
async fn stored(w: &World) -> Vec<(Uuid, i64, i64, i64, i64, i64, i64, i64, Option<i64>)> {
    let columns = "wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh, revised_at";
    rows(
        w,
        &format!(
            "SELECT place_id, day, {columns} FROM place_energy_daily
             UNION ALL SELECT place_id, 1000000 + month, {columns} FROM place_energy_monthly ORDER BY 1, 2"
        ),
    )
    .await
}

async fn add(w: &World, meter: MeterId, day: Date, wh: i64) {
    let mut batch = Batch::default();
    let parts = Parts { reverse: Energy(0), rates: [0, wh, 0, 0].map(Energy) };
    batch.days.push(Day { meter, day, energy: Energy(wh), parts });
    batch.hours.push(Hour { meter, hour: day.start().hour(), energy: Energy(wh) });
    readings::write(&w.db, &w.rng, w.clock.now(), &batch).await.unwrap();
}

async fn late_readings_change_a_past_day_visibly(w: &World) {
    let who = operator(w, "operator").await;
    let today = w.clock.now().date();
    let meter: Vec<(Uuid,)> =
        rows(w, "SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id WHERE r.name = '102' ORDER BY m.id LIMIT 1").await;
    let (meter, late) = (MeterId(meter[0].0), today.plus(-40));
    let energy_of = async |day: Date| {
        let text = day.to_string();
        let made = report(w, who, ReportKind::Energy, &[("from", &text), ("until", &text)]).await.unwrap();
        (total(section(&made, Heading::ByTime), Heading::Energy), made)
    };
    let (before, made) = energy_of(late).await;
    let month = made.query.from.ymd();
    add(w, meter, late, 5_000).await;
    add(w, meter, today, 300).await;
    assert_eq!(energy_of(late).await.0, before, "not rolled up yet");
    let open_before = energy_of(today).await.0;
    assert_eq!(place_energy::roll(&w.db, w.clock.now()).await.unwrap(), Rolled { days: 3, rebuilt: false });
    let (after, made) = energy_of(late).await;
    assert_eq!(after, before + 5_000);
    assert_eq!(energy_of(today).await.0, open_before + 300);
    let revised = Note::Revised { rows: 1, at: w.clock.now() };
    assert!(made.notes.contains(&revised), "{:?}", made.notes);
    assert_eq!(section(&made, Heading::ByTime).rows[0].last(), Some(&Cell::Time(w.clock.now())));
    assert_eq!(w.number("SELECT COUNT(*) FROM late_energy_days").await, 0);

    // Its month, which was over, follows; and all of it is what computing everything again gives.
    let first = Date::from_ymd(month.0, month.1, 1).unwrap();
    let whole = rows::<(i64,)>(
        w,
        &format!(
            "SELECT CAST(SUM(d.wh) AS BIGINT) FROM energy_daily d JOIN meters m ON m.id = d.meter_id AND m.wallet <> 'none'
             WHERE d.day >= {} AND d.day < {}",
            first.0,
            first.plus(31).0 - i64::from(first.plus(31).ymd().2) + 1
        ),
    )
    .await;
    let site =
        "SELECT e.wh FROM place_energy_monthly e JOIN places p ON p.id = e.place_id AND p.kind = 'site' ORDER BY month DESC";
    let months: Vec<(i64,)> = rows(w, site).await;
    assert!(months.contains(&whole[0]), "{months:?} {whole:?}");
    let kept = stored(w).await;
    assert!(!kept.is_empty());
    assert!(place_energy::rebuild(&w.db, w.clock.now()).await.unwrap().rebuilt);
    assert_eq!(stored(w).await, kept);
    assert_eq!(of_places(w).await, 0);
}

async fn a_room_that_moves_takes_its_energy_along(w: &World) {
    let who = operator(w, "operator").await;
    let of_building = async |name: &str| {
        let place = id(w, name, "building").await;
        let made = report(w, who, ReportKind::Energy, &[("place", &place)]).await.unwrap();
        total(section(&made, Heading::ByTime), Heading::Energy)
    };
    let (third, fourth) = (of_building("3号楼").await, of_building("4号楼").await);
    assert!(third > 0 && fourth > 0);
    w.by_hand(
        "UPDATE places SET parent_id = (SELECT id FROM places WHERE name = '4号楼'), name = 'moved'
         WHERE name = '1层' AND parent_id = (SELECT id FROM places WHERE name = '3号楼')",
    )
    .await
    .unwrap();
    assert!(place_energy::roll(&w.db, w.clock.now()).await.unwrap().rebuilt);
    let moved = of_building("3号楼").await;
    assert!(moved < third);
    assert_eq!(moved + of_building("4号楼").await, third + fourth);
    assert!(!place_energy::roll(&w.db, w.clock.now()).await.unwrap().rebuilt, "once");
}

async fn an_operator_of_a_building_sees_its_energy_alone(w: &World) {
    let chief = operator(w, "operator").await;
    let place = id(w, "4号楼", "building").await;
    let chosen = report(w, chief, ReportKind::Energy, &[("place", &place)]).await.unwrap();
    let who = limited(w, "4号楼").await;
    let own = report(w, who, ReportKind::Energy, &[]).await.unwrap();
    for title in [Heading::ByTime, Heading::ByPlace, Heading::HoursOfDays] {
        assert_eq!(section(&own, title), section(&chosen, title), "{title:?}");
    }
    for (field, value, problem) in [
        ("place", id(w, "3号楼", "building").await, RangeProblem::UnknownPlace),
        ("place", id(w, "示范园区", "site").await, RangeProblem::UnknownPlace),
        ("room", "3号楼 1层 102".to_owned(), RangeProblem::UnknownRoom),
    ] {
        assert_eq!(report(w, who, ReportKind::Energy, &[(field, &value)]).await, Err(problem), "{value}");
    }
}

/// What `verify` finds wrong with energy by place.
async fn of_places(w: &World) -> usize {
    let found = ::verify::verify(&w.db).await.unwrap().differences;
    let rules = [::verify::Rule::EnergyOfPlace, ::verify::Rule::EnergyOfMonth];
    found.iter().filter(|one| rules.contains(&one.rule)).count()
}

async fn an_edit_by_hand_is_noticed(w: &World) {
    assert_eq!(of_places(w).await, 0);
    w.by_hand("UPDATE place_energy_daily SET wh = wh + 1 WHERE wh > 0").await.unwrap();
    assert!(of_places(w).await > 100);
}
