//! Returns and corrections: asked for, approved by a second person where they are large, taken out of the meter, and only then
//! paid.

mod ask;
mod decide;
mod end;
mod owed;

use model::ids::{AccountId, ClosingId, CommandId, MeterId, OrderId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::{ReturnKind, ReturnState, Tender};
use sqlx::FromRow;

pub use ask::ask;
pub use decide::{approve, cancel, expire, may_approve, reject};
pub use end::pay_out;
pub(super) use end::{declined, held_back, taken, taken_up};
pub(super) use owed::{Owed, owe};

use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, read};
use model::time::Timestamp;
use model::word_enum;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnSubject {
    /// The resident gets back what is left, or a part.
    Remaining {
        account: AccountId,
        /// Out of which meter.
        meter: MeterId,
        /// How it is paid out.
        tender: Tender,
        amount: Fen,
    },
    /// A wrong sale is taken back, or as much of it as is still there.
    Sale(OrderId, Fen),
    /// A wrong return is taken back, whole.
    Return(ReturnId),
}

/// A wish at the counter.
#[derive(Clone, Debug)]
pub struct NewReturn {
    /// Made with the form: the same key gives the same return, however often it is sent.
    pub key: Uuid,
    pub of: ReturnSubject,
    pub reason: String,
    pub by: UserId,
    /// From where; for the audit chain.
    pub ip: String,
}

/// A stored return or correction.
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
    /// Until when a second person may approve it.
    pub expires_at: Option<Timestamp>,
    /// The debit of the meter.
    pub command_id: Option<CommandId>,
    /// The sale that corrects a wrong return.
    pub sale_id: Option<OrderId>,
    /// When the debit was read back from the meter.
    pub taken_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    source: Source,
    /// The account closure that has debited the meter.
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
        /// From a wallet, which is debited.
        Wallet = "wallet",
        /// From an account closure, which has debited the meter already.
        Closing = "closing",
        /// From an order that never reached its meter.
        Order = "order",
    }
}

pub async fn find(db: &Db, id: ReturnId) -> Result<Option<Return>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", return_columns!(), "FROM returns WHERE id = $1"))
        .bind(id.0)
        .fetch_optional(pool)
        .await)
}

/// The update changes nothing: it locks the row on an engine that locks rows.
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

/// The audit line of a step.
async fn record(tx: &mut Tx, at: Timestamp, by: Option<UserId>, ip: &str, action: &str, row: &Return) -> Result<()> {
    let detail = serde_json::json!({
        "number": row.number.to_string(), "kind": row.kind, "account": row.account_id, "meter": row.meter_id,
        "tender": row.tender, "amount_fen": row.amount, "reason": row.reason,
    });
    let (actor, subject) = (by.map_or_else(|| "system".into(), |by| format!("user:{by}")), format!("return:{}", row.id));
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail.to_string() }).await
}
