//! The journals of meters: each record is stored once, and a money record that no command explains opens a case.

use model::case::{CaseDetail, CaseKind, JournalCase, MoneyRecord};
use model::ids::MeterId;
use model::money::Fen;
use model::reading::JournalKind;
use model::time::{MINUTE, Timestamp};
use sqlx::FromRow;

use domain::meter_records::JournalRecord;
use domain::rng::Rng;
use store::{Db, Result, Tx, cases, on, read};

/// A meter's clock may differ from ours by this much, so a record this close to the opening of an account may be older than it.
const CLOCKS_DIFFER: i64 = 10 * MINUTE;

/// Meters with journal records that were not read yet, at most `limit`.
pub async fn moved(db: &Db, limit: i64) -> Result<Vec<MeterId>> {
    let rows: Vec<(MeterId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id FROM meter_latest l JOIN meters m ON m.id = l.meter_id
         WHERE m.retired_at IS NULL AND l.lost_since IS NULL AND l.journal IS NOT NULL
           AND l.journal <> COALESCE(m.journal_read, 0) LIMIT $1"
    )
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Stores the records that are new, opens a case for the newest that moved money without a command of ours, and remembers that
/// the journal was read up to `newest`. Gives how many were new.
pub async fn store(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    newest: Option<u16>,
    records: &[JournalRecord],
) -> Result<usize> {
    let (mut tx, mut new) = (db.begin().await?, 0);
    // The journals of a meter come one after the other, each with its newest record first.
    let mut unexplained: Option<JournalCase> = None;
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
        let case = JournalCase { record: moved, at: record.at, amount: record.amount, count: record.count };
        if unexplained.is_none_or(|newest| newest.at < case.at) && is_unexplained(&mut tx, meter, record).await? {
            unexplained = Some(case);
        }
    }
    if let Some(case) = unexplained {
        // One that was found before stays unless this one is newer: it may come from another journal.
        let known = match cases::detail_of(&mut tx, CaseKind::Journal, meter).await? {
            Some(CaseDetail::Journal(known)) => known.at,
            _ => None,
        };
        if known.is_none_or(|known| case.at >= Some(known)) {
            cases::follow(&mut tx, rng, at, meter, &CaseDetail::Journal(case)).await?;
        }
    }
    on!(&mut tx, |c| sqlx::query("UPDATE meters SET journal_read = $1 WHERE id = $2")
        .bind(newest.map(i64::from))
        .bind(meter)
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
    .bind(meter)
    .bind(record.at.unwrap_or_default())
    .bind(record.sequence.map_or(0, i64::from))
    .bind(record.what)
    .bind(i64::from(record.cause))
    .bind(record.amount)
    .bind(record.count.map(i64::from))
    .bind(record.remaining)
    .bind(at)
    .execute(c)
    .await)?;
    Ok(stored == 1)
}

/// Whether money moved by this count and amount while an account was open on the meter, and no command explains it.
async fn is_unexplained(tx: &mut Tx, meter: MeterId, record: &JournalRecord) -> Result<bool> {
    let Some(at) = record.at else { return Ok(false) };
    let row: Option<(Timestamp,)> = on!(tx, |c| sqlx::query_as(
        "SELECT am.from_at FROM account_meters am
         WHERE am.meter_id = $1 AND am.from_at + $2 <= $3 AND (am.to_at IS NULL OR am.to_at > $3)
           AND NOT EXISTS (SELECT 1 FROM commands c LEFT JOIN orders o ON o.id = c.order_id
                           WHERE c.meter_id = am.meter_id AND (c.account_id IS NULL OR c.account_id = am.account_id)
                             AND c.kind = $4 AND c.count = $5 AND c.state IN ('sending', 'done', 'case')
                             AND (o.id IS NULL OR o.amount_fen = $6))"
    )
    .bind(meter)
    .bind(CLOCKS_DIFFER)
    .bind(at)
    .bind(record.what)
    .bind(record.count.map(i64::from))
    .bind(record.amount)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct JournalRow {
    /// By the meter's clock; 0 if its clock was lost.
    pub at: Timestamp,
    pub kind: JournalKind,
    /// The number of the status bit behind a relay record, 255 by command.
    pub cause: i64,
    /// Of a money record.
    pub amount_fen: Fen,
    /// Purchase count after it.
    pub count: Option<i64>,
    /// Remaining amount after it.
    pub remaining_fen: Option<Fen>,
}

/// The records of a meter, newest first.
pub async fn recent(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<JournalRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT at, kind, cause, amount_fen, count, remaining_fen FROM meter_journal
         WHERE meter_id = $1 ORDER BY at DESC, sequence DESC LIMIT $2"
    )
    .bind(meter)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
