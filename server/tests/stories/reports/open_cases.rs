//! Open cases and prices in force, against rows that are stored here one by one.

use domain::clock::Clock;
use model::case::{CaseDetail, CaseKind, RelayCase};
use model::console::{PriceGap, SeenCase};
use model::ids::{CaseId, MeterId};
use model::parameters::Parameters;
use model::person::Who;
use model::report::{Cell, Heading, Note, ReportKind};
use model::time::{DAY, Timestamp};
use store::console::case_work;
use store::{cases, parameters};
use story_support::{World, both};
use uuid::Uuid;

use super::{column, limited, operator, past, report, rows, section, total};

both!(cases_and_prices_are_listed_as_they_were, past, |w: World| async move {
    prices_are_those_of_the_instant(&w).await;
    cases_are_those_of_the_instant(&w).await;
});

async fn prices_are_those_of_the_instant(w: &World) {
    let (who, now) = (operator(w, "operator").await, w.clock.now());
    let charged = "SELECT id, serial FROM meters WHERE wallet <> 'none' AND retired_at IS NULL";
    let meters: Vec<(Uuid, String)> = rows(w, charged).await;
    let versions: Vec<(String, i64, i64)> =
        rows(w, "SELECT p.name, v.number, v.effective_at FROM price_versions v JOIN price_plans p ON p.id = v.plan_id").await;
    for days in [80, 20, 0] {
        let date = now.date().plus(-days);
        let at = date.plus(1).start().min(now.plus(1));
        let made = report(w, who, ReportKind::Prices, &[("until", &date.to_string())]).await.unwrap();
        let listed = section(&made, Heading::PricesInForce);
        assert_eq!(total(listed, Heading::Meters), i64::try_from(meters.len()).unwrap(), "{date}");
        let mut plans: Vec<&str> = versions.iter().map(|(plan, ..)| plan.as_str()).collect();
        plans.sort_unstable();
        plans.dedup();
        for plan in plans {
            let begun = versions.iter().filter(|(of, _, from)| of == plan && Timestamp(*from) <= at);
            let Some((_, number, from)) = begun.max_by_key(|(.., from)| *from) else { continue };
            let row = listed.rows.iter().find(|row| row[1] == Cell::Text(format!("{plan} {number}")));
            let row = row.unwrap_or_else(|| panic!("{date}: {plan} {number} in {:?}", listed.rows));
            assert_eq!(row[2], Cell::Time(Timestamp(*from)), "{date}: {plan}");
        }
        assert_eq!(made.notes.contains(&Note::MetersOnlyNow), days > 0);
    }
    // Nothing was read from the meters yet; then one keeps nothing of its plan.
    let unread = |made: &model::report::Report| total(section(made, Heading::PricesInForce), Heading::NotRead);
    let made = report(w, who, ReportKind::Prices, &[]).await.unwrap();
    let before = unread(&made);
    let differing = section(&made, Heading::DifferingMeters);
    let meter = differing.rows.iter().find(|row| row[3] == Cell::Word(Heading::NotRead)).map(|row| row[1].clone()).unwrap();
    let (id, _) = meters.iter().find(|(_, serial)| Cell::Text(serial.clone()) == meter).unwrap();
    parameters::store(&w.db, &w.rng, now, MeterId(*id), 1, &Parameters::default()).await.unwrap();
    let made = report(w, who, ReportKind::Prices, &[]).await.unwrap();
    let listed = section(&made, Heading::PricesInForce);
    assert_eq!((unread(&made), total(listed, Heading::Differing)), (before - 1, 1));
    let row = section(&made, Heading::DifferingMeters).rows.iter().find(|row| row[1] == meter).unwrap();
    assert!(matches!(&row[3], Cell::Gaps(gaps) if gaps.contains(&PriceGap::Prices)), "{row:?}");
    assert_eq!(row[4], Cell::Time(now));
}

async fn cases_are_those_of_the_instant(w: &World) {
    let (who, now) = (operator(w, "operator").await, w.clock.now());
    w.execute("UPDATE cases SET closed_at = opened_at, resolution = 'x' WHERE closed_at IS NULL").await;
    let meters: Vec<(Uuid, String)> = rows(
        w,
        "SELECT m.id, h.name FROM meters m JOIN places r ON r.id = m.place_id JOIN places f ON f.id = r.parent_id
         JOIN places h ON h.id = f.parent_id WHERE m.retired_at IS NULL ORDER BY h.sort, f.sort, r.sort",
    )
    .await;
    let (first, last) = (meters.first().unwrap().clone(), meters.last().unwrap().clone());
    let relay = CaseDetail::Relay(RelayCase::default());
    for (meter, days) in [(first.0, 9), (last.0, 2)] {
        let mut tx = w.db.begin().await.unwrap();
        cases::open(&mut tx, &w.rng, now.plus(-days * DAY), Some(MeterId(meter)), None, &relay).await.unwrap();
        tx.commit().await.unwrap();
    }
    let opened: Vec<(Uuid, i64)> = rows(w, "SELECT id, opened_at FROM cases WHERE closed_at IS NULL ORDER BY opened_at").await;
    // Since yesterday the operator works on the older one, and it is due in a week.
    let by = Who { user: who, ..w.admin("boss").await };
    let case = SeenCase { case: CaseId(opened[0].0), steps: None };
    case_work::assign(&w.db, &w.rng, now.plus(-DAY), &by, &[case], Some(who)).await.unwrap();
    case_work::set_due(&w.db, &w.rng, now.plus(-DAY), &by, case, now.plus(7 * DAY)).await.unwrap();
    let made = async |fields: &[(&str, &str)]| report(w, who, ReportKind::OpenCases, fields).await.unwrap();
    let all = made(&[]).await;
    let listed = section(&all, Heading::OpenCases);
    let cells = |column: usize| listed.rows.iter().map(|row| row[column].clone()).collect::<Vec<_>>();
    assert_eq!(cells(0), [Cell::Case(CaseKind::Relay), Cell::Case(CaseKind::Relay)]);
    assert_eq!(cells(3), [Cell::Count(9), Cell::Count(2)]);
    assert_eq!(cells(4)[0], Cell::Time(now.plus(7 * DAY)));
    assert_eq!(cells(5), [Cell::Empty, Cell::Count(1)]);
    let name: Vec<(String,)> = rows(w, "SELECT name FROM users WHERE login = 'operator'").await;
    assert_eq!(cells(6), [Cell::Text(name[0].0.clone()), Cell::Word(Heading::None)]);
    // Three days ago nobody worked on it, and it was overdue; the other one was not there.
    let day = now.date().plus(-3);
    let then = made(&[("until", &day.to_string())]).await;
    let earlier = section(&then, Heading::OpenCases);
    let overdue = day.plus(1).start().since(Timestamp(opened[0].1).plus(CaseKind::Relay.due_within())) / DAY;
    assert_eq!(earlier.rows.len(), 1);
    assert_eq!((&earlier.rows[0][5], &earlier.rows[0][6]), (&Cell::Count(overdue), &Cell::Word(Heading::None)));
    let old = made(&[("age", "5")]).await;
    assert!(old.notes.contains(&Note::AtLeastOld(5)));
    assert_eq!(column(section(&old, Heading::ByKind), Heading::Cases), [(Cell::Case(CaseKind::Relay), 1)]);
    // An operator of one building sees its own.
    let own = report(w, limited(w, &first.1).await, ReportKind::OpenCases, &[]).await.unwrap();
    assert_eq!(section(&own, Heading::OpenCases).rows.len(), 1);
}
