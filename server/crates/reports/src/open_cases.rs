//! Cases that were open at an instant: by kind, and each with its age and who works on it.

use std::collections::BTreeMap;

use model::case::CaseKind;
use model::ids::UserId;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{DAY, Timestamp};
use sqlx::FromRow;

use crate::{Subject, name_or_none};
use store::console::{Name, above, names, within};
use store::{Db, Result, on};

/// Cases that one report lists.
const MOST: i64 = 5_000;

/// Cases `c` that were open at `$2`, older than `$3`, of the place `$4`.
macro_rules! open_cases {
    ($select:expr, $end:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM cases c LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id)
             LEFT JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE c.opened_at < $2 AND (c.closed_at IS NULL OR c.closed_at >= $2) AND c.opened_at <= $3
               AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            $end
        )
    };
}

/// When a case was due as it was set last before the instant; NULL: as it was at first.
macro_rules! due_at {
    () => {
        "(SELECT n.due_at FROM case_notes n WHERE n.case_id = c.id AND n.kind = 'due' AND n.at < $2
          ORDER BY n.at DESC, n.id DESC LIMIT 1)"
    };
}

#[derive(FromRow)]
struct CaseRow {
    kind: CaseKind,
    opened_at: Timestamp,
    due_at: Option<Timestamp>,
    owner: Option<String>,
    #[sqlx(flatten)]
    name: Name,
}

impl CaseRow {
    fn row(self, at: Timestamp) -> Vec<Cell> {
        let due = self.due_at.unwrap_or(self.opened_at.plus(self.kind.due_within()));
        let name: model::console::RoomName = self.name.into();
        vec![
            Cell::Case(self.kind),
            name_or_none(&name.to_string()),
            Cell::Time(self.opened_at),
            Cell::Count(at.since(self.opened_at) / DAY),
            Cell::Time(due),
            if due < at { Cell::Count(at.since(due) / DAY) } else { Cell::Empty },
            self.owner.map_or(Cell::Word(Heading::None), Cell::Text),
        ]
    }
}

/// The cases of a kind that were opened on the same day before the instant.
#[derive(FromRow)]
struct AgeRow {
    kind: CaseKind,
    /// Whole days that are over since they were opened.
    days: i64,
    cases: i64,
    /// Those that nobody set another time for, and the others that are overdue.
    as_at_first: i64,
    overdue: i64,
    opened_at: Timestamp,
}

/// The cases as they were at the instant: whoever they were given to later, and what was closed later, does not count.
pub async fn contents(
    db: &Db,
    now: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let at = query.instant(now);
    let latest = at.plus(-query.age * DAY);
    let mut tx = db.begin_reading().await?;
    let ages: Vec<AgeRow> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "SELECT x.kind, x.days, COUNT(*) AS cases, SUM(CASE WHEN x.due_at IS NULL THEN 1 ELSE 0 END) AS as_at_first,
                SUM(CASE WHEN x.due_at < $2 THEN 1 ELSE 0 END) AS overdue, MIN(x.opened_at) AS opened_at
         FROM (",
        open_cases!(concat!("c.kind, c.opened_at, ($2 - c.opened_at - 1) / 86400000 AS days, ", due_at!(), " AS due_at"), ""),
        ") AS x GROUP BY x.kind, x.days"
    ))
    .bind(operator)
    .bind(at)
    .bind(latest)
    .bind(subject.place())
    .fetch_all(c)
    .await)?;
    let rows: Vec<CaseRow> = on!(&mut tx, |c| sqlx::query_as(open_cases!(
        concat!(
            "c.kind, c.opened_at, ",
            due_at!(),
            " AS due_at,
                (SELECT u.name FROM users u WHERE u.id = (
                     SELECT n.owner FROM case_notes n WHERE n.case_id = c.id AND n.kind = 'owner' AND n.at < $2
                     ORDER BY n.at DESC, n.id DESC LIMIT 1)) AS owner,",
            names!()
        ),
        "ORDER BY c.opened_at, c.id LIMIT $5"
    ))
    .bind(operator)
    .bind(at)
    .bind(latest)
    .bind(subject.place())
    .bind(MOST)
    .fetch_all(c)
    .await)?;
    let total = ages.iter().map(|row| row.cases).sum();
    let mut notes = vec![Note::AsOf(at)];
    notes.extend((query.age > 0).then_some(Note::AtLeastOld(query.age)));
    notes.extend((total > MOST).then_some(Note::RowsLeftOut { shown: MOST, total }));
    let columns = vec![
        Column::text(Heading::Kind),
        Column::text(Heading::Room),
        Column::time(Heading::Since),
        Column::plain(Heading::Age, ColumnKind::Count),
        Column::time(Heading::Due),
        Column::plain(Heading::OverdueDays, ColumnKind::Count),
        Column::text(Heading::Owner),
    ];
    let rows = rows.into_iter().map(|row| row.row(at)).collect();
    Ok((vec![by_kind(&ages, at), Section { title: Heading::OpenCases, columns, rows, chart: None }], notes))
}

