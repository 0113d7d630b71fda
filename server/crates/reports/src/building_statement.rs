//! The statement of a building: a row for each account, from its opening to its closing balance, compared with the ledger.

use std::collections::{BTreeMap, HashMap};

use model::energy::Energy;
use model::ids::{AccountId, PlaceId, UserId};
use model::money::Money;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use sqlx::FromRow;

use crate::Subject;
use crate::building::{Building, building_id};
use crate::ledger_check::{self, Compared};
use crate::meters::days_of_accounts;
use crate::movements::{MovementKind, account_codes, amount, balances, kind, movements};
use store::console::{Name, above, names, within};
use store::{Db, Result, Tx, on};

/// Rows of one report.
const MOST: usize = 3_000;

/// What changed accounts, in the order of the columns.
pub const CHANGES: [Heading; 6] =
    [Heading::Sales, Heading::Corrections, Heading::Subsidies, Heading::GivenBack, Heading::Consumption, Heading::OtherChanges];

/// The column of a change.
const fn column(kind: MovementKind) -> usize {
    match kind {
        MovementKind::Purchase => 0,
        MovementKind::Correction => 1,
        MovementKind::Subsidy => 2,
        MovementKind::Return | MovementKind::Refund | MovementKind::PaidOut => 3,
        MovementKind::Use => 4,
        MovementKind::Carried
        | MovementKind::TakenOver
        | MovementKind::FinalSettlement
        | MovementKind::WriteOff
        | MovementKind::Adjustment
        | MovementKind::Reroute
        | MovementKind::Other => 5,
    }
}

/// The amounts of an account or a building.
#[derive(Clone, Copy, Debug, Default)]
pub struct Amounts {
    opening: Money,
    /// By the rows that caused them, in the order of [`CHANGES`].
    changes: [Money; CHANGES.len()],
    /// The same by the ledger.
    ledger: [Money; CHANGES.len()],
    energy: Energy,
    /// By the ledger.
    closing: Money,
}

impl Amounts {
    fn add(&mut self, other: &Self) {
        self.opening = self.opening + other.opening;
        self.closing = self.closing + other.closing;
        self.energy = self.energy + other.energy;
        for (sums, more) in [(&mut self.changes, other.changes), (&mut self.ledger, other.ledger)] {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = *sum + more);
        }
    }

    /// What the rows lead to.
    fn reached(&self) -> Money {
        self.changes.iter().fold(self.opening, |sum, change| sum + *change)
    }

    /// The opening balance, what changed it in the order of [`CHANGES`], and the closing balance, all by the ledger.
    pub fn by_ledger(&self) -> impl Iterator<Item = Money> + use<> {
        std::iter::once(self.opening).chain(self.ledger).chain([self.closing])
    }

    /// The cells behind the names.
    fn cells(&self) -> impl Iterator<Item = Cell> + use<> {
        let [sales, corrections, subsidies, back, used, other] = self.changes.map(Cell::Money);
        let (opening, energy, closing) = (Cell::Money(self.opening), Cell::Energy(self.energy), Cell::Money(self.reached()));
        [opening, sales, corrections, subsidies, back, energy, used, other, closing].into_iter()
    }

    fn compared(&self) -> Vec<Compared> {
        let changes = CHANGES.into_iter().zip(self.changes.into_iter().zip(self.ledger));
        let changes = changes.map(|(heading, (report, ledger))| Compared { heading, report, ledger });
        changes.chain([Compared { heading: Heading::Closing, report: self.reached(), ledger: self.closing }]).collect()
    }
}

/// The columns behind the names.
fn amount_columns() -> impl Iterator<Item = Column> {
    let money = |heading| Column::summed(heading, ColumnKind::Money);
    let [sales, corrections, subsidies, back, used, other] = CHANGES.map(money);
    let energy = Column::summed(Heading::Energy, ColumnKind::Energy);
    let (opening, closing) = (money(Heading::Opening), money(Heading::Closing));
    [opening, sales, corrections, subsidies, back, energy, used, other, closing].into_iter()
}

