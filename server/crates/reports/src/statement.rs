//! The statement of an account: what it held before and after, everything that changed it, and what was used at which price.

mod use_by_price;

use std::collections::BTreeMap;

use model::ids::AccountId;
use model::money::Money;
use model::report::{Cell, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use crate::ledger_check::{self, Compared};
use crate::movements::{self, Movement, MovementKind};
use crate::{Extent, Subject};
use queries::PlanPlaces;
use store::console::{Name, above, names};
use store::{Db, Result, Tx, on, prices};
use use_by_price::Used;

/// An account that a statement can be of.
#[derive(FromRow)]
struct AccountRow {
    id: AccountId,
    number: String,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    #[sqlx(flatten)]
    name: Name,
}

pub async fn contents(db: &Db, query: &ReportQuery, subject: &Subject) -> Result<(Vec<Section>, Vec<Note>)> {
    let (from, to) = query.instants();
    let (places, versions) = (PlanPlaces::places(db).await?, prices::versions(db).await?);
    let mut tx = db.begin_reading().await?;
    let accounts = accounts(&mut tx, subject, from, to).await?;
    // Of a room, the newest of its accounts.
    let Some(account) = accounts.first().map(|account| account.id) else { return Ok((vec![of_accounts(accounts)], Vec::new())) };
    let opening = movements::balance(&mut tx, account, from).await?;
    let closing = movements::balance(&mut tx, account, to).await?;
    let changes = movements::of_account(&mut tx, account, from, to).await?;
    let used = Used::read(&mut tx, account, query, &places, &versions).await?;
    let used_by_ledger = -changes.iter().filter(|one| one.kind == MovementKind::Use).map(|one| one.ledger).sum::<Money>();
    let compared = compared(&changes, opening, closing).into_iter().chain([used.compared(used_by_ledger)]);
    let (check, verdict) = ledger_check::section(&compared.collect::<Vec<_>>());
    let mut notes = vec![verdict];
    notes.extend((accounts.len() > 1).then_some(Note::StatementOfNewest));
    if used.is_of_meters() {
        notes.extend([Note::EnergyOfWholeDays, Note::DeductedByMeters]);
    }
    let sections = vec![
        of_accounts(accounts),
        sums(&changes, opening),
        each(&changes, opening),
        used.section(used_by_ledger, &versions),
        check,
    ];
    Ok((sections, notes))
}

/// The account, or those of the room in `[from, to)`, the newest first.
async fn accounts(tx: &mut Tx, subject: &Subject, from: Timestamp, to: Timestamp) -> Result<Vec<AccountRow>> {
    let id = match subject.extent {
        Extent::Account(account) => account.0,
        Extent::Room(room) => room.0,
        _ => return Ok(Vec::new()),
    };
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT a.id, a.number, a.opened_at, a.closed_at,",
        names!(),
        "FROM accounts a JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE a.id = $1 OR (a.place_id = $1 AND a.opened_at < $3 AND (a.closed_at IS NULL OR a.closed_at >= $2))
         ORDER BY a.opened_at DESC, a.id DESC"
    ))
    .bind(id)
    .bind(from)
    .bind(to)
    .fetch_all(c)
    .await)
}

fn of_accounts(accounts: Vec<AccountRow>) -> Section {
    let row = |account: AccountRow| {
        let name: model::console::RoomName = account.name.into();
        let closed = account.closed_at.map_or(Cell::Empty, Cell::Time);
        vec![Cell::Text(account.number), Cell::Text(name.to_string()), Cell::Time(account.opened_at), closed]
    };
    let columns = vec![
        Column::text(Heading::Account),
        Column::text(Heading::Room),
        Column::time(Heading::OpenedAt),
        Column::time(Heading::ClosedAt),
    ];
    Section { title: Heading::Accounts, columns, rows: accounts.into_iter().map(row).collect(), chart: None }
}

/// The sum of each kind of change, by the rows that caused them and by the ledger. Final settlements are one, wherever they went.
fn by_kind(changes: &[Movement]) -> BTreeMap<MovementKind, (Money, Money)> {
    let mut sums: BTreeMap<MovementKind, (Money, Money)> = BTreeMap::new();
    for one in changes {
        let kind = if one.kind == MovementKind::PaidOut { MovementKind::FinalSettlement } else { one.kind };
        let sum = sums.entry(kind).or_default();
        *sum = (sum.0 + one.amount, sum.1 + one.ledger);
    }
    sums
}

