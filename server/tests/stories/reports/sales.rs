//! The sales report.

use std::collections::BTreeMap;

use model::money::Money;
use model::order::Tender;
use model::report::{Cell, Heading, Note, ReportKind};
use model::time::Timestamp;
use story_support::{World, both};
use uuid::Uuid;

use domain::clock::Clock;

use super::{column, day, limited, operator, past, report, rows, section, total};

/// What moved, from the raw rows: when, heading, tender, 0.0001 yuan, account, and who.
type Moved = (i64, Heading, Tender, i64, Option<Uuid>, Option<Uuid>);

const PAID: [Tender; 6] = [Tender::Cash, Tender::Card, Tender::Transfer, Tender::Alipay, Tender::WechatPay, Tender::UnionPay];

async fn moved(w: &World) -> Vec<Moved> {
    let mut all = Vec::new();
    let orders: Vec<(Uuid, Option<i64>, Tender, i64, Uuid, Uuid)> =
        rows(w, "SELECT id, paid_at, tender, amount_fen, account_id, created_by FROM orders").await;
    let returns: Vec<(Uuid, Option<i64>, String, String, Tender, i64, Uuid, Option<Uuid>, Option<Uuid>)> =
        rows(w, "SELECT id, settled_at, state, kind, tender, amount_fen, account_id, settled_by, sale_id FROM returns").await;
    for (id, paid_at, tender, fen, account, by) in orders.iter().copied() {
        let Some(at) = paid_at.filter(|_| PAID.contains(&tender)) else { continue };
        let undone = returns.iter().any(|one| one.8 == Some(id));
        let heading = if undone { Heading::Corrections } else { Heading::Sales };
        all.push((at, heading, tender, fen * 100, Some(account), Some(by)));
    }
    for (_, settled_at, state, kind, tender, fen, account, by, _) in &returns {
        if state != "done" || kind == "undo_return" || tender.is_channel() {
            continue;
        }
        let heading = if kind == "return" { Heading::Returns } else { Heading::Corrections };
        all.push((settled_at.unwrap(), heading, *tender, fen * -100, Some(*account), *by));
    }
    let refunds: Vec<(Option<i64>, String, Option<Uuid>, Tender, i64, Uuid, Option<Uuid>)> =
        rows(w, "SELECT settled_at, state, return_id, tender, amount_fen, order_id, asked_by FROM refunds").await;
    for (settled_at, state, of_return, tender, fen, order, by) in refunds {
        if state != "done" {
            continue;
        }
        let kind = of_return.and_then(|id| returns.iter().find(|one| one.0 == id)).map(|one| one.3.as_str());
        let heading = match kind {
            None => Heading::Refunds,
            Some("return") => Heading::Returns,
            Some(_) => Heading::Corrections,
        };
        let account = orders.iter().find(|one| one.0 == order).unwrap().4;
        all.push((settled_at.unwrap(), heading, tender, fen * -100, Some(account), by));
    }
    // No statement was replaced in the demo, so each valid one counts once.
    let fees: Vec<(i64, Tender, i64, String)> = rows(
        w,
        "SELECT s.at, s.channel, l.fee_e4, l.out_trade_no FROM settlement_statements s
         JOIN statement_lines l ON l.statement_id = s.statement_id",
    )
    .await;
    let attempts: Vec<(String, Uuid)> = rows(w, "SELECT out_trade_no, order_id FROM payment_attempts").await;
    for (at, channel, e4, number) in fees {
        let order = attempts.iter().find(|(known, _)| *known == number).unwrap().1;
        let account = orders.iter().find(|one| one.0 == order).unwrap().4;
        all.push((at, Heading::Fees, channel, -e4, Some(account), None));
    }
    all
}

const SUMS: [Heading; 4] = [Heading::Sales, Heading::Returns, Heading::Corrections, Heading::Fees];