pub async fn contents(db: &Db, operator: UserId, query: &ReportQuery, subject: &Subject) -> Result<(Vec<Section>, Vec<Note>)> {
    let mut tx = db.begin_reading().await?;
    let accounts = accounts(&mut tx, operator, query, subject.place()).await?;
    let mut amounts = changes(&mut tx, operator, query, subject.place()).await?;
    for (account, energy) in energies(&mut tx, operator, query, subject.place()).await? {
        amounts.entry(account).or_default().energy = energy;
    }
    let (mut whole, mut buildings, mut rows) = (Amounts::default(), BTreeMap::<Building, (i64, Amounts)>::new(), Vec::new());
    for account in accounts {
        let mut sums = amounts.remove(&account.id).unwrap_or_default();
        (sums.opening, sums.closing) = (account.opening_e4, account.closing_e4);
        whole.add(&sums);
        let building = buildings.entry(account.building).or_default();
        building.0 += 1;
        building.1.add(&sums);
        let name: model::console::RoomName = account.name.into();
        rows.push([Cell::Text(name.to_string()), Cell::Text(account.number)].into_iter().chain(sums.cells()).collect());
    }
    let (check, verdict) = ledger_check::section(&whole.compared());
    let mut notes = vec![verdict, Note::EnergyOfWholeDays, Note::UsedAsCompared];
    let by_building = buildings
        .into_iter()
        .map(|(building, (count, sums))| [building.cell(), Cell::Count(count)].into_iter().chain(sums.cells()).collect());
    let columns = [Column::text(Heading::Building), Column::summed(Heading::Accounts, ColumnKind::Count)];
    let columns = columns.into_iter().chain(amount_columns()).collect();
    let by_building = Section { title: Heading::ByBuilding, columns, rows: by_building.collect(), chart: Some(Chart::Bars(3)) };
    let mut sections = Vec::new();
    if rows.len() > MOST {
        notes.push(Note::AccountsTooMany(i64::try_from(MOST).unwrap_or(i64::MAX)));
    } else {
        let columns = [Column::text(Heading::Room), Column::text(Heading::Account)].into_iter().chain(amount_columns()).collect();
        sections.push(Section { title: Heading::ByRoom, columns, rows, chart: None });
    }
    sections.extend([by_building, check]);
    Ok((sections, notes))
}

/// The sums of each building in which an account held or moved something.
pub async fn by_building(
    tx: &mut Tx,
    operator: UserId,
    query: &ReportQuery,
    place: Option<PlaceId>,
) -> Result<BTreeMap<Building, Amounts>> {
    let accounts = accounts(tx, operator, query, place).await?;
    let mut changes = changes(tx, operator, query, place).await?;
    let mut buildings = BTreeMap::<Building, Amounts>::new();
    for account in accounts {
        let (moved, opening, closing) = (changes.remove(&account.id), account.opening_e4, account.closing_e4);
        if moved.is_some() || opening != Money::ZERO || closing != Money::ZERO {
            buildings.entry(account.building).or_default().add(&Amounts { opening, closing, ..moved.unwrap_or_default() });
        }
    }
    Ok(buildings)
}

#[derive(FromRow)]
struct AccountRow {
    id: AccountId,
    number: String,
    opening_e4: Money,
    closing_e4: Money,
    #[sqlx(flatten)]
    building: Building,
    #[sqlx(flatten)]
    name: Name,
}

/// The accounts of the range, and others that held something or whose money moved, in the order of the rooms.
async fn accounts(tx: &mut Tx, operator: UserId, query: &ReportQuery, place: Option<PlaceId>) -> Result<Vec<AccountRow>> {
    let (from, to) = query.instants();
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT a.id, a.number, COALESCE(h.opening_e4, 0) AS opening_e4, COALESCE(h.closing_e4, 0) AS closing_e4,",
        building_id!(),
        ",",
        names!(),
        "FROM accounts a JOIN places r ON r.id = a.place_id",
        above!(),
        "LEFT JOIN (SELECT k.id, CAST(SUM(l.opening_e4) AS BIGINT) AS opening_e4, CAST(SUM(l.closing_e4) AS BIGINT) AS closing_e4,
                           SUM(l.transfers) AS transfers
                    FROM ",
        balances!("$2", "$3"),
        " AS l JOIN ",
        account_codes!(),
        "                AS k ON k.code = l.code GROUP BY k.id) AS h ON h.id = a.id
         WHERE (h.opening_e4 <> 0 OR h.closing_e4 <> 0 OR h.transfers > 0
                OR (a.opened_at < $3 AND (a.closed_at IS NULL OR a.closed_at >= $2)))
           AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "ORDER BY t.sort, b.sort, r.sort, r.name, a.opened_at, a.id"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(place)
    .fetch_all(c)
    .await)
}

