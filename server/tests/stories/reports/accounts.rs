//! The statement of an account, of a building, what is held at an instant, and subsidies: against sums of raw rows.

use std::collections::HashMap;

use domain::clock::Clock;
use domain::ledger::reroute;
use domain::order::Limits;
use model::ids::{AccountId, MeterId, UserId};
use model::money::{Fen, Money};
use model::order::Tender;
use model::report::{Cell, Heading, Note, RangeProblem, Report, ReportKind};
use model::subsidy::Month;
use model::time::{HOUR, Timestamp};
use store::ledger;
use store::orders::{self, NewOrder};
use story_support::{World, both};
use uuid::Uuid;

use super::edited_rows::{
    a_day_of_a_meter_is_of_one_account, a_meter_that_changes_keeps_its_past, an_amount_that_is_not_the_ledgers_is_said,
};
use super::{column, day, limited, operator, past, report, rows, section, total};

/// A transfer: operation, debit, credit, 0.0001 yuan, when.
type Transfer = (String, String, String, i64, i64);

/// What the stories add up from.
struct Raw {
    /// Id, number, room's id, and the key in the ledger's codes.
    accounts: Vec<(Uuid, String, Uuid, String)>,
    transfers: Vec<Transfer>,
}

impl Raw {
    async fn read(w: &World) -> Self {
        let accounts: Vec<(Uuid, String, Uuid)> = rows(w, "SELECT id, number, place_id FROM accounts").await;
        let key = |(id, number, place): (Uuid, String, Uuid)| (id, number, place, id.as_simple().to_string());
        let transfers = rows(w, "SELECT operation, debit, credit, amount_e4, at FROM ledger_transfers").await;
        Self { accounts: accounts.into_iter().map(key).collect(), transfers }
    }

    /// What the ledger accounts of residents that a condition selects held before an instant.
    fn held(&self, before: Timestamp, is_counted: &dyn Fn(&str) -> bool) -> i64 {
        let past = self.transfers.iter().filter(|(.., at)| Timestamp(*at) < before);
        past.map(|(_, debit, credit, e4, _)| (i64::from(is_counted(credit)) - i64::from(is_counted(debit))) * e4).sum()
    }

    /// The transfers of `[from, to)` alone.
    fn between(&self, from: Timestamp, to: Timestamp) -> Self {
        let transfers = self.transfers.iter().filter(|(.., at)| (from..to).contains(&Timestamp(*at)));
        Self { accounts: Vec::new(), transfers: transfers.cloned().collect() }
    }

    /// What an account got from another account of the ledger, less what it gave to it.
    fn against(&self, other: &str, key: &str) -> i64 {
        let is_own = |code: &str| code.split_once(':').is_some_and(|(kind, of)| of == key && is_residents(kind));
        let got = |(_, debit, credit, e4, _): &Transfer| match (is_own(debit), is_own(credit)) {
            (false, true) if debit == other => *e4,
            (true, false) if credit == other => -e4,
            _ => 0,
        };
        self.transfers.iter().map(got).sum()
    }

    fn of_account(&self, key: &str, before: Timestamp) -> i64 {
        self.held(before, &|code| code.split_once(':').is_some_and(|(kind, of)| of == key && is_residents(kind)))
    }
}

fn is_residents(kind: &str) -> bool {
    ["paid", "meter", "wallet"].contains(&kind)
}

/// The amount beside a word in a section of words and amounts.
fn item(made: &Report, title: Heading, word: Heading) -> i64 {
    let row = section(made, title).rows.iter().find(|row| row[0] == Cell::Word(word));
    row.map_or(0, |row| row[1].amount().unwrap())
}

const PAID: [Tender; 6] = [Tender::Cash, Tender::Card, Tender::Transfer, Tender::Alipay, Tender::WechatPay, Tender::UnionPay];

