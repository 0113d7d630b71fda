//! Subsidies by month and building: what was granted, what arrived, and what the rooms used in the month.

use std::collections::BTreeMap;

use model::ids::UserId;
use model::money::{Fen, Money};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::subsidy::Month;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::Subject;
use crate::building::{Building, building};
use crate::ledger_check::{self, Compared};
use crate::movements::account_codes;
use store::console::{above, within};
use store::{Db, Result, Tx, on};

/// The subsidies of a building in a month.
#[derive(Clone, Debug, Default, FromRow)]
struct GrantRow {
    month: Month,
    #[sqlx(flatten)]
    building: Building,
    rooms: i64,
    heads: i64,
    granted_fen: Fen,
    delivered_fen: Fen,
    /// By the ledger: what the site gave for them.
    ledger_e4: Money,
    #[sqlx(skip)]
    used: Money,
}

#[derive(FromRow)]
struct UseRow {
    month: Month,
    #[sqlx(flatten)]
    building: Building,
    used_e4: Money,
}

/// The rooms of a building that got a subsidy in any of the months.
#[derive(FromRow)]
struct RoomsRow {
    #[sqlx(flatten)]
    building: Building,
    rooms: i64,
}

/// The first day of a month (year * 12 + month - 1), by the calendar: years are counted from March, so that leap days come last.
macro_rules! first_day {
    ($month:literal) => {
        concat!(
            "((",
            $month,
            " - 2) / 12 * 365 + (",
            $month,
            " - 2) / 48 - (",
            $month,
            " - 2) / 1200 + (",
            $month,
            " - 2) / 4800
              + (153 * ((",
            $month,
            " - 2) % 12) + 2) / 5 - 719468)"
        )
    };
}

pub async fn contents(db: &Db, operator: UserId, query: &ReportQuery, subject: &Subject) -> Result<(Vec<Section>, Vec<Note>)> {
    let months = (Month::of(query.from.start()), Month::of(query.until.start()));
    let mut tx = db.begin_reading().await?;
    let mut rows = grants(&mut tx, operator, subject, months).await?;
    for one in uses(&mut tx, operator, subject, months).await? {
        let row = rows.iter_mut().find(|row| (row.month, &row.building) == (one.month, &one.building));
        row.into_iter().for_each(|row| row.used = one.used_e4);
    }
    let rooms = rooms(&mut tx, operator, subject, months).await?;
    let ledger = rows.iter().map(|row| row.ledger_e4).sum();
    let report = rows.iter().map(|row| row.granted_fen.money()).sum();
    let (check, verdict) = ledger_check::section(&[Compared { heading: Heading::Granted, report, ledger }]);
    let sections = vec![by_month(&rows), by_building(&rows, &rooms), check];
    Ok((sections, vec![verdict, Note::SubsidiesByMonth, Note::UsedAsCompared]))
}

async fn grants(tx: &mut Tx, operator: UserId, subject: &Subject, (first, last): (Month, Month)) -> Result<Vec<GrantRow>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT s.month,",
        building!(),
        ",      COUNT(*) AS rooms,
                CAST(SUM(s.heads) AS BIGINT) AS heads, CAST(SUM(s.amount_fen) AS BIGINT) AS granted_fen,
                CAST(SUM(CASE WHEN o.credited_at IS NULL THEN 0 ELSE o.amount_fen END) AS BIGINT) AS delivered_fen,
                CAST(SUM(COALESCE(l.amount_e4, 0)) AS BIGINT) AS ledger_e4
         FROM subsidies s JOIN places r ON r.id = s.place_id",
        above!(),
        "LEFT JOIN orders o ON o.id = s.order_id
         LEFT JOIN ledger_transfers l ON l.operation = 'payment' AND l.reference = o.id AND l.debit = 'subsidies'
         WHERE s.month BETWEEN $2 AND $3 AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ))
    .bind(operator)
    .bind(first)
    .bind(last)
    .bind(subject.place())
    .fetch_all(c)
    .await)
}

/// What the subsidised rooms of each building used in each month, of all their credit.
async fn uses(tx: &mut Tx, operator: UserId, subject: &Subject, (first, last): (Month, Month)) -> Result<Vec<UseRow>> {
    let start = |month: Month| month.first().map_or(Timestamp(0), |day| day.start());
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT s.month,",
        building!(),
        ", CAST(SUM(x.e4) AS BIGINT) AS used_e4
         FROM subsidies s JOIN places r ON r.id = s.place_id",
        above!(),
        "JOIN ",
        account_codes!(),
        "     AS k ON k.id = s.account_id
         JOIN (SELECT debit AS code, (at + 28800000) / 86400000 AS day, amount_e4 AS e4 FROM ledger_transfers
               WHERE at >= $5 AND at < $6 AND credit = 'consumption'
               UNION ALL
               SELECT credit, (at + 28800000) / 86400000, -amount_e4 FROM ledger_transfers
               WHERE at >= $5 AND at < $6 AND debit = 'consumption') AS x
              ON x.code = k.code AND x.day >= ",
        first_day!("s.month"),
        " AND x.day < ",
        first_day!("(s.month + 1)"),
        "WHERE s.month BETWEEN $2 AND $3 AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY 1, 2, 3"
    ))
    .bind(operator)
    .bind(first)
    .bind(last)
    .bind(subject.place())
    .bind(start(first))
    .bind(start(Month(last.0 + 1)))
    .fetch_all(c)
    .await)
}

