//! The report of instruments and line losses, against sums of the raw rows that are made here.

use domain::clock::Clock;
use model::ids::UserId;
use model::report::{Cell, Heading, Report, ReportKind, Section};
use model::time::{DAY, Timestamp};
use story_support::{World, both};
use uuid::Uuid;

use super::{limited, operator, past, report, rows, section};

/// The instrument, the circuit, and of each reading: when, quality, counter, energy.
type RawReading = (String, String, i64, i64, i64, i64);

async fn raw(w: &World) -> Vec<RawReading> {
    rows(
        w,
        "SELECT i.name, c.name, r.at, r.quality, r.counter_wh, r.energy_wh FROM circuit_readings r
         JOIN circuits c ON c.id = r.circuit_id JOIN instruments i ON i.id = c.instrument_id ORDER BY r.at",
    )
    .await
}

fn cells<const N: usize>(section: &Section, headings: [Heading; N]) -> Vec<[Cell; N]> {
    let index = |heading| section.columns.iter().position(|column| column.heading == heading).unwrap();
    let indices = headings.map(index);
    section.rows.iter().map(|row| indices.map(|index| row[index].clone())).collect()
}

fn named(row: &RawReading) -> String {
    if row.0 == row.1 { row.0.clone() } else { format!("{} · {}", row.0, row.1) }
}

fn wh(cell: &Cell) -> Option<i64> {
    cell.amount()
}

both!(circuits_and_line_losses_are_reported, past, |w: World| async move {
    let who = operator(&w, "operator").await;
    let today = w.clock.now().date();
    let (from, until) = (today.plus(-60), today.plus(-3));
    let (from_text, until_text) = (from.to_string(), until.to_string());
    let range = [("from", &*from_text), ("until", &*until_text)];
    let made = report(&w, who, ReportKind::Instruments, &range).await.unwrap();
    let raw = raw(&w).await;

    // Each circuit from its readings: those at the two midnights.
    let (start, end) = (from.start(), until.plus(1).start());
    let columns =
        [Heading::Circuit, Heading::StartAt, Heading::StartReading, Heading::EndAt, Heading::EndReading, Heading::Ratio];
    let circuits = cells(section(&made, Heading::Circuits), columns);
    let energies = cells(section(&made, Heading::Circuits), [Heading::Energy, Heading::Completeness]);
    assert_eq!(circuits.len(), 6, "four mains, and two floors");
    for (shown, [energy, word]) in circuits.iter().zip(&energies) {
        let Cell::Text(name) = &shown[0] else { panic!("{shown:?}") };
        let own: Vec<&RawReading> = raw.iter().filter(|row| &named(row) == name).collect();
        let at = |instant: Timestamp| own.iter().find(|row| row.2 == instant.0).unwrap();
        let ratio = shown[5].amount().unwrap();
        assert_eq!((&shown[1], &shown[3]), (&Cell::Time(start), &Cell::Time(end)), "{name}");
        assert_eq!((wh(&shown[2]), wh(&shown[4])), (Some(at(start).4), Some(at(end).4)), "{name}");
        assert_eq!(wh(energy), Some((at(end).4 - at(start).4) * ratio), "{name}");
        assert_eq!(word, &Cell::Word(Heading::Complete));
    }
    line_losses_equal_raw_sums(&w, &made, (from.0, until.0)).await;
    an_operator_of_a_building_sees_its_instruments(&w, &range).await;
    a_meter_counts_once(&w, who, &range, &made).await;
    a_place_shows_all_below_its_circuits(&w, who, &range).await;
    days_to_come_are_not_read(&w, who).await;
    what_is_not_known_is_said(&w, who, &range, end).await;
});

async fn days_to_come_are_not_read(w: &World, who: UserId) {
    let tomorrow = w.clock.now().date().plus(1).to_string();
    let made = report(w, who, ReportKind::Instruments, &[("from", &tomorrow), ("until", &tomorrow)]).await.unwrap();
    for title in [Heading::Circuits, Heading::LineLoss] {
        let shown = cells(section(&made, title), [Heading::Energy, Heading::Completeness]);
        assert!(!shown.is_empty());
        assert!(shown.iter().all(|row| *row == [Cell::Empty, Cell::Word(Heading::NoReading)]), "{title:?}: {shown:?}");
    }
}