both!(accounts_are_stated_as_raw_rows_and_ledger_say, past, |w: World| async move {
    statements_equal_raw_rows(&w).await;
    use_before_a_take_over_is_no_use(&w).await;
    a_building_has_a_row_for_each_account(&w).await;
    subsidies_equal_their_rows(&w).await;
    what_is_held_equals_the_ledger(&w).await;
    another_building_has_no_statement(&w).await;
    a_meter_that_changes_keeps_its_past(&w).await;
    an_amount_that_is_not_the_ledgers_is_said(&w).await;
    a_day_of_a_meter_is_of_one_account(&w).await;
});

/// What meters used that is use of their accounts: not what they used before they were taken over. What ends at midnight is
/// of the day that ends.
const USES: &str = "SELECT u.account_id, u.at - 1, u.amount_fen * 100 FROM meter_consumption u WHERE NOT EXISTS (
    SELECT 1 FROM ledger_transfers l WHERE l.operation = 'use' AND l.reference = u.id AND 'taken-over' IN (l.debit, l.credit))";

async fn statements_equal_raw_rows(w: &World) {
    let (who, raw) = (operator(w, "operator").await, Raw::read(w).await);
    let (from, until) = (w.clock.now().date().plus(-40), w.clock.now().date().plus(-3));
    let within = |at: i64| (from..=until).contains(&day(at));
    let fields = [("from", from.to_string()), ("until", until.to_string())];
    let orders: Vec<(Uuid, Option<i64>, Tender, i64)> =
        rows(w, "SELECT account_id, paid_at, tender, amount_fen FROM orders").await;
    let undone: Vec<(Uuid,)> = rows(w, "SELECT account_id FROM returns WHERE sale_id IS NOT NULL").await;
    let uses: Vec<(Uuid, i64, i64)> = rows(w, USES).await;
    let charges: Vec<(Uuid, i64, i64, i64)> = rows(w, "SELECT account_id, at - 1, amount_e4, wh FROM charges").await;
    let (mut purchased, mut of_wallets, mut of_meters) = (0, 0, 0);
    for (account, number, _, key) in &raw.accounts {
        let fields = [("room", number.as_str()), ("from", &fields[0].1), ("until", &fields[1].1)];
        let made = report(w, who, ReportKind::Statement, &fields).await.unwrap();
        assert!(made.notes.contains(&Note::LedgerAgrees), "{:?}", section(&made, Heading::LedgerCheck).rows);
        let (opening, closing) = (raw.of_account(key, from.start()), raw.of_account(key, until.plus(1).start()));
        assert_eq!(item(&made, Heading::Sums, Heading::Opening), opening, "{number}");
        assert_eq!(item(&made, Heading::Sums, Heading::Closing), closing, "{number}");
        let every = section(&made, Heading::Movements);
        if !every.rows.is_empty() {
            assert_eq!(opening + total(every, Heading::Amount), closing);
            assert_eq!(every.rows.last().unwrap()[5].amount(), Some(closing), "the running balance ends with the closing one");
        }
        let bought = orders.iter().filter(|(of, at, tender, _)| of == account && at.is_some_and(within) && PAID.contains(tender));
        let bought: i64 = bought.map(|(.., fen)| fen * 100).sum();
        let shown = item(&made, Heading::Sums, Heading::Purchase);
        let corrected = item(&made, Heading::Sums, Heading::Correction);
        assert!(
            shown == bought || undone.contains(&(*account,)) && shown < bought && corrected != 0,
            "{number}: {shown} {bought}"
        );
        purchased += shown;
        let charged: Vec<_> = charges.iter().filter(|(of, at, ..)| of == account && within(*at)).collect();
        let used: i64 = uses.iter().filter(|(of, at, _)| of == account && within(*at)).map(|(.., e4)| e4).sum();
        let used = used + charged.iter().map(|(_, _, e4, _)| e4).sum::<i64>();
        assert_eq!(item(&made, Heading::Sums, Heading::Consumption), -used, "{number}");
        let by_price = section(&made, Heading::UseByPrice);
        if by_price.rows.is_empty() {
            assert_eq!(used, 0, "{number}");
            continue;
        }
        assert_eq!(total(by_price, Heading::Consumption), used, "{number}");
        let energy: i64 = charged.iter().map(|(.., wh)| wh).sum();
        if charged.is_empty() {
            of_meters += total(by_price, Heading::Energy);
        } else {
            assert_eq!(total(by_price, Heading::Energy), energy, "{number}");
            of_wallets += energy;
            let versions: Vec<&Cell> = by_price.rows.iter().map(|row| &row[0]).collect();
            assert!(versions.iter().all(|version| **version != Cell::Word(Heading::None)), "{versions:?}");
        }
    }
    assert!(purchased > 0 && of_wallets > 0 && of_meters > 0, "{purchased} {of_wallets} {of_meters}");
    let measured: Vec<(i64,)> = rows(
        w,
        &format!(
            "SELECT CAST(SUM(e.wh) AS BIGINT) FROM energy_daily e JOIN meters m ON m.id = e.meter_id AND m.wallet = 'meter'
             WHERE e.day BETWEEN {} AND {} AND EXISTS (
                 SELECT 1 FROM account_meters a WHERE a.meter_id = e.meter_id AND e.day >= (a.from_at + 28800000) / 86400000
                   AND (a.to_at IS NULL OR e.day <= (a.to_at + 28800000) / 86400000))",
            from.0, until.0
        ),
    )
    .await;
    assert_eq!(of_meters, measured[0].0);
}