/// The most first. A kind is due after whole days, so that the day on which a case was opened tells whether it is overdue.
fn by_kind(ages: &[AgeRow], at: Timestamp) -> Section {
    let mut kinds: BTreeMap<CaseKind, (i64, i64, i64)> = BTreeMap::new();
    for row in ages {
        let (cases, overdue, oldest) = kinds.entry(row.kind).or_default();
        *cases += row.cases;
        *overdue += row.overdue + if row.days >= row.kind.due_within() / DAY { row.as_at_first } else { 0 };
        *oldest = (*oldest).max(at.since(row.opened_at) / DAY);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (cases, ..))| std::cmp::Reverse(*cases));
    let row =
        |(kind, (cases, overdue, oldest))| vec![Cell::Case(kind), Cell::Count(cases), Cell::Count(overdue), Cell::Count(oldest)];
    let columns = vec![
        Column::text(Heading::Kind),
        Column::summed(Heading::Cases, ColumnKind::Count),
        Column::summed(Heading::Overdue, ColumnKind::Count),
        Column::plain(Heading::Oldest, ColumnKind::Count),
    ];
    Section { title: Heading::ByKind, columns, rows: kinds.into_iter().map(row).collect(), chart: Some(Chart::Bars(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_overdue_by_its_kind_unless_it_was_set() {
        let case = |due_at: Option<i64>| CaseRow {
            kind: CaseKind::Delivery,
            opened_at: Timestamp(97 * DAY),
            due_at: due_at.map(Timestamp),
            owner: None,
            name: Name { building: String::new(), floor: String::new(), room: String::new() },
        };
        let cell = |case: CaseRow| case.row(Timestamp(100 * DAY))[5].clone();
        assert_eq!(cell(case(None)), Cell::Count(2));
        assert_eq!(cell(case(Some(101 * DAY))), Cell::Empty);
    }

    #[test]
    fn kinds_are_counted_over_all_cases() {
        let at = Timestamp(100 * DAY);
        let row = |kind: CaseKind, opened: i64, cases, as_at_first, overdue| {
            let opened_at = Timestamp(opened);
            AgeRow { kind, days: (at.since(opened_at) - 1) / DAY, cases, as_at_first, overdue, opened_at }
        };
        let rows = [
            row(CaseKind::Clock, 97 * DAY, 1, 1, 0),
            row(CaseKind::Delivery, 99 * DAY, 5_000, 5_000, 0),
            row(CaseKind::Delivery, 99 * DAY - 1, 3, 2, 1),
        ];
        let kinds = by_kind(&rows, at);
        assert_eq!(kinds.rows[0], [Cell::Case(CaseKind::Delivery), Cell::Count(5_003), Cell::Count(3), Cell::Count(1)]);
        assert_eq!(kinds.rows[1], [Cell::Case(CaseKind::Clock), Cell::Count(1), Cell::Count(0), Cell::Count(3)]);
        assert!(CaseKind::ALL.into_iter().all(|kind| kind.due_within() % DAY == 0));
    }
}