fn compared(changes: &[Movement], opening: Money, closing: Money) -> Vec<Compared> {
    let kinds = by_kind(changes).into_iter().map(|(kind, (report, ledger))| Compared { heading: kind.heading(), report, ledger });
    let report = opening + changes.iter().map(|one| one.amount).sum::<Money>();
    kinds.chain([Compared { heading: Heading::Closing, report, ledger: closing }]).collect()
}

/// From the opening to the closing amount.
fn sums(changes: &[Movement], opening: Money) -> Section {
    let row = |heading, amount| vec![Cell::Word(heading), Cell::Money(amount)];
    let kinds = by_kind(changes);
    let closing = kinds.values().fold(opening, |sum, (amount, _)| sum + *amount);
    let between = kinds.into_iter().map(|(kind, (amount, _))| row(kind.heading(), amount));
    let rows = [row(Heading::Opening, opening)].into_iter().chain(between).chain([row(Heading::Closing, closing)]).collect();
    let columns = vec![Column::text(Heading::Item), Column::plain(Heading::Amount, ColumnKind::Money)];
    Section { title: Heading::Sums, columns, rows, chart: None }
}

/// Every change in order; what was used on a day is one row at its end.
fn each(changes: &[Movement], opening: Money) -> Section {
    let (mut rows, mut balance) = (Vec::new(), opening);
    let mut add = |time: Cell, kind: MovementKind, number: Option<i64>, tender: Option<_>, amount: Money| {
        balance = balance + amount;
        let number = number.map_or(Cell::Empty, |number| Cell::Text(number.to_string()));
        let tender = tender.map_or(Cell::Empty, Cell::Tender);
        rows.push(vec![time, Cell::Word(kind.heading()), number, tender, Cell::Money(amount), Cell::Money(balance)]);
    };
    for of_day in changes.chunk_by(|one, next| one.at.date() == next.at.date()) {
        for one in of_day.iter().filter(|one| one.kind != MovementKind::Use) {
            add(Cell::Time(one.at), one.kind, one.number, one.tender, one.amount);
        }
        let used: Vec<&Movement> = of_day.iter().filter(|one| one.kind == MovementKind::Use).collect();
        if let Some(day) = used.first().map(|one| one.at.date()) {
            add(Cell::Day(day), MovementKind::Use, None, None, used.iter().map(|one| one.amount).sum());
        }
    }
    let columns = vec![
        Column::time(Heading::Day),
        Column::text(Heading::Item),
        Column::text(Heading::Number),
        Column::text(Heading::Tender),
        Column::summed(Heading::Amount, ColumnKind::Money),
        Column::plain(Heading::Balance, ColumnKind::Money),
    ];
    Section { title: Heading::Movements, columns, rows, chart: None }
}

/// Whether a day is in the range of a query.
fn is_within(query: &ReportQuery, day: Date) -> bool {
    (query.from..=query.until).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::HOUR;

    fn change(hour: i64, kind: MovementKind, amount: i64) -> Movement {
        let (at, amount) = (Timestamp(hour * HOUR), Money(amount));
        Movement { at, kind, number: Some(7), tender: None, amount, ledger: amount }
    }

    #[test]
    fn what_was_used_on_a_day_is_one_row_at_its_end() {
        let changes = [
            change(1, MovementKind::Use, -10),
            change(2, MovementKind::Purchase, 500),
            change(3, MovementKind::Use, -20),
            change(30, MovementKind::Return, -100),
        ];
        let section = each(&changes, Money(1_000));
        let balances: Vec<_> = section.rows.iter().map(|row| row[5].clone()).collect();
        assert_eq!(balances, [1_500, 1_470, 1_370].map(|e4| Cell::Money(Money(e4))));
        assert_eq!(section.rows[1][0], Cell::Day(Date(0)));
        assert_eq!(sums(&changes, Money(1_000)).rows.last().unwrap()[1], Cell::Money(Money(1_370)));
    }

    #[test]
    fn a_differing_row_shows_in_its_kind_and_at_the_end() {
        let mut changes = [change(1, MovementKind::Purchase, 500), change(2, MovementKind::Use, -20)];
        let all = compared(&changes, Money(0), Money(480));
        assert!(all.iter().all(|sum| sum.report == sum.ledger), "{all:?}");
        changes[0].amount = Money(400);
        let differing = compared(&changes, Money(0), Money(480)).into_iter().filter(|sum| sum.report != sum.ledger);
        assert_eq!(differing.map(|sum| sum.heading).collect::<Vec<_>>(), [Heading::Purchase, Heading::Closing]);
    }
}