async fn use_before_a_take_over_is_no_use(w: &World) {
    let (who, raw) = (operator(w, "operator").await, Raw::read(w).await);
    let is_used = |(operation, _, credit, ..): &&Transfer| operation == "use" && credit == "taken-over";
    let (_, debit, ..) = raw.transfers.iter().find(is_used).expect("some were taken over");
    let (_, number, _, key) = raw.accounts.iter().find(|(.., key)| debit.ends_with(key.as_str())).unwrap();
    let (from, until) = (w.clock.now().date().plus(-95), w.clock.now().date());
    let fields = [("room", number.as_str()), ("from", &from.to_string()), ("until", &until.to_string())];
    let made = report(w, who, ReportKind::Statement, &fields).await.unwrap();
    assert!(made.notes.contains(&Note::LedgerAgrees), "{:?}", section(&made, Heading::LedgerCheck).rows);
    assert_eq!(item(&made, Heading::Sums, Heading::TakenOver), raw.against("taken-over", key));
    assert_eq!(item(&made, Heading::Sums, Heading::Consumption), raw.against("consumption", key));
    assert_eq!(total(section(&made, Heading::UseByPrice), Heading::Consumption), -raw.against("consumption", key));
    let sales = report(w, who, ReportKind::Sales, &[fields[1], fields[2]]).await.unwrap();
    let used = raw.accounts.iter().map(|(.., key)| raw.against("consumption", key)).sum::<i64>();
    assert_eq!(total(section(&sales, Heading::Balances), Heading::Consumption), used);
}

