//! Cases that were open at an instant: by kind, and each with its age and who works on it.

use std::collections::BTreeMap;

use model::case::CaseKind;
use model::ids::UserId;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{DAY, Timestamp};
use sqlx::FromRow;

use crate::{Subject, name_or_none};
use store::console::{Name, above, names, within};
use store::{Db, Result, read};

/// Cases that one report lists.
const MOST: i64 = 5_000;

#[derive(FromRow)]
struct CaseRow {
    kind: CaseKind,
    opened_at: Timestamp,
    /// As it was set last before the instant; `None`: as it was at first.
    due_at: Option<Timestamp>,
    owner: Option<String>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

impl CaseRow {
    /// In whole days.
    const fn age(&self, at: Timestamp) -> i64 {
        at.since(self.opened_at) / DAY
    }

    fn due(&self) -> Timestamp {
        self.due_at.unwrap_or(self.opened_at.plus(self.kind.due_within()))
    }

    fn row(self, at: Timestamp) -> Vec<Cell> {
        let (age, due) = (self.age(at), self.due());
        let name: model::console::RoomName = self.name.into();
        vec![
            Cell::Case(self.kind),
            name_or_none(&name.to_string()),
            Cell::Time(self.opened_at),
            Cell::Count(age),
            Cell::Time(due),
            if due < at { Cell::Count(at.since(due) / DAY) } else { Cell::Empty },
            self.owner.map_or(Cell::Word(Heading::None), Cell::Text),
        ]
    }
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
    let rows: Vec<CaseRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT c.kind, c.opened_at, COUNT(*) OVER () AS total,
                (SELECT n.due_at FROM case_notes n WHERE n.case_id = c.id AND n.kind = 'due' AND n.at < $2
                 ORDER BY n.at DESC, n.id DESC LIMIT 1) AS due_at,
                (SELECT u.name FROM users u WHERE u.id = (
                     SELECT n.owner FROM case_notes n WHERE n.case_id = c.id AND n.kind = 'owner' AND n.at < $2
                     ORDER BY n.at DESC, n.id DESC LIMIT 1)) AS owner,",
        names!(),
        "FROM cases c LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id)
         LEFT JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE c.opened_at < $2 AND (c.closed_at IS NULL OR c.closed_at >= $2) AND c.opened_at <= $3
           AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "ORDER BY c.opened_at, c.id LIMIT $5"
    ))
    .bind(operator)
    .bind(at)
    .bind(at.plus(-query.age * DAY))
    .bind(subject.place())
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let mut notes = vec![Note::AsOf(at)];
    notes.extend((query.age > 0).then_some(Note::OlderThan(query.age)));
    notes.extend((total > MOST).then_some(Note::RowsTooMany { shown: MOST, total }));
    let by_kind = by_kind(&rows, at);
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
    Ok((vec![by_kind, Section { title: Heading::OpenCases, columns, rows, chart: None }], notes))
}

/// The most first.
fn by_kind(rows: &[CaseRow], at: Timestamp) -> Section {
    let mut kinds: BTreeMap<CaseKind, (i64, i64, i64)> = BTreeMap::new();
    for row in rows {
        let (cases, overdue, oldest) = kinds.entry(row.kind).or_default();
        *cases += 1;
        *overdue += i64::from(row.due() < at);
        *oldest = (*oldest).max(row.age(at));
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

    fn case(kind: CaseKind, opened_days_ago: i64, due_at: Option<i64>) -> CaseRow {
        let name = Name { building: String::new(), floor: String::new(), room: String::new() };
        let opened_at = Timestamp((100 - opened_days_ago) * DAY);
        CaseRow { kind, opened_at, due_at: due_at.map(Timestamp), owner: None, name, total: 3 }
    }

    #[test]
    fn a_case_is_overdue_by_its_kind_unless_somebody_set_another_time() {
        let at = Timestamp(100 * DAY);
        let cell = |case: CaseRow| case.row(at)[5].clone();
        assert_eq!(cell(case(CaseKind::Delivery, 3, None)), Cell::Count(2));
        assert_eq!(cell(case(CaseKind::Delivery, 3, Some(101 * DAY))), Cell::Empty);
        let rows = [case(CaseKind::Clock, 3, None), case(CaseKind::Delivery, 3, None), case(CaseKind::Delivery, 9, None)];
        let kinds = by_kind(&rows, at);
        assert_eq!(kinds.rows[0], [Cell::Case(CaseKind::Delivery), Cell::Count(2), Cell::Count(2), Cell::Count(9)]);
        assert_eq!(kinds.rows[1], [Cell::Case(CaseKind::Clock), Cell::Count(1), Cell::Count(0), Cell::Count(3)]);
    }
}
