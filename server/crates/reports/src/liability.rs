//! What is held for residents at an instant: credit in meters and server wallets, and money received that is in neither, by
//! building, added up from orders, returns and use, and compared with the ledger.

mod books;
mod undelivered;

use std::collections::BTreeMap;

use model::ids::UserId;
use model::money::{Fen, Money};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::Timestamp;

use crate::ledger_check::{self, Compared};
use crate::subject::sees_all;
use crate::{Subject, name_or_none};
use books::Held;
use store::{Db, Result};

/// What is held for the residents of a building.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    accounts: i64,
    in_meters: Money,
    shown: Fen,
    in_wallets: Money,
    /// Of both, what is below zero.
    overdrawn: Money,
    undelivered: Money,
}

impl Sums {
    fn row(&self, name: &str) -> Vec<Cell> {
        let owed = self.in_meters + self.in_wallets + self.overdrawn + self.undelivered;
        vec![
            name_or_none(name),
            Cell::Count(self.accounts),
            Cell::Money(self.in_meters),
            Cell::Money(self.shown.money()),
            Cell::Money(self.in_wallets),
            Cell::Money(self.overdrawn),
            Cell::Money(self.undelivered),
            Cell::Money(owed),
        ]
    }

    /// Credit and debt are never set off against each other.
    fn add(&mut self, held: &Held) {
        self.accounts += 1;
        for (sum, amount) in [(&mut self.in_meters, held.in_meter_e4), (&mut self.in_wallets, held.in_wallet_e4)] {
            *sum = *sum + amount.max(Money::ZERO);
            self.overdrawn = self.overdrawn + amount.min(Money::ZERO);
        }
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
    let mut tx = db.begin_reading().await?;
    let held = books::held(&mut tx, operator, at, place).await?;
    let shown = books::shown(&mut tx, operator, at, place).await?;
    let open = undelivered::read(&mut tx, operator, at, place).await?;
    let ledger = books::ledger(&mut tx, operator, at, place).await?;
    let others = match place {
        None if sees_all(&mut tx, operator).await? => Some(books::others(&mut tx, at).await?),
        _ => None,
    };
    let mut buildings: BTreeMap<String, Sums> = BTreeMap::new();
    for one in &held {
        buildings.entry(one.building.clone()).or_default().add(one);
    }
    for (name, fen) in shown {
        buildings.entry(name).or_default().shown = fen;
    }
    for one in &open {
        let sums = buildings.entry(one.name.building.clone()).or_default();
        sums.undelivered = sums.undelivered + one.left_e4;
    }
    let sum = |of: fn(&Held) -> Money| held.iter().map(of).sum::<Money>();
    let undelivered = open.iter().map(|one| one.left_e4).sum();
    let compared = |heading, report, ledger| Compared { heading, report, ledger };
    let (check, verdict) = ledger_check::section(&[
        compared(Heading::InMeters, sum(|one| one.in_meter_e4), ledger.meters_e4),
        compared(Heading::InServerWallets, sum(|one| one.in_wallet_e4), ledger.wallets_e4),
        compared(Heading::Undelivered, undelivered, ledger.paid_e4),
    ]);
    let mut sections = vec![by_building(&buildings), undelivered::section(open, at)];
    sections.extend(others.map(|others| other_liabilities(&others)));
    sections.push(check);
    Ok((sections, vec![Note::AsOf(at), verdict, Note::BooksAndDisplays]))
}

fn by_building(buildings: &BTreeMap<String, Sums>) -> Section {
    let money = |heading| Column::summed(heading, ColumnKind::Money);
    let columns = vec![
        Column::text(Heading::Building),
        Column::summed(Heading::Accounts, ColumnKind::Count),
        money(Heading::InMeters),
        money(Heading::ShownByMeters),
        money(Heading::InServerWallets),
        money(Heading::Overdrawn),
        money(Heading::Undelivered),
        money(Heading::Liability),
    ];
    let rows = buildings.iter().map(|(name, sums)| sums.row(name)).collect();
    Section { title: Heading::ByBuilding, columns, rows, chart: Some(Chart::Bars(7)) }
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
        let held = |meter, wallet| Held { building: String::new(), in_meter_e4: Money(meter), in_wallet_e4: Money(wallet) };
        let mut sums = Sums::default();
        [held(500, 0), held(-70, 0), held(0, 200), held(0, -30)].iter().for_each(|one| sums.add(one));
        assert_eq!((sums.in_meters, sums.in_wallets, sums.overdrawn), (Money(500), Money(200), Money(-100)));
        assert_eq!(sums.row("").last(), Some(&Cell::Money(Money(600))));
    }
}
