//! Importing a bill: once by its digest. A day stands by one bill, and its fees are on the ledger.

use model::money::Money;
use model::order::Tender;
use model::person::Who;
use model::time::{Date, MINUTE, Timestamp};
use uuid::Uuid;

use super::{audit_actor, foreign, subject};
use crate::audit::{self, Entry};
use crate::bulk::Bulk;
use crate::{Db, Result, StoreError, Tx, ledger, on, read};
use domain::ledger::fees;
use domain::rng::Rng;
use domain::statement::{Statement, StatementLine};

/// A channel that says nothing happened is asked again after so long, before it is believed.
const ASK_AGAIN: i64 = 30 * MINUTE;
/// And is not believed for so long, days, where our ledger says otherwise: the bill may still be made.
const DISBELIEVED: i64 = 3;

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// The day stands by this bill from now on.
    New,
    /// It stood by it already; nothing changed.
    Known,
}

/// Whether a channel is to be believed that says nothing happened: said twice, and our ledger holds nothing, or it says so for
/// days. Remembers when it first said so.
pub async fn says_nothing(db: &Db, at: Timestamp, channel: Tender, bill: &Statement) -> Result<bool> {
    let mut tx = db.begin().await?;
    let row: Option<(i64,)> = on!(&mut tx, |c| {
        sqlx::query_as(
            "INSERT INTO settlement_days (channel, day, tried_at, nothing_at, note) VALUES ($1, $2, $3, $3, 'nothing')
         ON CONFLICT (channel, day) DO UPDATE SET tried_at = excluded.tried_at, note = 'nothing',
             note_row = NULL, note_column = NULL,
             nothing_at = COALESCE(settlement_days.nothing_at, excluded.nothing_at)
         RETURNING nothing_at",
        )
        .bind(channel.as_str())
        .bind(bill.day.0)
        .bind(at.0)
        .fetch_optional(c)
        .await
    })?;
    let first = row.map_or(at.0, |(first,)| first);
    let clearing = format!("clearing:{}", channel.as_str());
    let booked: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM ledger_transfers
         WHERE (debit = $1 OR credit = $1) AND operation NOT IN ('fees', 'settlement') AND at >= $2 AND at < $3"
    )
    .bind(&clearing)
    .bind(bill.window.0.0)
    .bind(bill.window.1.0)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    let ours = booked.is_some_and(|(count,)| count > 0);
    let long = at.date().0 - bill.day.0 > DISBELIEVED;
    Ok(at.0 - first >= ASK_AGAIN && (!ours || long))
}

/// Why no statement could be imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unavailable<'a> {
    /// The reason code, which the pages translate.
    pub code: &'a str,
    /// The row of the file, from 1, and the column that could not be read.
    pub row: Option<i64>,
    pub column: Option<&'a str>,
}

/// Remembers that no bill came, and why.
pub async fn unavailable(db: &Db, at: Timestamp, channel: Tender, day: Date, why: &Unavailable<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO settlement_days (channel, day, tried_at, note, note_row, note_column) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (channel, day) DO UPDATE SET tried_at = excluded.tried_at, note = excluded.note,
             note_row = excluded.note_row, note_column = excluded.note_column"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .bind(at.0)
    .bind(why.code)
    .bind(why.row)
    .bind(why.column)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Our merchant numbers at the channel that were paid or refunded around a day: a day earlier or later a bill may have it.
pub async fn active_sellers(db: &Db, channel: Tender, day: Date) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = read!(db, |pool| sqlx::query_as(
        "SELECT DISTINCT p.seller_id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
         WHERE e.channel = $1 AND e.received_at >= $2 AND e.received_at < $3"
    )
    .bind(channel.as_str())
    .bind(day.plus(-1).start().0)
    .bind(day.plus(2).start().0)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(seller,)| seller).collect())
}

