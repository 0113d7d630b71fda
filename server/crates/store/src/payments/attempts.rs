//! Attempts to pay an order: one channel, one number, one amount, one end.

use model::error::AppError;
use model::ids::{AttemptId, OrderId};
use model::money::Fen;
use model::order::{OrderState, PaymentWay, Tender};
use model::time::{MINUTE, SECOND, Timestamp};
use model::word_enum;
use sqlx::FromRow;

use crate::{Db, Result, StoreError, Tx, on, read};
use domain::payment::out_trade_no;
use domain::rng::Rng;

/// A form is handed out again only if at least this much is left to pay it.
const WORTH_RESUMING: i64 = MINUTE;
/// The first query; see `tasks::query_payments`.
const FIRST_QUERY: i64 = 10 * SECOND;
/// A page that is open makes us ask sooner, but not more often than this.
const NUDGE_SPACING: i64 = 3 * SECOND;

word_enum! {
    /// Where an attempt stands.
    pub enum AttemptState {
        Pending = "pending",
        /// The channel is asked to close it.
        Closing = "closing",
        Paid = "paid",
        Closed = "closed",
        /// A message that does not fit is with a person.
        Held = "held",
    }
}

/// A stored attempt.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Attempt {
    pub id: AttemptId,
    pub order_id: OrderId,
    pub channel: Tender,
    /// Our number at the channel.
    pub out_trade_no: String,
    #[sqlx(rename = "amount_fen")]
    pub amount: Fen,
    /// Our application at the channel.
    pub app_id: String,
    /// Our merchant number at the channel.
    pub seller_id: String,
    pub state: AttemptState,
    pub created_at: Timestamp,
    /// Until when the channel takes the payment.
    pub expires_at: Timestamp,
    /// How often the channel was asked about it.
    pub queries: i64,
    pub next_query_at: Timestamp,
    /// The channel's number of the trade that paid it.
    pub trade_no: Option<String>,
}

/// The columns of [`Attempt`].
macro_rules! attempt_columns {
    () => {
        " id, order_id, channel, out_trade_no, amount_fen, app_id, seller_id, state, created_at, expires_at, queries,
          next_query_at, trade_no "
    };
}

/// Under which terms an attempt is made.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Through which channel.
    pub channel: Tender,
    /// Our application there.
    pub app_id: &'a str,
    /// Our merchant number there.
    pub seller_id: &'a str,
    /// For how long it may be paid, ms; the end is rounded up to a whole minute, for channels that know no seconds.
    pub lifetime: i64,
    /// By which way the payer reaches the cashier.
    pub way: PaymentWay,
    /// A digest of the payer's id, where the way is of one payer and they have signed in.
    pub payer: Option<&'a str>,
}

#[derive(FromRow)]
struct WayRow {
    id: AttemptId,
    way: PaymentWay,
    payer: Option<String>,
}

/// The attempt under which an order can be paid now: the open one while it lasts, otherwise a new one with a new number.
/// Committed when this returns; only then may the channel hear of it.
///
/// # Errors
/// Refused with [`AppError::NotFound`], [`AppError::OrderClosed`] or [`AppError::Invalid`] (another channel's order).
pub async fn open_attempt(db: &Db, rng: &Rng, at: Timestamp, order: OrderId, terms: &Terms<'_>) -> Result<Attempt> {
    // Two taps do not make two attempts.
    let mut tx = begin_locked(db, order).await?;
    let row: Option<(OrderState, Tender, i64, Fen)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT state, tender, number, amount_fen FROM orders WHERE id = $1")
            .bind(order.0)
            .fetch_optional(c)
            .await)?;
    let (state, tender, number, amount) = row.ok_or(AppError::NotFound)?;
    if tender != terms.channel {
        return Err(AppError::Invalid.into());
    }
    if state != OrderState::Pending {
        return Err(AppError::OrderClosed.into());
    }
    let before = of_order(&mut tx, order).await?;
    if before.iter().any(|attempt| matches!(attempt.state, AttemptState::Held | AttemptState::Paid)) {
        return Err(AppError::OrderClosed.into());
    }
    let ways = ways(&mut tx, order).await?;
    let same_way =
        |attempt: &Attempt| ways.iter().any(|row| row.id == attempt.id && row.way == terms.way && row.is_of(terms.payer));
    let resumed = before.iter().find(|attempt| {
        attempt.state == AttemptState::Pending
            && attempt.app_id == terms.app_id
            && attempt.seller_id == terms.seller_id
            && attempt.expires_at > at.plus(WORTH_RESUMING)
            && same_way(attempt)
    });
    if let Some(attempt) = resumed {
        note_payer(&mut tx, attempt, terms.payer).await?;
        tx.commit().await?;
        return Ok(attempt.clone());
    }
    give_up(&mut tx, at, order).await?;
    let end = at.plus(terms.lifetime + MINUTE - 1).0;
    let attempt: Option<Attempt> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "INSERT INTO payment_attempts
           (id, order_id, channel, out_trade_no, amount_fen, app_id, seller_id, state, created_at, expires_at, next_query_at,
            way, payer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, $11, $12)
         RETURNING",
        attempt_columns!()
    ))
    .bind(rng.id(at))
    .bind(order.0)
    .bind(terms.channel.as_str())
    .bind(out_trade_no(number, before.len() + 1))
    .bind(amount)
    .bind(terms.app_id)
    .bind(terms.seller_id)
    .bind(at.0)
    .bind(end - end.rem_euclid(MINUTE))
    .bind(at.plus(FIRST_QUERY).0)
    .bind(terms.way)
    .bind(terms.payer)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    attempt.ok_or(StoreError::Inconsistent { table: "payment_attempts", column: "id" })
}