/// What changed each account.
async fn changes(
    tx: &mut Tx,
    operator: UserId,
    query: &ReportQuery,
    place: Option<PlaceId>,
) -> Result<HashMap<AccountId, Amounts>> {
    let (from, to) = query.instants();
    let rows: Vec<(AccountId, MovementKind, Money, Money)> = on!(tx, |c| sqlx::query_as(concat!(
        // Materialised: SQLite otherwise reads the movements again for each account.
        "WITH y AS MATERIALIZED (",
        movements!(
            concat!("x.code, ", kind!(), " AS kind, SUM(", amount!(), ") AS amount_e4, SUM(x.side * x.amount_e4) AS ledger_e4"),
            "credit LIKE '%:%'",
            "debit LIKE '%:%'",
            "WHERE x.operation NOT IN ('delivery', 'withdrawal') GROUP BY 1, 2"
        ),
        ") SELECT a.id, y.kind, CAST(SUM(y.amount_e4) AS BIGINT), CAST(SUM(y.ledger_e4) AS BIGINT) FROM y JOIN ",
        account_codes!(),
        " AS k ON k.code = y.code JOIN accounts a ON a.id = k.id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY 1, 2"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(place)
    .fetch_all(c)
    .await)?;
    let mut all: HashMap<AccountId, Amounts> = HashMap::new();
    for (account, kind, amount, ledger) in rows {
        let amounts = all.entry(account).or_default();
        for (sums, more) in [(&mut amounts.changes, amount), (&mut amounts.ledger, ledger)] {
            if let Some(sum) = sums.get_mut(column(kind)) {
                *sum = *sum + more;
            }
        }
    }
    Ok(all)
}

/// What the meters of each account measured on the days of the range.
async fn energies(
    tx: &mut Tx,
    operator: UserId,
    query: &ReportQuery,
    place: Option<PlaceId>,
) -> Result<Vec<(AccountId, Energy)>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT a.id, CAST(SUM(e.wh) AS BIGINT) FROM ",
        days_of_accounts!(),
        " AS am JOIN meters m ON m.id = am.meter_id AND m.wallet <> 'none'
         JOIN energy_daily e ON e.meter_id = am.meter_id AND e.day BETWEEN $2 AND $3 AND e.day >= am.first_day
                            AND (am.last_day IS NULL OR e.day <= am.last_day)
         JOIN accounts a ON a.id = am.account_id JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY a.id"
    ))
    .bind(operator)
    .bind(query.from)
    .bind(query.until)
    .bind(place)
    .fetch_all(c)
    .await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_has_its_column() {
        for kind in MovementKind::ALL {
            assert!(column(kind) < CHANGES.len(), "{kind:?}");
        }
        let back = [MovementKind::Return, MovementKind::Refund, MovementKind::PaidOut].map(column);
        assert_eq!(back.map(|column| CHANGES[column]), [Heading::GivenBack; 3], "also what a closed account is paid out");
    }

    #[test]
    fn a_building_has_the_sums_of_its_accounts() {
        let one =
            Amounts { opening: Money(5), changes: [Money(1); 6], ledger: [Money(1); 6], energy: Energy(7), closing: Money(11) };
        let mut sums = Amounts::default();
        sums.add(&one);
        sums.add(&one);
        assert_eq!((sums.reached(), sums.closing, sums.energy), (Money(22), Money(22), Energy(14)));
        assert_eq!(sums.by_ledger().collect::<Vec<_>>(), [10, 2, 2, 2, 2, 2, 2, 22].map(Money));
        assert!(sums.compared().iter().all(|sum| sum.report == sum.ledger));
    }
}
