//! Returns of money that is in no wallet: the balance of an account closure, and sales that never reached a meter.

use model::case::CaseKind;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, UserId};
use model::money::Fen;
use model::order::{OrderState, ReturnKind, Tender};
use model::time::Timestamp;

use super::ask::{Terms, again, insert, second_until};
use super::{NewReturn, Return, ReturnSubject, Source};
use crate::orders::Order;
use crate::{Result, StoreError, Tx, on};
use domain::returns::Rules;
use domain::rng::Rng;

/// What an account closure owes.
pub(crate) struct Owed {
    pub closing: ClosingId,
    pub account: AccountId,
    /// The meter, or one of several.
    pub meter: MeterId,
    /// How it is paid out.
    pub tender: Tender,
    pub amount: Fen,
    pub reason: String,
    /// Who decided the closure.
    pub by: UserId,
}

/// Stores the return of a closure's balance in the caller's transaction, ready to be paid out or, above the limit, after
/// approval. The caller writes the audit line.
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
    let until = second_until(tx, at, rules, by, &terms).await?;
    let row = insert(tx, rng, at, &new, &terms, until).await?;
    let row = row.ok_or(StoreError::Inconsistent { table: "returns", column: "key" })?;
    if until.is_none() { begin(tx, at, &row).await } else { Ok(row) }
}

/// Makes a return payable at once, because no meter has to be debited.
pub(super) async fn begin(tx: &mut Tx, at: Timestamp, row: &Return) -> Result<Return> {
    let moved =
        on!(tx, |c| sqlx::query("UPDATE returns SET state = 'taken', taken_at = $2 WHERE id = $1 AND state = 'waiting'")
            .bind(row.id)
            .bind(at.0)
            .execute(c)
            .await)?;
    again(tx, row, moved).await
}

/// The terms of a paid sale that can no longer reach its meter. It is returned in whole.
pub(super) async fn undelivered(tx: &mut Tx, order: &Order, amount: Fen) -> Result<Option<Terms>> {
    if order.state != OrderState::Case || !is_undeliverable(tx, order.id).await? {
        return Ok(None);
    }
    let tender = match order.tender {
        Tender::Carried | Tender::TakenOver => Tender::Cash,
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

/// Records that the sale was paid back.
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
