//! Refunds of verified payments: requested, approved by a second person above a limit, then sent through the payment's channel
//! under one number until its final result, or paid at the cash desk if the channel no longer refunds the payment.
//!
//! Rows are locked in one order: attempts, command, order, return, refund.

mod ask;
mod console_refunds;
mod credit;
mod decide;
mod due;
mod end;
mod obstacle;
mod owed;
mod payment;

use model::audit::AuditAction;
use model::ids::{AccountId, AttemptId, OrderId, RefundId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::refund::{RefundSource, RefundState};
use model::time::Timestamp;
use sqlx::FromRow;

pub use ask::{NewRefund, Policy, RefundSubject, ask};
pub use console_refunds::unsaid;
pub use console_refunds::{clear, gone_elsewhere};
pub(super) use console_refunds::{left_to_write_off, write_off_within};
pub use credit::credit_after_all;
pub use decide::{approve, cancel, deliver_again, expire, reject};
pub use due::{DueRefund, claim_due, slow};
pub use end::pay_out;
pub(super) use end::{done, failed};
pub use obstacle::{goes_on, held_up, held_up_of};
pub use owed::{OwedRefund, needs_person, owed};
pub use payment::is_of;
pub(super) use payment::reset_backoff;
pub use payment::{RefundedSums, refunded_sums};

use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, payments, read};
use domain::ledger::Account;

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Refund {
    pub id: RefundId,
    pub number: i64,
    /// The number under which the channel knows it.
    pub refund_no: String,
    pub event_id: Uuid,
    pub attempt_id: AttemptId,
    pub order_id: OrderId,
    /// The account of the order.
    pub account_id: AccountId,
    pub source: RefundSource,
    /// The return that it pays out.
    pub return_id: Option<ReturnId>,
    pub tender: Tender,
    #[sqlx(rename = "amount_fen")]
    pub amount: Fen,
    pub reason: String,
    pub state: RefundState,
    /// `None` if it was requested by the configuration.
    pub asked_by: Option<UserId>,
    pub asked_at: Timestamp,
    /// When its request expires.
    pub expires_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
}

/// The columns of [`Refund`].
macro_rules! refund_columns {
    () => {
        " id, number, refund_no, event_id, attempt_id, order_id, source, return_id, tender, amount_fen, reason, state, asked_by,
          asked_at, expires_at, settled_at, (SELECT account_id FROM orders WHERE orders.id = refunds.order_id) AS account_id "
    };
}

use refund_columns;

impl Refund {
    /// The ledger account to debit.
    const fn debited_account(&self) -> Account {
        match self.source {
            RefundSource::Suspense => Account::Suspense,
            RefundSource::Order | RefundSource::Return => Account::Paid(self.account_id),
        }
    }
}

pub async fn find(db: &Db, id: RefundId) -> Result<Option<Refund>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", refund_columns!(), "FROM refunds WHERE id = $1"))
        .bind(id.0)
        .fetch_optional(pool)
        .await)
}

/// All refunds of an order, oldest first.
pub async fn of_order(db: &Db, order: OrderId) -> Result<Vec<Refund>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        refund_columns!(),
        "FROM refunds WHERE order_id = $1 ORDER BY asked_at, id"
    ))
    .bind(order.0)
    .fetch_all(pool)
    .await)
}

/// Finds a refund by its number at the channel. The caller holds the lock of its attempt.
pub(super) async fn by_number(tx: &mut Tx, refund_no: &str) -> Result<Option<Refund>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE refunds SET state = state WHERE refund_no = $1
         RETURNING",
        refund_columns!()
    ))
    .bind(refund_no)
    .fetch_optional(c)
    .await)
}

/// Locks the refund with its order and the attempts of that, of which its end may end others too.
async fn lock(tx: &mut Tx, id: RefundId) -> Result<Option<Refund>> {
    let order: Option<(OrderId,)> =
        on!(tx, |c| sqlx::query_as("SELECT order_id FROM refunds WHERE id = $1").bind(id.0).fetch_optional(c).await)?;
    let Some((order,)) = order else { return Ok(None) };
    payments::lock_order(tx, order).await?;
    on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE refunds SET state = state WHERE id = $1
         RETURNING",
        refund_columns!()
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await)
}

/// Writes the audit line of a step.
async fn record(tx: &mut Tx, at: Timestamp, by: Option<UserId>, ip: &str, action: AuditAction, row: &Refund) -> Result<()> {
    let detail = serde_json::json!({
        "number": row.refund_no, "order": row.order_id, "return": row.return_id, "source": row.source,
        "tender": row.tender, "amount_fen": row.amount, "reason": row.reason,
    });
    let (actor, subject) = (by.map_or_else(|| "system".to_owned(), |by| format!("user:{by}")), format!("refund:{}", row.id));
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail.to_string() }).await
}