async fn line_losses_equal_raw_sums(w: &World, made: &Report, (from, until): (i64, i64)) {
    let columns = [Heading::Circuit, Heading::Energy, Heading::EnergyBelow, Heading::Difference, Heading::LossShare];
    let tree = cells(section(made, Heading::LineLoss), columns);
    let energies = cells(section(made, Heading::Circuits), [Heading::Circuit, Heading::Energy]);
    let of_circuit = |name: &str| {
        let found = energies.iter().find(|[circuit, _]| matches!(circuit, Cell::Text(text) if text == name));
        wh(&found.unwrap_or_else(|| panic!("{name}"))[1]).unwrap()
    };
    let below = async |building: &str, floor: Option<&str>| -> i64 {
        let of_floor = floor.map(|floor| format!("AND f.name = '{floor}'")).unwrap_or_default();
        let sql = format!(
            "SELECT CAST(SUM(d.wh) AS BIGINT) FROM energy_daily d JOIN meters m ON m.id = d.meter_id
             JOIN places r ON r.id = m.place_id JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id
             WHERE m.wallet <> 'none' AND b.name = '{building}' {of_floor} AND d.day BETWEEN {from} AND {until}"
        );
        rows::<(i64,)>(w, &sql).await[0].0
    };
    let floors = ["1层", "2层"];
    let mut expected: Vec<(String, i64, Option<i64>)> = Vec::new();
    let circuit = |floor: &str| format!("3号楼楼层表 · {floor}");
    let first: i64 = floors.iter().map(|floor| of_circuit(&circuit(floor))).sum();
    expected.push(("3号楼总表".into(), of_circuit("3号楼总表"), Some(first)));
    for floor in floors {
        let meters = below("3号楼", Some(floor)).await;
        expected.push((format!("└ {}", circuit(floor)), of_circuit(&circuit(floor)), Some(meters)));
        expected.push((format!("\u{2003}└ {floor}"), meters, None));
    }
    for building in ["4号楼", "5号楼", "6号楼"] {
        let (main, meters) = (format!("{building}总表"), below(building, None).await);
        expected.push((main.clone(), of_circuit(&main), Some(meters)));
        expected.push((format!("└ {building}"), meters, None));
    }
    assert_eq!(tree.len(), expected.len());
    for (shown, (name, energy, below)) in tree.iter().zip(&expected) {
        assert_eq!(shown[0], Cell::Text(name.clone()));
        assert_eq!((wh(&shown[1]), wh(&shown[2])), (Some(*energy), *below), "{name}");
        let lost = below.map(|below| energy - below);
        assert_eq!(wh(&shown[3]), lost, "{name}");
        assert_eq!(shown[4], lost.map_or(Cell::Empty, |lost| Cell::share(lost, *energy)), "{name}");
        // What the demo's wires lose.
        assert!(lost.is_none_or(|lost| (5..=50).contains(&(lost * 1_000 / energy))), "{name}: {lost:?} of {energy}");
    }
}

async fn an_operator_of_a_building_sees_its_instruments(w: &World, range: &[(&str, &str)]) {
    let who = limited(w, "4号楼").await;
    let made = report(w, who, ReportKind::Instruments, range).await.unwrap();
    let names = cells(section(&made, Heading::Circuits), [Heading::Circuit]);
    assert_eq!(names, [[Cell::Text("4号楼总表".into())]]);
    assert_eq!(section(&made, Heading::LineLoss).rows.len(), 2);
    let other: Vec<(Uuid,)> = rows(w, "SELECT id FROM places WHERE name = '5号楼'").await;
    let place = other[0].0.as_simple().to_string();
    let asked = [range, &[("place", &*place)]].concat();
    let refused = report(w, who, ReportKind::Instruments, &asked).await.unwrap_err();
    assert_eq!(refused, model::report::RangeProblem::UnknownPlace);
}

// The main's meters were counted beside those of its floors' circuits.
async fn a_meter_counts_once(w: &World, who: UserId, range: &[(&str, &str)], made: &Report) {
    let building = "(SELECT id FROM places WHERE name = '3号楼')";
    let main = "UPDATE circuits SET feeds_place_id =";
    w.by_hand(&format!("{main} {building} WHERE name = '3号楼总表'")).await.unwrap();
    let again = report(w, who, ReportKind::Instruments, range).await.unwrap();
    assert_eq!(section(&again, Heading::LineLoss).rows, section(made, Heading::LineLoss).rows);
    w.by_hand(&format!("{main} NULL WHERE name = '3号楼总表'")).await.unwrap();
}

