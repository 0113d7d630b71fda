//! What meters wrote down themselves: each record once, and money that the ledger does not know becomes a case.

use model::case::{CaseDetail, JournalCase, MoneyRecord};
use model::ids::MeterId;
use model::time::{MINUTE, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::cases;
use super::{Db, Result, Tx, on, read};
use domain::meter_records::JournalKind;
use domain::meter_records::JournalRecord;
use domain::rng::Rng;

/// A meter's clock may differ from ours by as much: records this close to the opening may be older than it.
const CLOCKS_DIFFER: i64 = 10 * MINUTE;

/// Meters whose journal has moved since it was last read, at most `limit`.
pub async fn moved(db: &Db, limit: i64) -> Result<Vec<MeterId>> {
    let rows: Vec<(Uuid,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id FROM meter_latest l JOIN meters m ON m.id = l.meter_id
         WHERE m.retired_at IS NULL AND l.lost_since IS NULL AND l.journal IS NOT NULL
           AND l.journal <> COALESCE(m.journal_read, 0) LIMIT $1"
    )
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| MeterId(id)).collect())
}

/// Stores the records that are new, opens a case where one of them moved money that no command of ours did, and remembers up to
/// which `newest` the journal was read. Gives how many were new.
///
/// # Errors
/// Where the database fails; then nothing was stored.
pub async fn keep(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    newest: Option<u16>,
    records: &[JournalRecord],
) -> Result<usize> {
    let (mut tx, mut new) = (db.begin().await?, 0);
    for record in records {
        if !insert(&mut tx, at, meter, record).await? {
            continue;
        }
        new += 1;
        let moved = match record.what {
            JournalKind::Credit => MoneyRecord::Credit,
            JournalKind::Debit => MoneyRecord::Debit,
            _ => continue,
        };
        if is_unknown(&mut tx, meter, record).await? {
            let case = JournalCase { record: moved, at: record.at, amount: record.amount, count: record.count };
            cases::open(&mut tx, rng, at, Some(meter), None, &CaseDetail::Journal(case)).await?;
        }
    }
    on!(&mut tx, |c| sqlx::query("UPDATE meters SET journal_read = $1 WHERE id = $2")
        .bind(newest.map(i64::from))
        .bind(meter.0)
        .execute(c)
        .await)?;
    tx.commit().await?;
    Ok(new)
}

async fn insert(tx: &mut Tx, at: Timestamp, meter: MeterId, record: &JournalRecord) -> Result<bool> {
    let stored = on!(tx, |c| sqlx::query(
        "INSERT INTO meter_journal (meter_id, at, sequence, kind, cause, amount_fen, count, remaining_fen, read_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (meter_id, at, sequence, kind) DO NOTHING"
    )
    .bind(meter.0)
    .bind(record.at.map_or(0, |at| at.0))
    .bind(record.sequence.map_or(0, i64::from))
    .bind(record.what.as_str())
    .bind(i64::from(record.cause))
    .bind(record.amount.0)
    .bind(record.count.map(i64::from))
    .bind(record.remaining.map(|fen| fen.0))
    .bind(at.0)
    .execute(c)
    .await)?;
    Ok(stored == 1)
}

/// While an account of ours was open on the meter, money moved by this count and amount, and no command of ours did it.
async fn is_unknown(tx: &mut Tx, meter: MeterId, record: &JournalRecord) -> Result<bool> {
    let Some(at) = record.at else { return Ok(false) };
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT am.from_at FROM account_meters am
         WHERE am.meter_id = $1 AND am.from_at + $2 <= $3 AND (am.to_at IS NULL OR am.to_at > $3)
           AND NOT EXISTS (SELECT 1 FROM commands c LEFT JOIN orders o ON o.id = c.order_id
                           WHERE c.meter_id = am.meter_id AND (c.account_id IS NULL OR c.account_id = am.account_id)
                             AND c.kind = $4 AND c.count = $5 AND c.state IN ('sending', 'done', 'case')
                             AND (o.id IS NULL OR o.amount_fen = $6))"
    )
    .bind(meter.0)
    .bind(CLOCKS_DIFFER)
    .bind(at.0)
    .bind(record.what.as_str())
    .bind(record.count.map(i64::from))
    .bind(record.amount.0)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Record {
    /// When, by the meter's clock; 0 where that was lost.
    pub at: i64,
    /// A word of [`JournalKind`].
    pub kind: String,
    /// The number of the status bit behind a relay record, 255 by command.
    pub cause: i64,
    /// Of a money record.
    pub amount_fen: i64,
    /// Purchase count after it.
    pub count: Option<i64>,
    /// Remaining amount after it.
    pub remaining_fen: Option<i64>,
}

/// The newest records of a meter, newest first.
pub async fn recent(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<Record>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT at, kind, cause, amount_fen, count, remaining_fen FROM meter_journal
         WHERE meter_id = $1 ORDER BY at DESC, sequence DESC LIMIT $2"
    )
    .bind(meter.0)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
