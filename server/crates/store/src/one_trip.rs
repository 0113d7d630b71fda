//! Several statements in one trip to PostgreSQL; SQLite, which is in this process, runs one after the other.

use std::fmt::Write;

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Postgres, Sqlite, Type};

use super::{Result, StoreError, Tx};

/// Statements that do not depend on each other's rows, but for what [`OneTrip::give_as`] names: on PostgreSQL all of them see
/// the database as it was before the first.
pub(super) struct OneTrip {
    statements: Vec<Statement>,
    values: Values,
    only_if_first: bool,
    unbound: Option<BoxDynError>,
}

struct Statement {
    text: &'static str,
    /// How many values were bound before it.
    offset: usize,
    kind: Kind,
    /// The name by which later statements read a column that it writes, and the column.
    given: Option<(&'static str, &'static str)>,
}

#[derive(Clone, Copy)]
enum Kind {
    Write,
    /// What is inconsistent where it does not write exactly one row.
    WriteOne(&'static str, &'static str),
    Count,
}

enum Values {
    Sqlite(Vec<SqliteArguments>),
    Postgres(PgArguments),
}

impl OneTrip {
    pub(super) fn of(tx: &Tx) -> Self {
        let values = match tx {
            Tx::Sqlite(_) => Values::Sqlite(Vec::new()),
            Tx::Postgres(_) => Values::Postgres(PgArguments::default()),
        };
        Self { statements: Vec::new(), values, only_if_first: false, unbound: None }
    }

    /// Adds an `INSERT`, `UPDATE` or `DELETE`.
    pub(super) fn write(&mut self, text: &'static str) -> &mut Self {
        self.add(text, Kind::Write)
    }

    /// As [`Self::write`]; unless it writes exactly one row, the trip fails with an inconsistency of `table` and `column`.
    pub(super) fn write_one(&mut self, text: &'static str, table: &'static str, column: &'static str) -> &mut Self {
        self.add(text, Kind::WriteOne(table, column))
    }

    /// Adds a `SELECT COUNT(*)`.
    pub(super) fn count(&mut self, text: &'static str) -> &mut Self {
        self.add(text, Kind::Count)
    }

    /// All statements after the first write and count only where the first wrote a row, or counted one; otherwise they give 0.
    /// Each that writes ends with its `WHERE`.
    pub(super) fn only_if_first(&mut self) {
        self.only_if_first = true;
    }

    /// Gives later statements a column that the statement added last writes, as the table `name`. On SQLite nothing is given, and
    /// this is `false`: they run after it and see its own table.
    pub(super) fn give_as(&mut self, name: &'static str, column: &'static str) -> bool {
        if matches!(self.values, Values::Postgres(_))
            && let Some(statement) = self.statements.last_mut()
        {
            statement.given = Some((name, column));
            return true;
        }
        false
    }

    fn add(&mut self, text: &'static str, kind: Kind) -> &mut Self {
        let offset = match &mut self.values {
            Values::Sqlite(of_each) => {
                of_each.push(SqliteArguments::default());
                0
            }
            Values::Postgres(values) => values.len(),
        };
        self.statements.push(Statement { text, offset, kind, given: None });
        self
    }

    /// Binds the next value of the statement that was added last.
    pub(super) fn bind<'t, T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'t, Postgres> + Type<Postgres> + Encode<'t, Sqlite> + Type<Sqlite>,
    {
        let bound = match &mut self.values {
            Values::Sqlite(of_each) => of_each.last_mut().map_or(Ok(()), |values| Arguments::add(values, value)),
            Values::Postgres(values) => values.add(value),
        };
        if let Err(error) = bound {
            self.unbound = Some(error);
        }
        self
    }

    /// Gives how many rows each statement wrote or counted.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] of [`Self::write_one`], or where the database fails.
    pub(super) async fn run(self, tx: &mut Tx) -> Result<Vec<u64>> {
        let Self { statements, values, only_if_first, unbound } = self;
        if let Some(error) = unbound {
            return Err(sqlx::Error::Encode(error).into());
        }
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let counts = match values {
            Values::Sqlite(values) => one_by_one(tx, &statements, values, only_if_first).await?,
            Values::Postgres(values) => together(tx, &statements, values, only_if_first).await?,
        };
        // Where the first wrote nothing, the others were not asked to.
        let asked = if only_if_first && counts.first() == Some(&0) { 1 } else { statements.len() };
        for (statement, count) in statements.iter().zip(&counts).take(asked) {
            if let (Kind::WriteOne(table, column), 0 | 2..) = (statement.kind, *count) {
                return Err(StoreError::Inconsistent { table, column });
            }
        }
        Ok(counts)
    }
}

