//! The trial of returns, closures, moves and a replacement.

use super::{Report, Stage, account_changes};
use crate::World;

pub async fn run(w: &World, program: &'static str) -> Report {
    let Stage { site, server, killer, .. } = Stage::set(w, program, 1).await;
    let sold = account_changes::run(&site, &server, &w.rng, w).await;
    killer.end().await;
    let deaths = server.deaths();
    server.end().await;

    // Whatever was not paid out is in the meters, or was consumed.
    let paid = w.number("SELECT CAST(SUM(amount_fen) AS BIGINT) FROM returns WHERE state = 'done'").await;
    let cash = w.number("SELECT debits_e4 - credits_e4 FROM ledger_balances WHERE account = 'cash'").await;
    assert_eq!(cash, (sold.0 - paid) * 100);
    let held = "SELECT CAST(SUM(m.cumulative_fen) AS BIGINT) FROM account_meters m JOIN meters x ON x.id = m.meter_id
                WHERE m.to_at IS NULL AND x.wallet = 'meter'";
    let in_meters: i64 = site
        .simulator
        .meters()
        .iter()
        .map(|meter| meter.view().unwrap())
        .filter(|meter| meter.account.is_some())
        .map(|meter| i64::from(meter.cumulative))
        .sum();
    assert_eq!(w.number(held).await, in_meters, "the books and the meters");
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE tender = 'carried' AND state = 'credited'").await, 3);
    assert_eq!(w.number("SELECT COUNT(*) FROM account_closures WHERE ended_at IS NULL").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM accounts WHERE state = 'closed'").await, 6);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
    let summary = format!("kill test: 4 returns, 4 closings, 2 moves, 1 replacement, {deaths} kills: 0 lost, 0 doubled");
    Report { summary, kills: deaths }
}
