//! Shifts: whose drawer the cash is in, what should be there by the ledger, and what was counted.

use model::error::AppError;
use model::ids::{OrderId, RefundId, ReturnId, ShiftId, UserId, Uuid};
use model::money::Fen;
use model::person::{Role, Who};
use model::time::Timestamp;
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, ledger, on, read};
use domain::ledger::drawer_difference;
use domain::rng::Rng;

/// A stored shift.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Shift {
    /// [`ShiftId`].
    pub id: Uuid,
    /// [`UserId`].
    pub operator_id: Uuid,
    /// What they are called.
    pub operator_name: String,
    /// When the drawer was opened.
    pub opened_at: i64,
    /// Change that was in it before.
    pub float_fen: i64,
    /// When it was counted.
    pub closed_at: Option<i64>,
    /// What should have been in it.
    pub expected_fen: Option<i64>,
    pub counted_fen: Option<i64>,
    /// Why they differ.
    pub reason: Option<String>,
}

/// What went over the counter in a shift by one tender, by the ledger.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Takings {
    /// A word of `Tender`.
    pub tender: String,
    pub sales: i64,
    /// What came in, fen.
    pub taken_fen: i64,
    /// Returns and corrections.
    pub payouts: i64,
    /// What went out, fen.
    pub given_fen: i64,
}

/// The shift that an operator works in, locked. Whoever never had one begins with an empty drawer; after a shift was closed the
/// next is opened by hand.
///
/// # Errors
/// Refused with [`AppError::ShiftClosed`].
pub(super) async fn working(tx: &mut Tx, rng: &Rng, at: Timestamp, operator: UserId) -> Result<ShiftId> {
    if let Some(open) = lock_open(tx, operator).await? {
        return Ok(open);
    }
    let before: Option<(i64,)> = on!(tx, |c| sqlx::query_as("SELECT opened_at FROM shifts WHERE operator_id = $1 LIMIT 1")
        .bind(operator.0)
        .fetch_optional(c)
        .await)?;
    if before.is_some() {
        // Of two first sales at once the other may have opened it since we looked.
        return lock_open(tx, operator).await?.ok_or_else(|| AppError::ShiftClosed.into());
    }
    insert(tx, rng, at, operator, Fen::ZERO).await?;
    // Two first sales at once: the other's shift is this one's too.
    lock_open(tx, operator).await?.ok_or_else(|| AppError::ShiftClosed.into())
}

/// The update changes nothing: it locks the row, so that a shift is not closed around what is being written into it.
async fn lock_open(tx: &mut Tx, operator: UserId) -> Result<Option<ShiftId>> {
    let open: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE shifts SET float_fen = float_fen WHERE operator_id = $1 AND closed_at IS NULL RETURNING id"
    )
    .bind(operator.0)
    .fetch_optional(c)
    .await)?;
    Ok(open.map(|(id,)| ShiftId(id)))
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, operator: UserId, float: Fen) -> Result<bool> {
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO shifts (id, operator_id, opened_at, float_fen) VALUES ($1, $2, $3, $4)
         ON CONFLICT (operator_id) WHERE closed_at IS NULL DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(operator.0)
    .bind(at.0)
    .bind(float.0)
    .execute(c)
    .await)?;
    Ok(inserted == 1)
}

/// Opens an operator's own drawer.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where it is open.
pub async fn open(db: &Db, rng: &Rng, at: Timestamp, who: &Who, float: Fen) -> Result<()> {
    let mut tx = db.begin().await?;
    if !insert(&mut tx, rng, at, who.user, float).await? {
        return Err(AppError::Conflict.into());
    }
    let detail = serde_json::json!({ "float_fen": float });
    record(&mut tx, at, who, "shift.open", &format!("user:{}", who.user), &detail).await?;
    tx.commit().await
}

/// Closes a shift with what was counted; a difference needs its reason, and goes to its own account of the ledger. Nothing can be
/// sold into it any more.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for another operator's unless an administrator closes it, [`AppError::Conflict`] where
/// it is closed, or [`AppError::DrawerDiffers`] for a difference without a reason.
pub async fn close(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ShiftId, counted: Fen, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row: Option<(Uuid, i64, bool)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE shifts SET float_fen = float_fen WHERE id = $1 RETURNING operator_id, float_fen, closed_at IS NOT NULL"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    let (_, float, closed) =
        row.filter(|(owner, ..)| *owner == who.user.0 || who.role == Role::Admin).ok_or(AppError::NotFound)?;
    if closed {
        return Err(AppError::Conflict.into());
    }
    let cash: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN t.operation = 'payment' THEN t.amount_e4 ELSE -t.amount_e4 END), 0) AS BIGINT)
         FROM ledger_transfers t
         WHERE (t.operation = 'payment' AND t.debit = 'cash' AND t.reference IN (SELECT id FROM orders WHERE shift_id = $1))
            OR (t.operation = 'payout' AND t.credit = 'cash' AND t.reference IN (SELECT id FROM returns WHERE shift_id = $1))
            OR (t.operation = 'refund' AND t.credit = 'cash' AND t.reference IN (SELECT id FROM refunds WHERE shift_id = $1))"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    let expected = Fen(float + cash.map_or(0, |(e4,)| e4) / 100);
    let difference = counted - expected;
    if difference != Fen::ZERO && reason.is_empty() {
        return Err(AppError::DrawerDiffers.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "UPDATE shifts SET closed_at = $2, closed_by = $3, expected_fen = $4, counted_fen = $5, reason = $6
         WHERE id = $1 AND closed_at IS NULL"
    )
    .bind(id.0)
    .bind(at.0)
    .bind(who.user.0)
    .bind(expected.0)
    .bind(counted.0)
    .bind(reason)
    .execute(c)
    .await)?;
    if let Some(transfer) = drawer_difference(id.0, difference.money()) {
        ledger::post(&mut tx, rng, at, &transfer).await?;
    }
    let detail = serde_json::json!({ "expected_fen": expected, "counted_fen": counted, "reason": reason });
    record(&mut tx, at, who, "shift.close", &format!("shift:{id}"), &detail).await?;
    tx.commit().await
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: &str, subject: &str, detail: &serde_json::Value) -> Result<()> {
    let (actor, detail) = (format!("user:{}", who.user), detail.to_string());
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject, detail: &detail }).await
}