impl WayRow {
    /// One that was opened before its payer signed in is of whoever signs in first.
    fn is_of(&self, payer: Option<&str>) -> bool {
        self.payer.is_none() || payer.is_none() || self.payer.as_deref() == payer
    }
}

async fn ways(tx: &mut Tx, order: OrderId) -> Result<Vec<WayRow>> {
    on!(tx, |c| sqlx::query_as("SELECT id, way, payer FROM payment_attempts WHERE order_id = $1").bind(order).fetch_all(c).await)
}

async fn note_payer(tx: &mut Tx, attempt: &Attempt, payer: Option<&str>) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE payment_attempts SET payer = $1 WHERE id = $2 AND payer IS NULL")
        .bind(payer)
        .bind(attempt.id)
        .execute(c)
        .await)?;
    Ok(())
}

/// A transaction that has locked the attempts of an order and then the order, as a settlement does. An attempt that comes between
/// the two is not locked, and to wait for it with the order in hand could be a deadlock: then all is done again.
pub(crate) async fn begin_locked(db: &Db, order: OrderId) -> Result<Tx> {
    loop {
        let mut tx = db.begin().await?;
        let locked = lock_order(&mut tx, order).await?;
        let count = "SELECT COUNT(*) FROM payment_attempts WHERE order_id = $1";
        let count: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(count).bind(order).fetch_optional(c).await)?;
        if count.and_then(|(count,)| usize::try_from(count).ok()) == Some(locked) {
            return Ok(tx);
        }
    }
}

macro_rules! attempts_by_id {
    () => {
        "SELECT id FROM payment_attempts WHERE order_id = $1 ORDER BY id"
    };
}

/// Locks the attempts of an order by their ids, so that of two transactions that need several the second holds none while it
/// waits, and gives how many there are. Those of several orders are locked by the ids of the orders. SQLite has one writer.
pub(crate) async fn lock_attempts(tx: &mut Tx, order: OrderId) -> Result<usize> {
    let text = match tx {
        Tx::Sqlite(_) => attempts_by_id!(),
        Tx::Postgres(_) => concat!(attempts_by_id!(), " FOR NO KEY UPDATE"),
    };
    let locked: Vec<(AttemptId,)> = on!(tx, |c| sqlx::query_as(text).bind(order).fetch_all(c).await)?;
    Ok(locked.len())
}

/// The same, and then the order.
pub(crate) async fn lock_order(tx: &mut Tx, order: OrderId) -> Result<usize> {
    let locked = lock_attempts(tx, order).await?;
    on!(tx, |c| sqlx::query("UPDATE orders SET state = state WHERE id = $1").bind(order).execute(c).await)?;
    Ok(locked)
}

/// Another attempt, or another order, takes the place of the open ones, which are not about to expire: nobody is given their form
/// any more, and the next queries close them at their channels, so that nobody pays twice.
pub(crate) async fn give_up(tx: &mut Tx, at: Timestamp, order: OrderId) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE payment_attempts SET state = 'closing', next_query_at = $1
         WHERE order_id = $2 AND state = 'pending' AND expires_at > $3"
    )
    .bind(at)
    .bind(order)
    .bind(at.plus(WORTH_RESUMING))
    .execute(c)
    .await)?;
    Ok(())
}