async fn one_by_one(
    tx: &mut Tx,
    statements: &[Statement],
    values: Vec<SqliteArguments>,
    only_if_first: bool,
) -> Result<Vec<u64>> {
    let Tx::Sqlite(connection) = tx else { return Err(StoreError::interrupted()) };
    let mut counts = Vec::with_capacity(statements.len());
    for (statement, values) in statements.iter().zip(values) {
        let count = match statement.kind {
            _ if only_if_first && counts.first() == Some(&0) => 0,
            Kind::Write | Kind::WriteOne(..) => {
                sqlx::query_with(statement.text, values).execute(&mut **connection).await?.rows_affected()
            }
            Kind::Count => {
                let count: i64 = sqlx::query_scalar_with(statement.text, values).fetch_one(&mut **connection).await?;
                count.unsigned_abs()
            }
        };
        counts.push(count);
    }
    Ok(counts)
}

async fn together(tx: &mut Tx, statements: &[Statement], values: PgArguments, only_if_first: bool) -> Result<Vec<u64>> {
    let Tx::Postgres(connection) = tx else { return Err(StoreError::interrupted()) };
    if let [Statement { text, kind: Kind::Write | Kind::WriteOne(..), .. }] = statements {
        return Ok(vec![sqlx::query_with(*text, values).execute(&mut **connection).await?.rows_affected()]);
    }
    let text = AssertSqlSafe(joined(statements, only_if_first));
    let counts: Vec<i64> = sqlx::query_scalar_with(text, values).fetch_one(&mut **connection).await?;
    Ok(counts.into_iter().map(i64::unsigned_abs).collect())
}

/// One statement of PostgreSQL that gives the counts as an array.
fn joined(statements: &[Statement], only_if_first: bool) -> String {
    let (mut parts, mut counts) = (Vec::new(), Vec::new());
    for (n, statement) in statements.iter().enumerate() {
        let text = renumbered(statement.text, statement.offset);
        let is_guarded = only_if_first && n > 0;
        match statement.kind {
            Kind::Count if is_guarded => {
                counts.push(format!("CASE WHEN EXISTS (SELECT FROM began WHERE n > 0) THEN ({text}) ELSE 0 END"));
            }
            Kind::Count => counts.push(format!("({text})")),
            Kind::Write | Kind::WriteOne(..) => {
                let text = if is_guarded { guarded(&text) } else { text };
                let (name, column) = statement.given.map_or((format!("w{n}"), "1"), |(name, column)| (name.to_owned(), column));
                parts.push(format!("{name} AS ({text} RETURNING {column})"));
                counts.push(format!("(SELECT COUNT(*) FROM {name})"));
            }
        }
        if let (true, 0, Some(count)) = (only_if_first, n, counts.first()) {
            parts.push(format!("began AS (SELECT {count} AS n)"));
        }
    }
    let with = if parts.is_empty() { String::new() } else { format!("WITH {} ", parts.join(", ")) };
    format!("{with}SELECT ARRAY[{}]", counts.join(", "))
}

/// A statement that writes only where the first one did. Its condition goes into parentheses: it may have an `OR`.
fn guarded(text: &str) -> String {
    const WHERE: &str = "WHERE ";
    let (text, conflict) = text.split_at(text.find("ON CONFLICT").unwrap_or(text.len()));
    let (mut depth, mut condition) = (0, text.len());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            // Not the one of a subquery.
            b'W' if depth == 0 && text.get(at..).is_some_and(|rest| rest.starts_with(WHERE)) => condition = at + WHERE.len(),
            _ => {}
        }
    }
    let (before, condition) = text.split_at(condition);
    format!("{before}({}) AND EXISTS (SELECT FROM began WHERE n > 0) {conflict}", condition.trim_end()).trim_end().to_owned()
}

/// A statement whose parameters begin after `offset` others.
fn renumbered(text: &str, offset: usize) -> String {
    let mut parts = text.split('$');
    let mut renumbered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len()));
        let number = digits.parse::<usize>().map_or(0, |number| number + offset);
        // Writing to a string cannot fail.
        let _ = write!(renumbered, "${number}{rest}");
    }
    renumbered
}

#[cfg(test)]
mod tests;