pub async fn find(db: &Db, id: ShiftId) -> Result<Option<Shift>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT s.id, s.operator_id, u.name AS operator_name, s.opened_at, s.float_fen, s.closed_at, s.expected_fen,
            s.counted_fen,
                s.reason
         FROM shifts s JOIN users u ON u.id = s.operator_id WHERE s.id = $1",
        )
        .bind(id.0)
        .fetch_optional(pool)
        .await
    })
}

/// The newest shifts, open ones first: of one operator, or with `None` of all.
pub async fn recent(db: &Db, operator: Option<UserId>, limit: i64) -> Result<Vec<Shift>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT s.id, s.operator_id, u.name AS operator_name, s.opened_at, s.float_fen, s.closed_at, s.expected_fen,
            s.counted_fen,
                s.reason
         FROM shifts s JOIN users u ON u.id = s.operator_id WHERE $1 IS NULL OR s.operator_id = $1
         ORDER BY CASE WHEN s.closed_at IS NULL THEN 0 ELSE 1 END, s.opened_at DESC LIMIT $2",
        )
        .bind(operator.map(|user| user.0))
        .bind(limit)
        .fetch_all(pool)
        .await
    })
}

/// What went over the counter in a shift, by tender.
pub async fn takings(db: &Db, id: ShiftId) -> Result<Vec<Takings>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT tender, CAST(SUM(sale) AS BIGINT) AS sales, CAST(SUM(taken) / 100 AS BIGINT) AS taken_fen,
                CAST(SUM(payout) AS BIGINT) AS payouts, CAST(SUM(given) / 100 AS BIGINT) AS given_fen
         FROM (SELECT o.tender, 1 AS sale, t.amount_e4 AS taken, 0 AS payout, CAST(0 AS BIGINT) AS given
               FROM orders o JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = o.id WHERE o.shift_id = $1
               UNION ALL
               SELECT v.tender, 0, 0, 1, t.amount_e4
               FROM returns v JOIN ledger_transfers t ON t.operation = 'payout' AND t.reference = v.id WHERE v.shift_id = $1
               UNION ALL
               SELECT f.tender, 0, 0, 1, t.amount_e4
               FROM refunds f JOIN ledger_transfers t ON t.operation = 'refund' AND t.reference = f.id WHERE f.shift_id = $1) AS x
         GROUP BY tender ORDER BY tender"
    )
    .bind(id.0)
    .fetch_all(pool)
    .await)
}

impl Shift {
    #[must_use]
    pub const fn id(&self) -> ShiftId {
        ShiftId(self.id)
    }
}

/// Notes in which shift a sale was made, or a return or refund paid.
pub(super) async fn note(tx: &mut Tx, rng: &Rng, at: Timestamp, operator: UserId, of: Entered) -> Result<()> {
    let shift = working(tx, rng, at, operator).await?;
    let noted = match of {
        Entered::Sale(id) => on!(tx, |c| sqlx::query("UPDATE orders SET shift_id = $1 WHERE id = $2 AND shift_id IS NULL")
            .bind(shift.0)
            .bind(id)
            .execute(c)
            .await)?,
        Entered::Payout(id) => on!(tx, |c| sqlx::query("UPDATE returns SET shift_id = $1 WHERE id = $2 AND shift_id IS NULL")
            .bind(shift.0)
            .bind(id)
            .execute(c)
            .await)?,
        Entered::Refund(id) => on!(tx, |c| sqlx::query("UPDATE refunds SET shift_id = $1 WHERE id = $2 AND shift_id IS NULL")
            .bind(shift.0)
            .bind(id)
            .execute(c)
            .await)?,
    };
    if noted == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table: "shifts", column: "id" }) }
}

/// What is written into a shift.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entered {
    Sale(OrderId),
    /// A return that is paid out.
    Payout(ReturnId),
    /// A refund that is paid over the counter.
    Refund(RefundId),
}