both!(three_months_of_sales_are_reported, past, |w: World| async move {
    sales_equal_raw_rows_and_ledger(&w).await;
    balances_equal_the_ledger(&w).await;
    an_operator_of_a_building_reports_on_it_alone(&w).await;
    a_sum_that_is_not_the_ledgers_is_said(&w).await;
});

async fn sales_equal_raw_rows_and_ledger(w: &World) {
    let who = operator(w, "operator").await;
    let today = w.clock.now().date();
    let from = today.plus(-95).to_string();
    let all = moved(w).await;
    let sum = |counted: &dyn Fn(&Moved) -> bool| all.iter().filter(|one| counted(one)).map(|one| one.3).sum::<i64>();

    let days = report(w, who, ReportKind::Sales, &[("from", &from)]).await.unwrap();
    assert!(days.notes.contains(&Note::LedgerAgrees), "{:?}", section(&days, Heading::LedgerCheck).rows);
    for heading in SUMS {
        let expected = sum(&|one| one.1 == heading);
        assert_ne!((heading, expected), (Heading::Sales, 0));
        for title in [Heading::ByTime, Heading::ByOperator, Heading::ByTender, Heading::ByBuilding] {
            assert_eq!(total(section(&days, title), heading), expected, "{title:?} {heading:?}");
        }
    }
    assert_eq!(total(section(&days, Heading::ByTime), Heading::Net), all.iter().map(|one| one.3).sum::<i64>());

    // Every day, tender and operator by itself.
    let mut by_day: BTreeMap<i64, i64> = BTreeMap::new();
    let mut by_tender: BTreeMap<&str, i64> = BTreeMap::new();
    for (at, _, tender, e4, ..) in &all {
        *by_day.entry(day(*at).0).or_default() += e4;
        *by_tender.entry(tender.as_str()).or_default() += e4;
    }
    let shown = column(section(&days, Heading::ByTime), Heading::Net);
    let expected: Vec<_> = by_day.iter().map(|(day, e4)| (Cell::Day(model::time::Date(*day)), *e4)).collect();
    assert_eq!(shown, expected);
    for (tender, e4) in by_tender {
        let cell = Cell::Tender(Tender::parse(tender).unwrap());
        assert!(column(section(&days, Heading::ByTender), Heading::Net).contains(&(cell, e4)), "{tender}");
    }
    let residents: Vec<(Uuid,)> = rows(w, "SELECT id FROM users WHERE role = 'resident'").await;
    let online = sum(&|one| one.1 == Heading::Sales && one.5.is_some_and(|by| residents.contains(&(by,))));
    let by_operator = column(section(&days, Heading::ByOperator), Heading::Sales);
    assert!(by_operator.contains(&(Cell::Word(Heading::Residents), online)), "{by_operator:?}");

    // Months and years are sums of their days.
    for by in ["month", "year"] {
        let longer = report(w, who, ReportKind::Sales, &[("from", &from), ("by", by)]).await.unwrap();
        let mut folded: BTreeMap<String, i64> = BTreeMap::new();
        for (day, e4) in &by_day {
            let (year, month, _) = model::time::Date(*day).ymd();
            *folded.entry(if by == "month" { format!("{year}-{month:02}") } else { year.to_string() }).or_default() += e4;
        }
        let shown = column(section(&longer, Heading::ByTime), Heading::Net);
        assert_eq!(shown.iter().map(|(_, e4)| *e4).collect::<Vec<_>>(), folded.into_values().collect::<Vec<_>>(), "{by}");
    }
}