// What is below a circuit may stand in another place than the one that the report is about.
async fn a_place_shows_all_below_its_circuits(w: &World, who: UserId, range: &[(&str, &str)]) {
    let floor = |name: &str| {
        format!("(SELECT f.id FROM places f JOIN places b ON b.id = f.parent_id WHERE b.name = '3号楼' AND f.name = '{name}')")
    };
    let of_floor = floor("1层");
    w.by_hand(&format!("UPDATE instruments SET place_id = {of_floor} WHERE name = '3号楼总表'")).await.unwrap();
    let place: Vec<(Uuid,)> = rows(w, &format!("SELECT id FROM places WHERE id = {of_floor}")).await;
    let place = place[0].0.as_simple().to_string();
    let query = [range, &[("place", &*place)]].concat();
    let made = report(w, who, ReportKind::Instruments, &query).await.unwrap();
    assert_eq!(cells(section(&made, Heading::Circuits), [Heading::Circuit]), [[Cell::Text("3号楼总表".into())]]);
    let tree = cells(section(&made, Heading::LineLoss), [Heading::Circuit, Heading::Completeness]);
    assert_eq!(tree.len(), 5, "with both floors and their meters");
    assert!(tree.iter().all(|[_, word]| *word == Cell::Word(Heading::Complete)), "{tree:?}");
    let back = "UPDATE instruments SET place_id = (SELECT id FROM places WHERE name = '3号楼') WHERE name = '3号楼总表'";
    w.by_hand(back).await.unwrap();
}

async fn what_is_not_known_is_said(w: &World, who: UserId, range: &[(&str, &str)], end: Timestamp) {
    let circuit = "(SELECT id FROM circuits WHERE name = '4号楼总表')";
    let late = end.plus(-3 * DAY).0;
    w.by_hand(&format!("DELETE FROM circuit_readings WHERE circuit_id = {circuit} AND at > {late}")).await.unwrap();
    // One counter fell at the end, one floor was never read; of two other buildings a meter is lost since then, and one was
    // never read.
    let circuit = "(SELECT id FROM circuits WHERE name = '5号楼总表')";
    let held = format!("UPDATE circuit_readings SET quality = 2, energy_wh = 0 WHERE circuit_id = {circuit} AND at = {}", end.0);
    w.by_hand(&held).await.unwrap();
    w.by_hand("DELETE FROM circuit_readings WHERE circuit_id = (SELECT id FROM circuits WHERE name = '2层')").await.unwrap();
    let meter = |building: &str| {
        format!(
            "(SELECT id FROM meters WHERE serial = (SELECT MIN(m.serial) FROM meters m JOIN places r ON r.id = m.place_id
              JOIN places f ON f.id = r.parent_id JOIN places b ON b.id = f.parent_id WHERE b.name = '{building}'))"
        )
    };
    w.by_hand(&format!("DELETE FROM readings WHERE meter_id = {} AND at > {late}", meter("6号楼"))).await.unwrap();
    for table in ["readings", "energy_hourly", "energy_daily"] {
        w.by_hand(&format!("DELETE FROM {table} WHERE meter_id = {}", meter("4号楼"))).await.unwrap();
    }
    let made = report(w, who, ReportKind::Instruments, range).await.unwrap();
    let tree =
        cells(section(&made, Heading::LineLoss), [Heading::Circuit, Heading::Energy, Heading::Difference, Heading::Completeness]);
    let of = |name: &str| {
        let row = tree.iter().find(|row| matches!(&row[0], Cell::Text(text) if text == name)).unwrap_or_else(|| panic!("{name}"));
        (wh(&row[1]).is_some(), wh(&row[2]).is_some(), row[3].clone())
    };
    let unknown = |is_known, word| (is_known, false, Cell::Word(word));
    assert_eq!(of("4号楼总表"), unknown(false, Heading::PartOfRange));
    assert_eq!(of("5号楼总表"), unknown(false, Heading::NotCounted));
    assert_eq!(of("3号楼总表"), unknown(true, Heading::BelowUnknown));
    assert_eq!(of("└ 3号楼楼层表 · 2层"), unknown(false, Heading::NoReading));
    assert_eq!(of("6号楼总表"), unknown(true, Heading::BelowUnknown));
    assert_eq!(of("└ 6号楼"), unknown(false, Heading::MetersMissing));
    assert_eq!(of("└ 4号楼"), unknown(false, Heading::MetersMissing), "what was never read is not zero");
    assert!(of("└ 3号楼楼层表 · 1层").1, "what is known stays");
}