async fn a_building_has_a_row_for_each_account(w: &World) {
    let (who, raw) = (operator(w, "operator").await, Raw::read(w).await);
    let made = report(w, who, ReportKind::BuildingStatement, &[]).await.unwrap();
    let (from, until) = (made.query.from, made.query.until);
    let (year, month, first) = from.ymd();
    assert_eq!((first, until.plus(1).ymd().2), (1, 1), "a whole month");
    assert_eq!(Month::of(w.clock.now()).0 - 1, year * 12 + i64::from(month) - 1, "the last one");
    assert!(made.notes.contains(&Note::LedgerAgrees), "{:?}", section(&made, Heading::LedgerCheck).rows);
    assert!(made.notes.contains(&Note::UsedAsCompared), "it has energy and amounts in one row");
    let rooms = section(&made, Heading::ByRoom);
    let at = |heading| rooms.columns.iter().position(|column| column.heading == heading).unwrap();
    for (_, number, _, key) in &raw.accounts {
        let Some(row) = rooms.rows.iter().find(|row| row[1] == Cell::Text(number.clone())) else {
            assert_eq!(raw.of_account(key, until.plus(1).start()), 0, "{number} is left out");
            continue;
        };
        let amount = |heading| row[at(heading)].amount().unwrap();
        assert_eq!(amount(Heading::Opening), raw.of_account(key, from.start()), "{number}");
        assert_eq!(amount(Heading::Closing), raw.of_account(key, until.plus(1).start()), "{number}");
    }
    for heading in [Heading::Opening, Heading::Sales, Heading::Subsidies, Heading::Consumption, Heading::Energy, Heading::Closing]
    {
        assert_eq!(total(rooms, heading), total(section(&made, Heading::ByBuilding), heading), "{heading:?}");
        assert_ne!(total(rooms, heading), 0, "{heading:?}");
    }
    let is_all = |code: &str| code.split_once(':').is_some_and(|(kind, _)| is_residents(kind));
    assert_eq!(total(rooms, Heading::Closing), raw.held(until.plus(1).start(), &is_all));
    let of_month = raw.between(from.start(), until.plus(1).start());
    let used = raw.accounts.iter().map(|(.., key)| of_month.against("consumption", key)).sum::<i64>();
    assert_eq!(total(rooms, Heading::Consumption), used);
    // An account that was closed before is a row too where money went through it.
    let closed: Vec<(Uuid, String)> =
        rows(w, "SELECT id, number FROM accounts WHERE closed_at IS NOT NULL ORDER BY closed_at LIMIT 1").await;
    let (gone, other) = (AccountId(closed[0].0), AccountId(raw.accounts.iter().find(|one| one.0 != closed[0].0).unwrap().0));
    let mut tx = w.db.begin().await.unwrap();
    for (hours, debtor, creditor) in [(-2, other, gone), (-1, gone, other)] {
        let at = w.clock.now().plus(hours * HOUR);
        ledger::post(&mut tx, &w.rng, at, &reroute(w.rng.id(at), debtor, creditor, Money(500))).await.unwrap();
    }
    tx.commit().await.unwrap();
    let today = w.clock.now().plus(-2 * HOUR).date();
    let range = [("from", today.to_string()), ("until", today.plus(1).to_string())];
    let range = range.each_ref().map(|(name, day)| (*name, day.as_str()));
    let later = report(w, who, ReportKind::BuildingStatement, &range).await.unwrap();
    let number = Cell::Text(closed[0].1.clone());
    assert!(section(&later, Heading::ByRoom).rows.iter().any(|row| row[1] == number), "{number:?}");
    // The building's row of an account is its statement.
    let number = match &rooms.rows[0][1] {
        Cell::Text(number) => number.clone(),
        other => panic!("{other:?}"),
    };
    let fields = [("room", number.as_str()), ("from", &from.to_string()), ("until", &until.to_string())];
    let own = report(w, who, ReportKind::Statement, &fields).await.unwrap();
    assert_eq!(item(&own, Heading::Sums, Heading::Consumption), rooms.rows[0][at(Heading::Consumption)].amount().unwrap());
}

