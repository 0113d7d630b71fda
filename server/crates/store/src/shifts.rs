//! Shifts: an operator's cash drawer, what it should hold by the ledger, and what was counted.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{OrderId, RefundId, ReturnId, ShiftId, UserId};
use model::money::{Fen, Money};
use model::order::Tender;
use model::permission::Permission;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use super::audit::record;
use super::console::oversees;
use super::{Db, Result, StoreError, Tx, ledger, on, read};
use domain::ledger::drawer_difference;
use domain::rng::Rng;

/// A stored shift.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Shift {
    pub id: ShiftId,
    pub operator_id: UserId,
    pub operator_name: String,
    pub opened_at: Timestamp,
    /// Change in the drawer at the opening.
    #[sqlx(rename = "float_fen")]
    pub float: Fen,
    pub closed_at: Option<Timestamp>,
    /// Cash that should have been in the drawer at the closing.
    #[sqlx(rename = "expected_fen")]
    pub expected: Option<Fen>,
    #[sqlx(rename = "counted_fen")]
    pub counted: Option<Fen>,
    /// Why both differ.
    pub reason: Option<String>,
}

/// The columns of [`Shift`].
macro_rules! shift_columns {
    () => {
        "SELECT s.id, s.operator_id, u.name AS operator_name, s.opened_at, s.float_fen, s.closed_at, s.expected_fen,
                s.counted_fen, s.reason
         FROM shifts s JOIN users u ON u.id = s.operator_id "
    };
}

/// Open shifts, then the newest.
macro_rules! newest_first {
    () => {
        " ORDER BY CASE WHEN s.closed_at IS NULL THEN 0 ELSE 1 END, s.opened_at DESC LIMIT $2"
    };
}

/// What went over the counter in a shift by one tender, by the ledger.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Takings {
    pub tender: Tender,
    pub sales: i64,
    #[sqlx(rename = "taken_fen")]
    pub taken: Fen,
    /// Returns and corrections.
    pub payouts: i64,
    #[sqlx(rename = "given_fen")]
    pub given: Fen,
}

/// An operator's open shift, locked. The first shift of an operator opens by itself with an empty drawer; later ones are opened
/// by the operator.
///
/// # Errors
/// Refused with [`AppError::ShiftClosed`].
pub(super) async fn working(tx: &mut Tx, rng: &Rng, at: Timestamp, operator: UserId) -> Result<ShiftId> {
    if let Some(open) = lock_open(tx, operator).await? {
        return Ok(open);
    }
    let earlier: Option<(Timestamp,)> =
        on!(tx, |c| sqlx::query_as("SELECT opened_at FROM shifts WHERE operator_id = $1 LIMIT 1")
            .bind(operator)
            .fetch_optional(c)
            .await)?;
    if earlier.is_some() {
        // A concurrent first sale may have opened it meanwhile.
        return lock_open(tx, operator).await?.ok_or_else(|| AppError::ShiftClosed.into());
    }
    insert(tx, rng, at, operator, Fen::ZERO).await?;
    // A concurrent first sale may have opened it; both then use the same shift.
    lock_open(tx, operator).await?.ok_or_else(|| AppError::ShiftClosed.into())
}

/// Locks the open shift, so that it is not closed during the transaction; the update changes nothing.
async fn lock_open(tx: &mut Tx, operator: UserId) -> Result<Option<ShiftId>> {
    let open: Option<(ShiftId,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE shifts SET float_fen = float_fen WHERE operator_id = $1 AND closed_at IS NULL RETURNING id"
    )
    .bind(operator)
    .fetch_optional(c)
    .await)?;
    Ok(open.map(|(id,)| id))
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, operator: UserId, float: Fen) -> Result<bool> {
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO shifts (id, operator_id, opened_at, float_fen) VALUES ($1, $2, $3, $4)
         ON CONFLICT (operator_id) WHERE closed_at IS NULL DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(operator)
    .bind(at)
    .bind(float)
    .execute(c)
    .await)?;
    Ok(inserted == 1)
}

/// Opens an operator's own drawer.
///
/// # Errors
/// Refused with [`AppError::Conflict`] if it is open.
pub async fn open(db: &Db, rng: &Rng, at: Timestamp, who: &Who, float: Fen) -> Result<()> {
    let mut tx = db.begin().await?;
    if !insert(&mut tx, rng, at, who.user, float).await? {
        return Err(AppError::Conflict.into());
    }
    let detail = json!({ "float_fen": float });
    record(&mut tx, at, who, (AuditAction::ShiftOpen, &format!("user:{}", who.user)), &detail).await?;
    tx.commit().await
}