/// Imports a bill, posts what it changes of the day's fees, and makes the day stand by it.
/// `by` is the person who asked, if one did.
///
/// # Errors
/// Where the database fails; then nothing was changed.
pub async fn import(db: &Db, rng: &Rng, at: Timestamp, channel: Tender, bill: &Statement, by: Option<&Who>) -> Result<Imported> {
    let mut tx = db.begin().await?;
    // Locks the day: two imports at once follow each other.
    let day: Option<(Option<Uuid>,)> = on!(&mut tx, |c| sqlx::query_as(
        "INSERT INTO settlement_days (channel, day, tried_at) VALUES ($1, $2, $3)
         ON CONFLICT (channel, day) DO UPDATE SET tried_at = excluded.tried_at, note = NULL, note_row = NULL,
             note_column = NULL
         RETURNING bill_id"
    )
    .bind(channel.as_str())
    .bind(bill.day.0)
    .bind(at.0)
    .fetch_optional(c)
    .await)?;
    let stood_by = day.and_then(|(bill,)| bill);
    let id = match find(&mut tx, channel, bill).await? {
        Some(known) => known,
        None => insert(&mut tx, rng, at, channel, bill).await?,
    };
    if stood_by == Some(id) {
        tx.commit().await?;
        return Ok(Imported::Known);
    }
    let posted: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(fee_e4), 0) AS BIGINT) FROM settlement_bills WHERE channel = $1 AND day = $2"
    )
    .bind(channel.as_str())
    .bind(bill.day.0)
    .fetch_optional(c)
    .await)?;
    let (change, beyond) = (rng.id(at), bill.fees() - Money(posted.map_or(0, |(e4,)| e4)));
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO settlement_bills (id, channel, day, bill_id, fee_e4, at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(change)
    .bind(channel.as_str())
    .bind(bill.day.0)
    .bind(id)
    .bind(beyond.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    on!(&mut tx, |c| sqlx::query("UPDATE settlement_days SET bill_id = $3 WHERE channel = $1 AND day = $2")
        .bind(channel.as_str())
        .bind(bill.day.0)
        .bind(id)
        .execute(c)
        .await)?;
    if let Some(transfer) = fees(change, channel.as_str(), beyond) {
        ledger::post(&mut tx, rng, at, &transfer).await?;
    }
    let detail = serde_json::json!({
        "digest": hex::encode(&bill.digest), "lines": bill.lines.len(), "foreign": bill.foreign.len(),
        "total_fen": bill.total(), "fees_e4": bill.fees(),
    });
    let (subject, detail, (actor, ip)) = (subject(channel, bill.day), detail.to_string(), audit_actor(by));
    audit::append(&mut tx, at, &Entry { actor: &actor, ip, action: "bill.import", subject: &subject, detail: &detail }).await?;
    tx.commit().await?;
    Ok(Imported::New)
}

async fn find(tx: &mut Tx, channel: Tender, bill: &Statement) -> Result<Option<Uuid>> {
    let row: Option<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM bills WHERE channel = $1 AND day = $2 AND digest = $3")
            .bind(channel.as_str())
            .bind(bill.day.0)
            .bind(&bill.digest)
            .fetch_optional(c)
            .await)?;
    Ok(row.map(|(id,)| id))
}

static LINES: std::sync::LazyLock<Bulk> = std::sync::LazyLock::new(|| {
    Bulk::new("INSERT INTO bill_lines (bill_id, line, kind, out_trade_no, trade_no, refund_no, amount_fen, fee_e4, at)", 9, "")
});

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, channel: Tender, bill: &Statement) -> Result<Uuid> {
    let id = rng.id(at);
    on!(tx, |c| sqlx::query(
        "INSERT INTO bills (id, channel, day, from_at, to_at, digest, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(id)
    .bind(channel.as_str())
    .bind(bill.day.0)
    .bind(bill.window.0.0)
    .bind(bill.window.1.0)
    .bind(&bill.digest)
    .bind(at.0)
    .execute(c)
    .await)?;
    let numbered: Vec<(i64, &StatementLine)> = (1..).zip(&bill.lines).collect();
    for (text, piece) in LINES.pieces(tx, &numbered) {
        let inserted = on!(tx, |c| {
            let mut query = sqlx::query(text);
            for (at, line) in piece {
                query = query
                    .bind(id)
                    .bind(*at)
                    .bind(line.kind.as_str())
                    .bind(&line.out_trade_no)
                    .bind(&line.trade_no)
                    .bind(line.refund_no.as_deref())
                    .bind(line.amount.0)
                    .bind(line.fee.0)
                    .bind(line.at.0);
            }
            query.execute(c).await
        })?;
        if inserted != piece.len() as u64 {
            return Err(StoreError::Inconsistent { table: "bill_lines", column: "line" });
        }
    }
    foreign::insert(tx, id, &bill.foreign).await?;
    Ok(id)
}