async fn subsidies_equal_their_rows(w: &World) {
    let who = operator(w, "operator").await;
    let until = w.clock.now().date();
    let from = until.plus(-80);
    let made = report(w, who, ReportKind::Subsidies, &[("from", &from.to_string())]).await.unwrap();
    assert!(made.notes.contains(&Note::LedgerAgrees));
    let months = Month::of(from.start())..=Month::of(until.start());
    let all: Vec<(Uuid, i64, i64, Option<i64>)> = rows(
        w,
        "SELECT s.account_id, s.month, s.amount_fen, o.credited_at FROM subsidies s LEFT JOIN orders o ON o.id = s.order_id",
    )
    .await;
    let all: Vec<_> = all.into_iter().filter(|(_, month, ..)| months.contains(&Month(*month))).collect();
    let by_month = section(&made, Heading::ByMonth);
    assert_eq!(total(by_month, Heading::Rooms), i64::try_from(all.len()).unwrap());
    assert_eq!(total(by_month, Heading::Granted), all.iter().map(|(_, _, fen, _)| fen * 100).sum::<i64>());
    let delivered = all.iter().filter(|(.., at)| at.is_some()).map(|(_, _, fen, _)| fen * 100).sum::<i64>();
    assert_eq!(total(by_month, Heading::Delivered), delivered);
    assert!(delivered > 0);
    let raw = Raw::read(w).await;
    let used = |account: &Uuid, month: i64| {
        let start = |month: i64| Month(month).first().unwrap().start();
        -raw.between(start(month), start(month + 1)).against("consumption", &account.as_simple().to_string())
    };
    let expected: i64 = all.iter().map(|(account, month, ..)| used(account, *month)).sum();
    assert_eq!(total(by_month, Heading::Consumption), expected);
    let by_building = section(&made, Heading::ByBuilding);
    assert_eq!(total(by_building, Heading::Consumption), expected);
    let rooms: i64 = column(by_building, Heading::Rooms).into_iter().map(|(_, rooms)| rooms).sum();
    let (first, last) = (months.start().0, months.end().0);
    let distinct = format!("SELECT COUNT(DISTINCT place_id) FROM subsidies WHERE month BETWEEN {first} AND {last}");
    assert_eq!(rooms, rows::<(i64,)>(w, &distinct).await[0].0);
}

async fn what_is_held_equals_the_ledger(w: &World) {
    let who = operator(w, "operator").await;
    // One sale is paid and waits for its meter.
    let waits: Vec<(Uuid, Uuid)> = rows(
        w,
        "SELECT a.id, am.meter_id FROM accounts a JOIN account_meters am ON am.account_id = a.id AND am.to_at IS NULL
         JOIN meters m ON m.id = am.meter_id AND m.wallet = 'meter' WHERE a.state = 'open' ORDER BY a.number LIMIT 1",
    )
    .await;
    let now = w.clock.now();
    let new = NewOrder {
        key: w.rng.id(now),
        account: AccountId(waits[0].0),
        meter: MeterId(waits[0].1),
        tender: Tender::Transfer,
        amount: Fen(4_200),
        by: who,
        ip: String::new(),
    };
    orders::sell(&w.db, &w.rng, now.plus(-1), &Limits::default(), &new).await.unwrap();
    let raw = Raw::read(w).await;
    let ago = |days: i64| now.date().plus(-days);
    let readings: Vec<(Uuid, i64, i64)> =
        rows(w, "SELECT meter_id, at, remaining_fen FROM readings WHERE quality IN (0, 1) ORDER BY at").await;
    let held_by: Vec<(Uuid, i64, Option<i64>)> = rows(
        w,
        "SELECT am.meter_id, am.from_at, am.to_at FROM account_meters am JOIN meters m ON m.id = am.meter_id
         WHERE m.wallet = 'meter'",
    )
    .await;
    for day in [ago(70), ago(31), ago(1), ago(0)] {
        let made = report(w, who, ReportKind::Liability, &[("until", &day.to_string())]).await.unwrap();
        let at = day.plus(1).start().min(now.plus(1));
        assert!(made.notes.contains(&Note::AsOf(at)) && made.notes.contains(&Note::LedgerAgrees), "{day}: {:?}", made.sections);
        let all = section(&made, Heading::ByBuilding);
        let held = |kind: &str| raw.held(at, &|code| code.split_once(':').is_some_and(|(of, _)| of == kind));
        let [paid, meters, wallets] = ["paid", "meter", "wallet"].map(held);
        let in_both = [Heading::InMeters, Heading::InServerWallets, Heading::Overdrawn].map(|heading| total(all, heading));
        assert_eq!(in_both.iter().sum::<i64>(), meters + wallets, "{day}");
        assert_eq!((total(all, Heading::Undelivered), total(all, Heading::Liability)), (paid, paid + meters + wallets), "{day}");
        let mut shown: HashMap<Uuid, Option<i64>> = HashMap::new();
        for (meter, _, _) in held_by.iter().filter(|(_, from, to)| *from < at.0 && to.is_none_or(|to| to >= at.0)) {
            let last = readings.iter().rev().find(|(of, read, _)| of == meter && *read < at.0);
            shown.insert(*meter, last.map(|(_, _, fen)| fen * 100));
        }
        assert_eq!(total(all, Heading::ShownByMeters), shown.values().flatten().sum::<i64>(), "{day}");
        let unread = shown.values().filter(|fen| fen.is_none()).count();
        assert_eq!(total(all, Heading::NoReading), i64::try_from(unread).unwrap(), "{day}");
    }
    let made = report(w, who, ReportKind::Liability, &[]).await.unwrap();
    let open = section(&made, Heading::NotDelivered);
    assert!(open.rows.iter().any(|row| row[6] == Cell::Money(Fen(4_200).money())), "{open:?}");
    assert_eq!(total(open, Heading::Amount), total(section(&made, Heading::ByBuilding), Heading::Undelivered));
    let others = raw.held(now.plus(1), &|code| ["suspense", "refunding", "carried"].contains(&code));
    let shown = section(&made, Heading::OtherLiabilities).rows.iter().map(|row| row[1].amount().unwrap()).sum::<i64>();
    assert_eq!(shown, others);
}