/// A room that got a subsidy month by month counts once.
async fn rooms(tx: &mut Tx, operator: UserId, subject: &Subject, (first, last): (Month, Month)) -> Result<Vec<RoomsRow>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT",
        building!(),
        ", COUNT(DISTINCT s.place_id) AS rooms FROM subsidies s JOIN places r ON r.id = s.place_id",
        above!(),
        "WHERE s.month BETWEEN $2 AND $3 AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY 1, 2"
    ))
    .bind(operator)
    .bind(first)
    .bind(last)
    .bind(subject.place())
    .fetch_all(c)
    .await)
}

/// The cells behind the names.
fn cells(row: &GrantRow) -> Vec<Cell> {
    let (granted, delivered) = (row.granted_fen.money(), row.delivered_fen.money());
    let amounts = [granted, delivered, granted - delivered, row.used].map(Cell::Money);
    [Cell::Count(row.rooms), Cell::Count(row.heads)].into_iter().chain(amounts).collect()
}

fn columns(names: Vec<Column>, rooms: Column) -> Vec<Column> {
    let money = |heading| Column::summed(heading, ColumnKind::Money);
    let amounts = [Heading::Granted, Heading::Delivered, Heading::Undelivered, Heading::Consumption].map(money);
    let counts = [rooms, Column { heading: Heading::Heads, ..rooms }];
    names.into_iter().chain(counts).chain(amounts).collect()
}

fn by_month(rows: &[GrantRow]) -> Section {
    let row = |row: &GrantRow| {
        let month = row.month.first().map_or(Cell::Empty, |day| model::report::Grain::Month.cell(day));
        [month, row.building.cell()].into_iter().chain(cells(row)).collect()
    };
    let names = vec![Column::time(Heading::Month), Column::text(Heading::Building)];
    let columns = columns(names, Column::summed(Heading::Rooms, ColumnKind::Count));
    Section { title: Heading::ByMonth, columns, rows: rows.iter().map(row).collect(), chart: None }
}

fn by_building(rows: &[GrantRow], rooms: &[RoomsRow]) -> Section {
    let mut buildings: BTreeMap<&Building, GrantRow> = BTreeMap::new();
    for row in rows {
        let sum = buildings.entry(&row.building).or_default();
        // Those of the fullest month: mostly they are the same people.
        sum.heads = sum.heads.max(row.heads);
        sum.granted_fen = sum.granted_fen + row.granted_fen;
        sum.delivered_fen = sum.delivered_fen + row.delivered_fen;
        sum.used = sum.used + row.used;
    }
    for row in rooms {
        buildings.entry(&row.building).or_default().rooms = row.rooms;
    }
    let row = |(building, sum): (&&Building, &GrantRow)| [building.cell()].into_iter().chain(cells(sum)).collect();
    let columns = columns(vec![Column::text(Heading::Building)], Column::plain(Heading::Rooms, ColumnKind::Count));
    let rows = buildings.iter().map(row).collect();
    Section { title: Heading::ByBuilding, columns, rows, chart: Some(Chart::Bars(3)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_building_has_its_rooms_once_and_the_money_of_every_month() {
        let building = Building { name: "1号楼".into(), id: None };
        let row = |month, rooms, granted, delivered| GrantRow {
            month: Month(month),
            building: building.clone(),
            rooms,
            granted_fen: Fen(granted),
            delivered_fen: Fen(delivered),
            ..GrantRow::default()
        };
        // Of the rooms of the first month, one got nothing in the second one.
        let rooms = [RoomsRow { building: building.clone(), rooms: 13 }];
        let section = by_building(&[row(1, 10, 1_000, 1_000), row(2, 12, 1_200, 900)], &rooms);
        let [cells] = &section.rows[..] else { panic!("{section:?}") };
        assert_eq!((&cells[1], &cells[3]), (&Cell::Count(13), &Cell::Money(Fen(2_200).money())));
        assert_eq!((&cells[4], &cells[5]), (&Cell::Money(Fen(1_900).money()), &Cell::Money(Fen(300).money())));
    }
}