async fn balances_equal_the_ledger(w: &World) {
    let who = operator(w, "operator").await;
    let today = w.clock.now().date();
    let from = today.plus(-40);
    let made = report(w, who, ReportKind::Sales, &[("from", &from.to_string())]).await.unwrap();
    let balances = section(&made, Heading::Balances);
    let transfers: Vec<(String, String, i64, i64)> = rows(w, "SELECT debit, credit, amount_e4, at FROM ledger_transfers").await;
    let is_residents = |code: &str| ["paid:", "meter:", "wallet:"].iter().any(|kind| code.starts_with(kind));
    let held = |before: Timestamp| {
        let past = transfers.iter().filter(|(.., at)| Timestamp(*at) < before);
        past.map(|(debit, credit, e4, _)| (i64::from(is_residents(credit)) - i64::from(is_residents(debit))) * e4).sum::<i64>()
    };
    assert_eq!(total(balances, Heading::Opening), held(from.start()));
    assert_eq!(total(balances, Heading::Closing), held(today.plus(1).start()));
    assert_ne!(total(balances, Heading::Opening), total(balances, Heading::Closing));
    let sold = total(section(&made, Heading::ByTime), Heading::Sales);
    assert_eq!(total(balances, Heading::Sales), sold, "a corrected return is a correction in both");
    let changes = [Heading::Sales, Heading::Corrections, Heading::Subsidies, Heading::GivenBack];
    let changes = changes.into_iter().chain([Heading::Consumption, Heading::OtherChanges]);
    let changed: i64 = changes.map(|heading| total(balances, heading)).sum();
    assert_eq!(total(balances, Heading::Opening) + changed, total(balances, Heading::Closing));
    assert!(total(balances, Heading::Consumption) < 0 && total(balances, Heading::Subsidies) > 0);
}

async fn an_operator_of_a_building_reports_on_it_alone(w: &World) {
    let from = w.clock.now().date().plus(-95).to_string();
    let chief = operator(w, "operator").await;
    let places: Vec<(Uuid, String)> = rows(w, "SELECT id, name FROM places WHERE kind = 'building' ORDER BY sort").await;
    let (building, name) = places[0].clone();
    let whole = report(w, chief, ReportKind::Sales, &[("from", &from)]).await.unwrap();
    let place = building.as_simple().to_string();
    let chosen = report(w, chief, ReportKind::Sales, &[("from", &from), ("place", &place)]).await.unwrap();
    let own = report(w, limited(w, &name).await, ReportKind::Sales, &[("from", &from)]).await.unwrap();
    assert_eq!(chosen.about.split(' ').next_back(), Some(&*name));
    for title in [Heading::ByTime, Heading::ByTender, Heading::ByBuilding, Heading::Balances] {
        assert_eq!(section(&own, title), section(&chosen, title), "{title:?}");
    }
    let of_building = column(section(&whole, Heading::ByBuilding), Heading::Net);
    let expected: Vec<_> = of_building.into_iter().filter(|(cell, _)| *cell == Cell::Text(name.clone())).collect();
    assert_eq!(column(section(&own, Heading::ByBuilding), Heading::Net), expected);
    assert!(own.notes.contains(&Note::LedgerAgrees) && own.notes.contains(&Note::FeesNotCompared));
    // A building of others is not there.
    let other = places[1].0.as_simple().to_string();
    let who = operator(w, "supervisor").await;
    let refused = report(w, who, ReportKind::Sales, &[("from", &from), ("place", &other)]).await;
    assert_eq!(refused, Err(model::report::RangeProblem::UnknownPlace));
}

async fn a_sum_that_is_not_the_ledgers_is_said(w: &World) {
    let who = operator(w, "operator").await;
    let from = w.clock.now().date().plus(-95).to_string();
    w.by_hand(
        "UPDATE orders SET amount_fen = amount_fen + 7 WHERE number = (SELECT MIN(number) FROM orders WHERE tender = 'cash')",
    )
    .await
    .unwrap();
    let made = report(w, who, ReportKind::Sales, &[("from", &from)]).await.unwrap();
    assert!(made.notes.contains(&Note::LedgerDiffers(2)), "sales and net: {:?}", made.notes);
    let differences = column(section(&made, Heading::LedgerCheck), Heading::Difference);
    assert!(differences.contains(&(Cell::Word(Heading::Sales), Money(700).0)), "{differences:?}");
}
