//! Returns and corrections: requested, approved by a second person above a limit, debited from the meter, and only then paid out.

mod ask;
mod decide;
mod end;
mod owed;

use model::audit::AuditAction;
use model::ids::{AccountId, ClosingId, CommandId, MeterId, OrderId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::{ReturnKind, ReturnState, Tender};
use sqlx::FromRow;

pub use ask::{RequestedReturn, ask, ask_as_seen, ask_once, check};
pub use decide::{approve, cancel, expire, reject};
pub use end::pay_out;
pub(super) use end::{declined, held_back, taken, taken_up};
pub(super) use owed::{Owed, owe};

use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, read};
use model::time::Timestamp;
use model::word_enum;

/// What is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnSubject {
    /// Return the balance or a part of it.
    Remaining {
        account: AccountId,
        meter: MeterId,
        /// How it is paid out.
        tender: Tender,
        amount: Fen,
    },
    /// Correct a sale, up to the balance in the meter.
    Sale(OrderId, Fen),
    /// Correct a return, in whole.
    Return(ReturnId),
}

/// A request at the cash desk.
#[derive(Clone, Debug)]
pub struct NewReturn {
    /// The form's idempotency key: the same key returns the same return.
    pub key: Uuid,
    pub of: ReturnSubject,
    pub reason: String,
    pub by: UserId,
    /// The caller's address, for the audit log.
    pub ip: String,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Return {
    pub id: ReturnId,
    /// Stored in the meter and printed on the receipt.
    pub number: i64,
    pub kind: ReturnKind,
    pub account_id: AccountId,
    pub meter_id: MeterId,
    /// The sale that it corrects.
    pub corrects_order: Option<OrderId>,
    /// The return that it corrects.
    pub corrects_return: Option<ReturnId>,
    pub tender: Tender,
    #[sqlx(rename = "amount_fen")]
    pub amount: Fen,
    pub reason: String,
    pub state: ReturnState,
    pub asked_by: UserId,
    pub asked_at: Timestamp,
    /// When its request expires.
    pub expires_at: Option<Timestamp>,
    /// The command that debits the meter.
    pub command_id: Option<CommandId>,
    /// The sale that corrects a return.
    pub sale_id: Option<OrderId>,
    /// When the meter confirmed the debit.
    pub taken_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    source: Source,
    /// The account closure whose balance it pays out.
    pub closure_id: Option<ClosingId>,
}

/// The columns of [`Return`].
macro_rules! return_columns {
    () => {
        " id, number, kind, account_id, meter_id, corrects_order, corrects_return, tender, amount_fen, reason, state, asked_by,
          asked_at, expires_at, command_id, sale_id, taken_at, settled_at, source, closure_id "
    };
}

use return_columns;

word_enum! {
    /// Where the money of a return comes from.
    pub(super) enum Source {
        /// A wallet, which it debits.
        Wallet = "wallet",
        /// An account closure, which has already emptied the wallet.
        Closing = "closing",
        /// An order that never reached its meter.
        Order = "order",
    }
}

pub async fn find(db: &Db, id: ReturnId) -> Result<Option<Return>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", return_columns!(), "FROM returns WHERE id = $1"))
        .bind(id.0)
        .fetch_optional(pool)
        .await)
}

/// The return that this person asked for with that idempotency key.
pub async fn asked_with(db: &Db, by: UserId, key: Uuid) -> Result<Option<Return>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", return_columns!(), "FROM returns WHERE key = $1 AND asked_by = $2"))
        .bind(key)
        .bind(by)
        .fetch_optional(pool)
        .await)
}

/// The update changes nothing; it locks the row where the engine locks rows.
async fn lock(tx: &mut Tx, id: ReturnId) -> Result<Option<Return>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE returns SET state = state WHERE id = $1
         RETURNING",
        return_columns!()
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await)
}

/// Writes the audit line of a step.
async fn record(tx: &mut Tx, at: Timestamp, by: Option<UserId>, ip: &str, action: AuditAction, row: &Return) -> Result<()> {
    let detail = serde_json::json!({
        "number": row.number.to_string(), "kind": row.kind, "account": row.account_id, "meter": row.meter_id,
        "tender": row.tender, "amount_fen": row.amount, "reason": row.reason,
    });
    let (actor, subject) = (by.map_or_else(|| "system".into(), |by| format!("user:{by}")), format!("return:{}", row.id));
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail.to_string() }).await
}