/// By which way an attempt is paid, and the digest of its payer.
pub async fn way_of(db: &Db, attempt: AttemptId) -> Result<Option<(PaymentWay, Option<String>)>> {
    let row: Option<WayRow> = read!(db, |pool| sqlx::query_as("SELECT id, way, payer FROM payment_attempts WHERE id = $1")
        .bind(attempt)
        .fetch_optional(pool)
        .await)?;
    Ok(row.map(|row| (row.way, row.payer)))
}

/// By our number at the channel.
pub async fn find(db: &Db, out_trade_no: &str) -> Result<Option<Attempt>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", attempt_columns!(), "FROM payment_attempts WHERE out_trade_no = $1"))
        .bind(out_trade_no)
        .fetch_optional(pool)
        .await)
}

/// All attempts of an order, oldest first.
pub async fn attempts_of(db: &Db, order: OrderId) -> Result<Vec<Attempt>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        attempt_columns!(),
        "FROM payment_attempts WHERE order_id = $1 ORDER BY created_at, id"
    ))
    .bind(order.0)
    .fetch_all(pool)
    .await)
}

async fn of_order(tx: &mut Tx, order: OrderId) -> Result<Vec<Attempt>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT",
        attempt_columns!(),
        "FROM payment_attempts WHERE order_id = $1 ORDER BY created_at, id"
    ))
    .bind(order.0)
    .fetch_all(c)
    .await)
}

/// Takes the attempts whose query is due, each with the time of its next one, so that no other process asks as well. One that
/// is held is asked about while only notifications were heard of it that do not fit;
/// after the channel's own word a person decides.
pub async fn claim_due(db: &Db, now: Timestamp, limit: i64, next: impl Fn(&Attempt) -> Timestamp) -> Result<Vec<Attempt>> {
    let mut due: Vec<Attempt> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        attempt_columns!(),
        "FROM payment_attempts WHERE state IN ('pending', 'closing', 'held') AND next_query_at <= $1
           AND (state <> 'held' OR NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.attempt_id = payment_attempts.id
                                               AND e.kind = 'paid'))
         ORDER BY next_query_at, id LIMIT $2"
    ))
    .bind(now.0)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    if due.is_empty() {
        return Ok(due);
    }
    // As they are locked everywhere.
    due.sort_by_key(|attempt| (attempt.order_id, attempt.id));
    let mut claimed = Vec::with_capacity(due.len());
    let mut tx = db.begin().await?;
    for attempt in due {
        let taken = on!(&mut tx, |c| sqlx::query(
            "UPDATE payment_attempts SET next_query_at = $1, queries = queries + 1, queried_at = $2
             WHERE id = $3 AND next_query_at = $4 AND state IN ('pending', 'closing', 'held')"
        )
        .bind(next(&attempt).0)
        .bind(now.0)
        .bind(attempt.id)
        .bind(attempt.next_query_at)
        .execute(c)
        .await)?;
        if taken == 1 {
            claimed.push(attempt);
        }
    }
    tx.commit().await?;
    claimed.sort_by_key(|attempt| (attempt.next_query_at, attempt.id));
    Ok(claimed)
}

/// Notes, before the channel is told to close it, that an attempt is being closed: nobody is given its form any more. One that
/// is held stays so: nobody pays its order anew meanwhile.
pub async fn begin_close(db: &Db, attempt: AttemptId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let touched = on!(&mut tx, |c| sqlx::query(
        "UPDATE payment_attempts SET state = CASE WHEN state = 'held' THEN 'held' ELSE 'closing' END
         WHERE id = $1 AND state IN ('pending', 'closing', 'held')"
    )
    .bind(attempt.0)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(touched == 1)
}

/// Somebody looks at the order: ask the channel now, unless we have just done so. Says whether anything is to be asked.
pub async fn nudge(db: &Db, now: Timestamp, order: OrderId) -> Result<bool> {
    let mut tx = db.begin().await?;
    lock_attempts(&mut tx, order).await?;
    let touched = on!(&mut tx, |c| sqlx::query(
        "UPDATE payment_attempts SET next_query_at = $1
         WHERE order_id = $2 AND state IN ('pending', 'closing', 'held') AND next_query_at > $1
           AND COALESCE(queried_at, created_at) <= $3"
    )
    .bind(now.0)
    .bind(order.0)
    .bind(now.plus(-NUDGE_SPACING).0)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(touched > 0)
}
