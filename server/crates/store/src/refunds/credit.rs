//! Credits a payment in suspense whose amount differs from its order, by a person's decision.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::error::AppError;
use model::ids::Uuid;
use model::money::Fen;
use model::person::Who;
use model::refund::RefundSource;
use model::time::Timestamp;

use super::{payment, refunded_sums};
use crate::audit::{self, Entry};
use crate::orders::{self, DeliveryTarget, Order, order_columns};
use crate::receipts::{self, ReceiptSubject};
use crate::{Db, Result, Tx, cases, ledger, on};
use domain::ledger::suspense_back;
use domain::rng::Rng;

/// Changes the order to the amount paid and delivers it. Nothing of the payment may have been refunded.
///
/// # Errors
/// [`AppError::NotFound`], or [`AppError::Conflict`] if the payment is not in suspense, a refund of it exists, the order is paid,
/// or its meter accepts no money.
pub async fn credit_after_all(db: &Db, rng: &Rng, at: Timestamp, who: &Who, event: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    let payment = payment::lock(&mut tx, event).await?;
    let known = refunded_sums(&mut tx, payment.attempt_id).await?;
    let untouched = known.reserved() == Fen::ZERO && known.console_refund() == Fen::ZERO;
    if payment.source() != Some(RefundSource::Suspense) || !untouched {
        return Err(AppError::Conflict.into());
    }
    let order = pay(&mut tx, at, &payment).await?.ok_or(AppError::Conflict)?;
    let way = orders::delivery_target(&mut tx, &order).await?;
    if matches!(way, DeliveryTarget::Nowhere) {
        return Err(AppError::Conflict.into());
    }
    let id = order.id;
    ledger::post(&mut tx, rng, at, &suspense_back(event, payment.channel.as_str(), payment.paid.money())).await?;
    orders::deliver_by(&mut tx, rng, at, &way, order, None).await?;
    cases::resolve_order(&mut tx, at, &[CaseKind::Payment], id, "credited").await?;
    let detail = serde_json::json!({ "event": event, "amount_fen": payment.paid });
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::PaymentCredit,
        subject: &format!("order:{id}"),
        detail: &detail.to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    receipts::issue(&mut tx, at, None, ReceiptSubject::Online(id)).await?;
    tx.commit().await
}

/// Gives the order the amount paid; `None` if it is not open.
async fn pay(tx: &mut Tx, at: Timestamp, payment: &payment::Payment) -> Result<Option<Order>> {
    on!(tx, |c| sqlx::query(
        "UPDATE payment_attempts SET state = 'paid', paid_at = $1 WHERE id = $2 AND state IN ('held', 'closed')"
    )
    .bind(at)
    .bind(payment.attempt_id)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE orders SET state = 'paid', paid_at = $1, amount_fen = $2 WHERE id = $3 AND state IN ('pending', 'closed')
         RETURNING",
        order_columns!()
    ))
    .bind(at)
    .bind(payment.paid)
    .bind(payment.order_id)
    .fetch_optional(c)
    .await)
}
