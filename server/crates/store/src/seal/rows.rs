//! Compares each row with its seal.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::{AssertSqlSafe, FromRow};

use super::notes::{columns, image, key};
use super::{Head, Seal, SealKey, TABLES};
use crate::{Result, Tx, on};

type SealedRows<'a> = BoxStream<'a, std::result::Result<SealedRow, sqlx::Error>>;

/// How a row and its seal disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// The row was changed after it was sealed.
    Changed,
    /// The row was added without this server.
    Added,
    /// The row is gone.
    Removed,
}

/// A row with its seal; one of them may be missing.
#[derive(FromRow)]
struct SealedRow {
    row_key: String,
    image: Option<String>,
    seal: Option<Vec<u8>>,
}

/// Faults of one table that are kept: with a wrong key all of its rows differ.
pub const NAMED: usize = 51;

/// What the seals of all tables say.
pub struct SealReport {
    /// By table, with the key of each row; of one table no more than [`NAMED`].
    pub faults: Vec<(&'static str, String, RowFault)>,
    pub rows: i64,
    pub sum: u128,
    /// Faults in the table that is read.
    in_table: usize,
}

impl SealReport {
    /// Whether number and sum of the seals are the head's.
    pub fn fits(&self, head: &Head) -> bool {
        self.rows == head.sealed_rows && self.sum == head.sum()
    }
}

/// Reads every row of every sealed table.
pub async fn faults(tx: &mut Tx) -> Result<SealReport> {
    let key = tx.unsealed().key().clone();
    let mut report = SealReport { faults: Vec::new(), rows: 0, sum: 0, in_table: 0 };
    for table in TABLES {
        report.in_table = 0;
        let (row_key, image) = match tx {
            Tx::Sqlite(connection) => {
                let columns = columns(connection, table).await?;
                (self::key(&columns, "t"), image(&columns, "t"))
            }
            Tx::Postgres(connection) => {
                let parts: Vec<String> = sqlx::query_scalar(PRIMARY_KEY).bind(table).fetch_all(&mut **connection).await?;
                let parts: Vec<String> = parts.iter().map(|part| format!("t.\"{part}\"::text")).collect();
                (parts.join(" || '/' || "), "jsonb_strip_nulls(to_jsonb(t))::text".to_owned())
            }
        };
        // FULL JOIN: a row without a seal and a seal without a row are both found in one pass.
        let sql = format!(
            "SELECT COALESCE(t.row_key, s.row_key) AS row_key, t.image, s.seal
             FROM (SELECT {row_key} AS row_key, {image} AS image FROM {table} AS t) AS t
                  FULL JOIN (SELECT row_key, seal FROM seals WHERE tbl = '{table}') AS s ON s.row_key = t.row_key"
        );
        on!(tx, |c| report.count_all(&key, table, sqlx::query_as(AssertSqlSafe(sql)).fetch(c)).await)?;
    }
    Ok(report)
}

/// The columns of a table's primary key, in order.
const PRIMARY_KEY: &str = "SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, n), pg_attribute a
     WHERE i.indrelid = to_regclass($1) AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n";

impl SealReport {
    async fn count_all(
        &mut self,
        key: &SealKey,
        table: &'static str,
        mut rows: SealedRows<'_>,
    ) -> std::result::Result<Option<()>, sqlx::Error> {
        while let Some(row) = rows.try_next().await? {
            self.count(key, table, row);
        }
        Ok(None)
    }

    fn count(&mut self, key: &SealKey, table: &'static str, row: SealedRow) {
        let seal = row.seal.and_then(|seal| seal.try_into().ok()).map(Seal);
        if let Some(seal) = seal {
            self.rows += 1;
            self.sum = self.sum.wrapping_add(seal.number());
        }
        let fault = match (&row.image, seal) {
            (Some(image), Some(seal)) if key.seal(table, &row.row_key, image) == seal => return,
            (Some(_), Some(_)) => RowFault::Changed,
            (Some(_), None) => RowFault::Added,
            (None, _) => RowFault::Removed,
        };
        self.in_table += 1;
        if self.in_table <= NAMED {
            self.faults.push((table, row.row_key, fault));
        }
    }
}
