//! Returns and corrections: asked for, approved by a second person where they are large, taken out of the meter, and only then
//! paid.

mod ask;
mod decide;
mod end;
mod owed;

use model::ids::{AccountId, MeterId, OrderId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::{ReturnKind, ReturnState, Tender};
use sqlx::FromRow;

pub use ask::ask;
pub use decide::{approve, cancel, expire, may_approve, reject};
pub use end::pay_out;
pub(super) use end::{declined, held_back, taken, taken_up};
pub(super) use owed::{Owed, owe};

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, on, read};
use model::time::Timestamp;

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
    /// [`ReturnId`].
    pub id: Uuid,
    /// What the meter keeps and people quote.
    pub number: i64,
    kind: String,
    /// [`AccountId`].
    pub account_id: Uuid,
    /// [`MeterId`].
    pub meter_id: Uuid,
    /// The sale that it takes back.
    pub corrects_order: Option<Uuid>,
    /// The return that it takes back.
    pub corrects_return: Option<Uuid>,
    tender: String,
    /// How much, fen.
    pub amount_fen: i64,
    pub reason: String,
    state: String,
    /// [`UserId`] of who asked.
    pub asked_by: Uuid,
    /// When it was asked.
    pub asked_at: i64,
    /// Until when a second person may approve it.
    pub expires_at: Option<i64>,
    /// The debit of the meter.
    pub command_id: Option<Uuid>,
    /// The sale that brings a wrong return back.
    pub sale_id: Option<Uuid>,
    /// When it was read back from the meter.
    pub taken_at: Option<i64>,
    /// When it was paid.
    pub settled_at: Option<i64>,
    source: String,
    /// The closing that has taken it out of meters.
    pub closing_id: Option<Uuid>,
}

/// Where the money is that a return gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// In a wallet: it is taken out for it.
    Wallet,
    /// A closing has taken it already.
    Closing,
    /// It never reached its meter.
    Order,
}

impl Source {
    /// The word in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Closing => "closing",
            Self::Order => "order",
        }
    }
}

impl Return {
    #[must_use]
    pub const fn id(&self) -> ReturnId {
        ReturnId(self.id)
    }

    /// What it is.
    ///
    /// # Errors
    /// Where the stored word is unknown.
    pub fn kind(&self) -> Result<ReturnKind> {
        ReturnKind::parse(&self.kind).ok_or(StoreError::Inconsistent { table: "returns", column: "kind" })
    }

    /// Where it stands.
    ///
    /// # Errors
    /// Where the stored word is unknown.
    pub fn state(&self) -> Result<ReturnState> {
        ReturnState::parse(&self.state).ok_or(StoreError::Inconsistent { table: "returns", column: "state" })
    }

    /// How it is paid.
    ///
    /// # Errors
    /// Where the stored word is unknown.
    pub fn tender(&self) -> Result<Tender> {
        Tender::parse(&self.tender).ok_or(StoreError::Inconsistent { table: "returns", column: "tender" })
    }

    /// Where the money is.
    fn source(&self) -> Result<Source> {
        let all = [Source::Wallet, Source::Closing, Source::Order];
        let found = all.into_iter().find(|source| source.as_str() == self.source);
        found.ok_or(StoreError::Inconsistent { table: "returns", column: "source" })
    }

    #[must_use]
    pub const fn amount(&self) -> Fen {
        Fen(self.amount_fen)
    }
}

pub async fn find(db: &Db, id: ReturnId) -> Result<Option<Return>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, number, kind, account_id, meter_id, corrects_order, corrects_return, tender, amount_fen, reason, state,
                asked_by, asked_at, expires_at, command_id, sale_id, taken_at, settled_at, source, closing_id
         FROM returns WHERE id = $1"
    )
    .bind(id.0)
    .fetch_optional(pool)
    .await)
}

/// The update changes nothing: it locks the row on an engine that locks rows.
async fn lock(tx: &mut Tx, id: ReturnId) -> Result<Option<Return>> {
    on!(tx, |c| sqlx::query_as(
        "UPDATE returns SET state = state WHERE id = $1
         RETURNING id, number, kind, account_id, meter_id, corrects_order, corrects_return, tender, amount_fen, reason, state,
                   asked_by, asked_at, expires_at, command_id, sale_id, taken_at, settled_at, source, closing_id"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)
}

/// The audit line of a step.
async fn record(tx: &mut Tx, at: Timestamp, by: Option<UserId>, ip: &str, action: &str, row: &Return) -> Result<()> {
    let detail = serde_json::json!({
        "number": row.number.to_string(), "kind": row.kind, "account": AccountId(row.account_id), "meter": MeterId(row.meter_id),
        "tender": row.tender, "amount_fen": row.amount_fen, "reason": row.reason,
    });
    let (actor, subject) = (by.map_or_else(|| "system".into(), |by| format!("user:{by}")), format!("return:{}", row.id()));
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail.to_string() }).await
}
