//! Returns of money that no wallet holds: what a closing has taken out of meters, and sales that never reached one.

use model::case::CaseKind;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, UserId};
use model::money::Fen;
use model::order::{OrderState, ReturnKind, Tender};
use model::time::Timestamp;

use super::ask::{Terms, again, insert};
use super::{NewReturn, Return, ReturnSubject, Source};
use crate::orders::Order;
use crate::{Result, StoreError, Tx, on};
use domain::returns::Rules;
use domain::rng::Rng;

/// What a closing owes.
pub(crate) struct Owed {
    pub closing: ClosingId,
    pub account: AccountId,
    /// Out of which meter; one of them where there were more.
    pub meter: MeterId,
    /// How it is paid out.
    pub tender: Tender,
    pub amount: Fen,
    pub reason: String,
    /// Who asked for it.
    pub by: UserId,
}

/// Stores the return of what a closing has taken, in the caller's transaction: to be paid out at once, or when a second person
/// has approved. The audit line is the caller's.
pub(crate) async fn owe(tx: &mut Tx, rng: &Rng, at: Timestamp, rules: &Rules, owed: &Owed) -> Result<Return> {
    let Owed { closing, account, meter, tender, amount, by, .. } = *owed;
    let new = NewReturn {
        key: rng.id(at),
        of: ReturnSubject::Remaining { account, meter, tender, amount },
        reason: owed.reason.clone(),
        by,
        ip: String::new(),
    };
    let terms = Terms {
        kind: ReturnKind::Return,
        source: Source::Closing,
        account,
        meter,
        order: None,
        back: None,
        closing: Some(closing),
        tender,
        amount,
    };
    let until = rules.second_until(amount, at);
    let row = insert(tx, rng, at, &new, &terms, until).await?;
    let row = row.ok_or(StoreError::Inconsistent { table: "returns", column: "key" })?;
    if until.is_none() { begin(tx, at, &row).await } else { Ok(row) }
}

/// Nothing has to be taken out any more: it may be paid.
pub(super) async fn begin(tx: &mut Tx, at: Timestamp, row: &Return) -> Result<Return> {
    let moved =
        on!(tx, |c| sqlx::query("UPDATE returns SET state = 'taken', taken_at = $2 WHERE id = $1 AND state = 'waiting'")
            .bind(row.id)
            .bind(at.0)
            .execute(c)
            .await)?;
    again(tx, row, moved).await
}

/// The terms of a sale that was paid for and cannot reach its meter any more: it goes back whole.
pub(super) async fn undelivered(tx: &mut Tx, order: &Order, amount: Fen) -> Result<Option<Terms>> {
    if order.state != OrderState::Case || !is_undeliverable(tx, order.id).await? {
        return Ok(None);
    }
    let tender = match order.tender {
        Tender::Carried => Tender::Cash,
        tender if tender.is_counter() => tender,
        _ => return Ok(None),
    };
    if amount != order.amount {
        return Err(AppError::AmountOutOfRange.into());
    }
    Ok(Some(Terms {
        kind: ReturnKind::UndoSale,
        source: Source::Order,
        account: order.account_id,
        meter: order.meter_id,
        order: Some(order.id),
        back: None,
        closing: None,
        tender,
        amount,
    }))
}

async fn is_undeliverable(tx: &mut Tx, order: OrderId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM cases WHERE order_id = $1 AND kind = $2 AND closed_at IS NULL"
    )
    .bind(order)
    .bind(CaseKind::Undeliverable)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// The sale that never reached its meter is back in the hand that paid it.
pub(super) async fn sale_is_back(tx: &mut Tx, at: Timestamp, row: &Return) -> Result<()> {
    let moved = on!(tx, |c| sqlx::query("UPDATE orders SET state = 'refunded' WHERE id = $1 AND state = 'case'")
        .bind(row.corrects_order)
        .execute(c)
        .await)?;
    if moved != 1 {
        return Err(StoreError::Inconsistent { table: "orders", column: "state" });
    }
    on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, resolution = 'paid-out' WHERE order_id = $2 AND kind = $3 AND closed_at IS NULL"
    )
    .bind(at.0)
    .bind(row.corrects_order)
    .bind(CaseKind::Undeliverable)
    .execute(c)
    .await)?;
    Ok(())
}