/// Closes a shift with the counted cash. A difference requires a reason and is posted to its own ledger account.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for another operator's shift unless an approver of their buildings closes it,
/// [`AppError::Conflict`] for a closed one, or [`AppError::DrawerDiffers`] for a difference without a reason.
pub async fn close(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ShiftId, counted: Fen, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row: Option<(UserId, Fen, bool)> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "UPDATE shifts SET float_fen = float_fen WHERE id = $2 AND operator_id IN (SELECT u.id FROM users u WHERE",
        oversees!(),
        ") RETURNING operator_id, float_fen, closed_at IS NOT NULL"
    ))
    .bind(who.user)
    .bind(id)
    .fetch_optional(c)
    .await)?;
    let (_, float, closed) =
        row.filter(|(owner, ..)| *owner == who.user || who.may(Permission::Approve)).ok_or(AppError::NotFound)?;
    if closed {
        return Err(AppError::Conflict.into());
    }
    let cash: Option<(Money,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN t.operation = 'payment' THEN t.amount_e4 ELSE -t.amount_e4 END), 0) AS BIGINT)
         FROM ledger_transfers t
         WHERE (t.operation = 'payment' AND t.debit = 'cash' AND t.reference IN (SELECT id FROM orders WHERE shift_id = $1))
            OR (t.operation = 'payout' AND t.credit = 'cash' AND t.reference IN (SELECT id FROM returns WHERE shift_id = $1))
            OR (t.operation = 'refund' AND t.credit = 'cash' AND t.reference IN (SELECT id FROM refunds WHERE shift_id = $1))"
    )
    .bind(id)
    .fetch_optional(c)
    .await)?;
    let expected = float + cash.map_or(Fen::ZERO, |(cash,)| cash.split_fen().0);
    let difference = counted - expected;
    if difference != Fen::ZERO && reason.is_empty() {
        return Err(AppError::DrawerDiffers.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "UPDATE shifts SET closed_at = $2, closed_by = $3, expected_fen = $4, counted_fen = $5, reason = $6
         WHERE id = $1 AND closed_at IS NULL"
    )
    .bind(id)
    .bind(at)
    .bind(who.user)
    .bind(expected)
    .bind(counted)
    .bind(reason)
    .execute(c)
    .await)?;
    if let Some(transfer) = drawer_difference(id.0, difference.money()) {
        ledger::post(&mut tx, rng, at, &transfer).await?;
    }
    let detail = json!({ "expected_fen": expected, "counted_fen": counted, "reason": reason });
    record(&mut tx, at, who, (AuditAction::ShiftClose, &format!("shift:{id}")), &detail).await?;
    tx.commit().await
}

/// A shift of an operator's own or of one whom they oversee.
pub async fn find(db: &Db, by: UserId, id: ShiftId) -> Result<Option<Shift>> {
    read!(db, |pool| sqlx::query_as(concat!(shift_columns!(), "WHERE s.id = $2 AND", oversees!()))
        .bind(by)
        .bind(id)
        .fetch_optional(pool)
        .await)
}

/// The newest shifts of an operator, an open one first.
pub async fn recent(db: &Db, operator: UserId, limit: i64) -> Result<Vec<Shift>> {
    newest(db, concat!(shift_columns!(), "WHERE s.operator_id = $1", newest_first!()), operator, limit).await
}

/// The newest shifts of an operator and of those whom they oversee, open ones first.
pub async fn overseen(db: &Db, by: UserId, limit: i64) -> Result<Vec<Shift>> {
    newest(db, concat!(shift_columns!(), "WHERE", oversees!(), newest_first!()), by, limit).await
}

async fn newest(db: &Db, sql: &'static str, by: UserId, limit: i64) -> Result<Vec<Shift>> {
    read!(db, |pool| sqlx::query_as(sql).bind(by).bind(limit).fetch_all(pool).await)
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
    .bind(id)
    .fetch_all(pool)
    .await)
}

/// Assigns a sale, or a return or refund that is paid, to the operator's open shift.
pub(super) async fn note(tx: &mut Tx, rng: &Rng, at: Timestamp, operator: UserId, of: Entered) -> Result<()> {
    let shift = working(tx, rng, at, operator).await?;
    let noted = match of {
        Entered::Sale(id) => on!(tx, |c| sqlx::query("UPDATE orders SET shift_id = $1 WHERE id = $2 AND shift_id IS NULL")
            .bind(shift)
            .bind(id)
            .execute(c)
            .await)?,
        Entered::Payout(id) => on!(tx, |c| sqlx::query("UPDATE returns SET shift_id = $1 WHERE id = $2 AND shift_id IS NULL")
            .bind(shift)
            .bind(id)
            .execute(c)
            .await)?,
        Entered::Refund(id) => on!(tx, |c| sqlx::query("UPDATE refunds SET shift_id = $1 WHERE id = $2 AND shift_id IS NULL")
            .bind(shift)
            .bind(id)
            .execute(c)
            .await)?,
    };
    if noted == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table: "shifts", column: "id" }) }
}

/// What is assigned to a shift.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entered {
    Sale(OrderId),
    /// A return that is paid out.
    Payout(ReturnId),
    /// A refund that is paid over the counter.
    Refund(RefundId),
}