async fn another_building_has_no_statement(w: &World) {
    let chief = operator(w, "operator").await;
    let buildings: Vec<(Uuid, String)> = rows(w, "SELECT id, name FROM places WHERE kind = 'building' ORDER BY sort").await;
    let who = limited(w, &buildings[0].1).await;
    let of = |building: Uuid| {
        format!(
            "SELECT a.number, r.name FROM accounts a JOIN places r ON r.id = a.place_id JOIN places f ON f.id = r.parent_id
             WHERE f.parent_id IN (SELECT id FROM places WHERE name = '{}') AND a.state = 'open' ORDER BY a.number",
            buildings.iter().find(|(id, _)| *id == building).unwrap().1
        )
    };
    let own: Vec<(String, String)> = rows(w, &of(buildings[0].0)).await;
    let other: Vec<(String, String)> = rows(w, &of(buildings[1].0)).await;
    let ask = |who: UserId, text: String| async move { report(w, who, ReportKind::Statement, &[("room", &text)]).await };
    assert_eq!(ask(who, other[0].0.clone()).await, Err(RangeProblem::UnknownRoom));
    assert_eq!(ask(who, String::new()).await, Err(RangeProblem::RoomMissing));
    assert_eq!(ask(who, "0000000000000000".into()).await, Err(RangeProblem::UnknownRoom));
    // By its room it is the same statement.
    let by_number = ask(who, own[0].0.clone()).await.unwrap();
    let by_room = ask(who, format!("{} {}", buildings[0].1, own[0].1)).await.unwrap();
    assert_eq!(section(&by_room, Heading::Movements), section(&by_number, Heading::Movements));
    for kind in [ReportKind::BuildingStatement, ReportKind::Liability, ReportKind::Subsidies] {
        let place = buildings[0].0.as_simple().to_string();
        let chosen = report(w, chief, kind, &[("place", &place)]).await.unwrap();
        let own = report(w, who, kind, &[]).await.unwrap();
        assert_eq!(section(&own, Heading::ByBuilding), section(&chosen, Heading::ByBuilding), "{kind:?}");
        assert!(own.notes.contains(&Note::LedgerAgrees), "{kind:?}");
        assert!(!own.sections.iter().any(|section| section.title == Heading::OtherLiabilities), "{kind:?}");
        assert!(section(&own, Heading::ByBuilding).rows.len() <= 1, "{kind:?}");
    }
}
