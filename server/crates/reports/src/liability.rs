//! What is held for residents at an instant: credit in meters and server wallets, and money received that is in neither, by
//! building. What the rows of the last days lead to is compared with the ledger; what is older, `dormwatt verify` compares.

mod books;
mod undelivered;

use std::collections::BTreeMap;

use model::ids::UserId;
use model::money::{Fen, Money};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{DAY, Timestamp};

use crate::Subject;
use crate::building::Building;
use crate::ledger_check::{self, Compared};
use crate::subject::sees_all;
use books::{HeldRow, ShownRow};
use store::{Db, Result};

/// The days whose orders, returns and use are compared with the ledger one by one.
const COMPARED_DAYS: i64 = 31;

/// What is held for the residents of a building.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    accounts: i64,
    in_meters: Money,
    in_wallets: Money,
    /// Of both, what is below zero: debt is not set off against credit.
    overdrawn: Money,
    undelivered: Money,
    /// By the displays; `None` where none is known.
    shown: Option<Fen>,
    unread: i64,
}

impl Sums {
    fn hold(&mut self, held: &HeldRow) {
        self.accounts = held.accounts;
        (self.in_meters, self.in_wallets) = (held.credit_in_meters_e4, held.credit_in_wallets_e4);
        self.overdrawn = held.in_meters_e4 + held.in_wallets_e4 - self.in_meters - self.in_wallets;
    }

    fn show(&mut self, shown: &ShownRow) {
        (self.shown, self.unread) = (shown.fen, shown.unread);
    }

    fn row(&self, building: &Building) -> Vec<Cell> {
        let owed = self.in_meters + self.in_wallets + self.overdrawn + self.undelivered;
        vec![
            building.cell(),
            Cell::Count(self.accounts),
            Cell::Money(self.in_meters),
            self.shown.map_or(Cell::Empty, |fen| Cell::Money(fen.money())),
            Cell::Count(self.unread),
            Cell::Money(self.in_wallets),
            Cell::Money(self.overdrawn),
            Cell::Money(self.undelivered),
            Cell::Money(owed),
        ]
    }
}

pub async fn contents(
    db: &Db,
    now: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let (at, place) = (query.instant(now), subject.place());
    let since = at.plus(-COMPARED_DAYS * DAY);
    let mut tx = db.begin_reading().await?;
    let held = books::held(&mut tx, operator, (since, at), place).await?;
    let shown = books::shown(&mut tx, operator, at, place).await?;
    let open = undelivered::read(&mut tx, operator, at, place).await?;
    let others = match place {
        None if sees_all(&mut tx, operator).await? => Some(books::others(&mut tx, at).await?),
        _ => None,
    };
    let mut buildings: BTreeMap<&Building, Sums> = BTreeMap::new();
    for one in &held {
        buildings.entry(&one.building).or_default().hold(one);
    }
    for one in &shown {
        buildings.entry(&one.building).or_default().show(one);
    }
    for one in &open {
        let sums = buildings.entry(&one.building).or_default();
        sums.undelivered = sums.undelivered + one.left_e4;
    }
    let sum = |of: fn(&HeldRow) -> Money| held.iter().map(of).sum::<Money>();
    let undelivered = open.iter().map(|one| one.left_e4).sum();
    let compared = |heading, report, ledger| Compared { heading, report, ledger };
    let (check, verdict) = ledger_check::section(&[
        compared(Heading::InMeters, sum(|one| one.in_meters_e4), sum(|one| one.ledger_meters_e4)),
        compared(Heading::InServerWallets, sum(|one| one.in_wallets_e4), sum(|one| one.ledger_wallets_e4)),
        compared(Heading::Undelivered, undelivered, sum(|one| one.ledger_paid_e4)),
    ]);
    let mut sections = vec![by_building(&buildings), undelivered::section(open, at)];
    sections.extend(others.map(|others| other_liabilities(&others)));
    sections.push(check);
    Ok((sections, vec![Note::AsOf(at), verdict, Note::DaysCompared(COMPARED_DAYS), Note::BooksAndDisplays]))
}

fn by_building(buildings: &BTreeMap<&Building, Sums>) -> Section {
    let (money, count) = (ColumnKind::Money, ColumnKind::Count);
    let columns = vec![
        Column::text(Heading::Building),
        Column::summed(Heading::Accounts, count),
        Column::summed(Heading::InMeters, money),
        Column::summed(Heading::ShownByMeters, money),
        Column::summed(Heading::NoReading, count),
        Column::summed(Heading::InServerWallets, money),
        Column::summed(Heading::Overdrawn, money),
        Column::summed(Heading::Undelivered, money),
        Column::summed(Heading::Liability, money),
    ];
    let rows = buildings.iter().map(|(building, sums)| sums.row(building)).collect();
    Section { title: Heading::ByBuilding, columns, rows, chart: Some(Chart::Bars(8)) }
}

/// What is owed and belongs to no room any more, or not yet.
fn other_liabilities(others: &books::Others) -> Section {
    let row = |heading, amount| vec![Cell::Word(heading), Cell::Money(amount)];
    let rows = vec![
        row(Heading::Unassigned, others.suspense_e4),
        row(Heading::Refunding, others.refunding_e4),
        row(Heading::CarriedOut, others.carried_e4),
    ];
    let columns = vec![Column::text(Heading::Item), Column::summed(Heading::Amount, ColumnKind::Money)];
    Section { title: Heading::OtherLiabilities, columns, rows, chart: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debt_is_not_set_off_against_credit() {
        let held = HeldRow {
            credit_in_meters_e4: Money(500),
            in_meters_e4: Money(430),
            credit_in_wallets_e4: Money(200),
            in_wallets_e4: Money(170),
            ..HeldRow::default()
        };
        let mut sums = Sums::default();
        sums.hold(&held);
        assert_eq!((sums.in_meters, sums.in_wallets, sums.overdrawn), (Money(500), Money(200), Money(-100)));
        assert_eq!(sums.row(&Building::default()).last(), Some(&Cell::Money(Money(600))));
    }

    #[test]
    fn displays_that_are_not_known_are_not_zero() {
        let mut sums = Sums::default();
        sums.show(&ShownRow { building: Building::default(), fen: None, unread: 2 });
        assert_eq!(sums.row(&Building::default())[3..5], [Cell::Empty, Cell::Count(2)]);
    }
}
