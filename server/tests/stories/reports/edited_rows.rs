//! What reports of accounts say after rows were edited by hand.

use std::collections::BTreeMap;

use domain::clock::Clock;
use model::report::{Heading, Note, Report, ReportKind};
use model::time::HOUR;
use story_support::World;

use super::{column, day, operator, report, rows, section, total};

pub async fn a_meter_that_changes_keeps_its_past(w: &World) {
    let who = operator(w, "operator").await;
    let used = "SELECT a.number FROM meter_consumption u JOIN accounts a ON a.id = u.account_id ORDER BY a.number LIMIT 1";
    let used: Vec<(String,)> = rows(w, used).await;
    let number = used[0].0.as_str();
    let made = async || {
        let statement = report(w, who, ReportKind::Statement, &[("room", number)]).await.unwrap();
        let held = report(w, who, ReportKind::Liability, &[]).await.unwrap();
        (section(&statement, Heading::UseByPrice).clone(), section(&held, Heading::ByBuilding).clone())
    };
    let before = made().await;
    let change = |wallet: &str| {
        format!(
            "UPDATE meters SET wallet = '{wallet}' WHERE id IN (
                 SELECT u.meter_id FROM meter_consumption u JOIN accounts a ON a.id = u.account_id WHERE a.number = '{number}')"
        )
    };
    w.by_hand(&change("server")).await.unwrap();
    assert_eq!(made().await, before, "{number}");
    w.by_hand(&change("meter")).await.unwrap();
}

pub async fn a_day_of_a_meter_is_of_one_account(w: &World) {
    let who = operator(w, "operator").await;
    let made = async || report(w, who, ReportKind::BuildingStatement, &[]).await.unwrap();
    let before = made().await;
    let energy = |report: &Report| total(section(report, Heading::ByBuilding), Heading::Energy);
    // In the middle of the month the meter of one account comes to another one.
    let noon = before.query.from.plus(14).start().plus(12 * HOUR).0;
    let moved = format!(
        "UPDATE account_meters SET to_at = {noon} WHERE to_at IS NULL AND account_id =
             (SELECT id FROM accounts WHERE number = (SELECT MIN(number) FROM accounts WHERE state = 'open'))"
    );
    w.by_hand(&moved).await.unwrap();
    w.by_hand(&format!(
        "INSERT INTO account_meters (account_id, meter_id, epoch, count, cumulative_fen, from_at)
         SELECT (SELECT id FROM accounts WHERE number = (SELECT MAX(number) FROM accounts WHERE state = 'open')),
                meter_id, epoch, count, cumulative_fen, {noon} FROM account_meters WHERE to_at = {noon}"
    ))
    .await
    .unwrap();
    assert_eq!(energy(&made().await), energy(&before));
}

pub async fn an_amount_that_is_not_the_ledgers_is_said(w: &World) {
    let who = operator(w, "operator").await;
    let sold: Vec<(String, i64, i64)> = rows(
        w,
        "SELECT a.number, o.paid_at, o.credited_at FROM orders o JOIN accounts a ON a.id = o.account_id
         WHERE o.tender = 'cash' AND o.state = 'credited' ORDER BY o.number LIMIT 1",
    )
    .await;
    let (number, paid_at, credited_at) = sold[0].clone();
    w.by_hand(
        "UPDATE orders SET amount_fen = amount_fen + 7
         WHERE number = (SELECT MIN(number) FROM orders WHERE tender = 'cash' AND state = 'credited')",
    )
    .await
    .unwrap();
    let (from, until) = (day(paid_at).to_string(), w.clock.now().date().to_string());
    let range = [("from", from.as_str()), ("until", &until)];
    let differences = |made: &Report| -> BTreeMap<i64, usize> {
        let mut counts = BTreeMap::new();
        for (_, e4) in column(section(made, Heading::LedgerCheck), Heading::Difference) {
            *counts.entry(e4).or_default() += usize::from(e4 != 0);
        }
        counts.remove(&0);
        counts
    };
    let own = report(w, who, ReportKind::Statement, &[("room", &number), range[0], range[1]]).await.unwrap();
    assert!(own.notes.contains(&Note::LedgerDiffers(2)), "{:?}", own.notes);
    assert_eq!(differences(&own), BTreeMap::from([(700, 2)]), "the purchase and the closing amount");
    let building = report(w, who, ReportKind::BuildingStatement, &range).await.unwrap();
    assert_eq!(differences(&building), BTreeMap::from([(700, 2)]), "sales and the closing amount");
    let then = day(credited_at).to_string();
    let held = report(w, who, ReportKind::Liability, &[("until", &then)]).await.unwrap();
    assert_eq!(differences(&held), BTreeMap::from([(700, 1)]), "what is in meters");
    let before = day(paid_at).plus(-1).to_string();
    let earlier = report(w, who, ReportKind::Liability, &[("until", &before)]).await.unwrap();
    assert!(earlier.notes.contains(&Note::LedgerAgrees), "it is not of an earlier day");
}
