//! Meters that leave an account: it is closed, it moves to another room, or one of its meters is replaced.
//!
//! A closing is decided in one transaction, which stores the `close` command of each meter. Each meter's end is one transaction
//! of its own: when it was read back, when a server wallet has its last reading, or when a person counted it. What follows, one
//! transaction a step, is taken from what is stored alone ([`advance_all`]): an interruption anywhere changes nothing but the
//! time.

mod advance;
mod begin;
mod count;
mod decide;
mod final_settlement;
mod install;
mod settings;
mod views;
mod withdraw;

use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, ReturnId, UserId, Uuid};
use model::order::Tender;
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;

pub use advance::advance_all;
pub use begin::{BalanceTarget, ClosingRequest, NewClosing, begin};
pub use count::{Counted, count};
pub use decide::decide;
pub(super) use final_settlement::closed;
pub use install::{Device, install, swap};
pub use views::{View, ViewMeter, ViewSetting, of_account, of_meter, view};
pub use withdraw::withdraw;

use super::audit::{self, Entry};
use super::{Result, StoreError, Tx, on};

/// What a closing is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The account ends.
    Close,
    /// It goes on in another room.
    Move,
    /// One of its meters is replaced; the account stays open.
    Replace,
}

impl Kind {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Move => "move",
            Self::Replace => "replace",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        let found = [Self::Close, Self::Move, Self::Replace].into_iter().find(|kind| kind.as_str() == word);
        found.ok_or(StoreError::Inconsistent { table: "closings", column: "kind" })
    }
}

/// A stored closing.
#[derive(Clone, Debug, FromRow)]
struct Closing {
    id: Uuid,
    kind: String,
    account_id: Uuid,
    tender: Option<String>,
    to_account_id: Option<Uuid>,
    to_meter_id: Option<Uuid>,
    reason: String,
    begun_by: Uuid,
    begun_at: i64,
    read_at: Option<i64>,
    ended_at: Option<i64>,
    return_id: Option<Uuid>,
}

impl Closing {
    const fn id(&self) -> ClosingId {
        ClosingId(self.id)
    }

    const fn account(&self) -> AccountId {
        AccountId(self.account_id)
    }

    fn kind(&self) -> Result<Kind> {
        Kind::parse(&self.kind)
    }

    fn tender(&self) -> Option<Tender> {
        self.tender.as_deref().and_then(Tender::parse)
    }
}

/// The update changes nothing: it locks the row on an engine that locks rows. A closing is locked before everything else of it.
pub(super) async fn lock(tx: &mut Tx, id: ClosingId) -> Result<()> {
    locked(tx, id).await.map(drop)
}

async fn locked(tx: &mut Tx, id: ClosingId) -> Result<Closing> {
    let row: Option<Closing> = on!(tx, |c| {
        sqlx::query_as(
            "UPDATE closings SET reason = reason WHERE id = $1
         RETURNING id, kind, account_id, tender, to_account_id, to_meter_id, reason, begun_by, begun_at, read_at, ended_at,
             return_id",
        )
        .bind(id.0)
        .fetch_optional(c)
        .await
    })?;
    row.ok_or_else(|| AppError::NotFound.into())
}

/// What it owed was paid out, in the transaction of the payout.
pub(super) async fn paid_out(tx: &mut Tx, at: Timestamp, id: ClosingId, of: ReturnId) -> Result<()> {
    let ended =
        on!(tx, |c| sqlx::query("UPDATE closings SET ended_at = $1 WHERE id = $2 AND return_id = $3 AND ended_at IS NULL")
            .bind(at.0)
            .bind(id.0)
            .bind(of.0)
            .execute(c)
            .await)?;
    if ended == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table: "closings", column: "return_id" }) }
}

/// The meters of a closing, in the order in which the account got them.
async fn meters_of(tx: &mut Tx, id: ClosingId) -> Result<Vec<MeterId>> {
    let rows: Vec<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT meter_id FROM closing_meters WHERE closing_id = $1 ORDER BY id")
            .bind(id.0)
            .fetch_all(c)
            .await)?;
    Ok(rows.into_iter().map(|(meter,)| MeterId(meter)).collect())
}

/// The audit line of a step.
async fn record(
    tx: &mut Tx,
    at: Timestamp,
    who: Option<&Who>,
    action: &str,
    of: &Closing,
    more: serde_json::Value,
) -> Result<()> {
    let actor = who.map_or_else(|| "system".to_owned(), |who| format!("user:{}", who.user));
    let (ip, subject) = (who.map_or("", |who| who.ip.as_str()), format!("account:{}", of.account()));
    let detail = serde_json::json!({ "closing": of.id(), "kind": of.kind, "reason": of.reason, "more": more }).to_string();
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail }).await
}

/// Who began it.
const fn begun_by(of: &Closing) -> UserId {
    UserId(of.begun_by)
}
