//! Account closures: an account ends, moves to another room, or has a meter replaced.
//!
//! One transaction decides the closure and stores a `close` command for each meter. Each meter ends in a transaction of its own:
//! when it was read back, when a server wallet has its last reading, or when a person enters its values. [`advance_all`] takes
//! the further steps, one transaction each, from what is stored alone, so that an interruption only delays them.

mod advance;
mod begin;
mod count;
mod decide;
mod final_settlement;
mod install;
mod settings;
mod withdraw;

use model::audit::AuditAction;
use model::console::ClosingKind;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, ReturnId, UserId};
use model::order::Tender;
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;

pub use advance::advance_all;
pub use begin::{BalanceTarget, ClosingRequest, NewClosing, begin, begin_within};
pub use count::{Counted, count};
pub use decide::decide;
pub(super) use final_settlement::closed;
pub use install::{Device, install, swap};
pub use withdraw::withdraw;

use super::audit::{self, Entry};
use super::{Result, StoreError, Tx, on};

/// A stored account closure.
#[derive(Clone, Debug, FromRow)]
struct Closing {
    id: ClosingId,
    kind: ClosingKind,
    account_id: AccountId,
    tender: Option<Tender>,
    to_account_id: Option<AccountId>,
    to_meter_id: Option<MeterId>,
    reason: String,
    begun_by: UserId,
    begun_at: Timestamp,
    read_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    return_id: Option<ReturnId>,
}

/// Locks the closure's row, before all other rows of the closure. The update changes nothing.
pub(super) async fn lock(tx: &mut Tx, id: ClosingId) -> Result<()> {
    locked(tx, id).await.map(drop)
}

async fn locked(tx: &mut Tx, id: ClosingId) -> Result<Closing> {
    let row: Option<Closing> = on!(tx, |c| {
        sqlx::query_as(
            "UPDATE account_closures SET reason = reason WHERE id = $1
         RETURNING id, kind, account_id, tender, to_account_id, to_meter_id, reason, begun_by, begun_at, read_at, ended_at,
             return_id",
        )
        .bind(id.0)
        .fetch_optional(c)
        .await
    })?;
    row.ok_or_else(|| AppError::NotFound.into())
}

/// Completes the closure in the transaction of its payout.
pub(super) async fn paid_out(tx: &mut Tx, at: Timestamp, id: ClosingId, of: ReturnId) -> Result<()> {
    let ended = on!(tx, |c| sqlx::query(
        "UPDATE account_closures SET ended_at = $1 WHERE id = $2 AND return_id = $3 AND ended_at IS NULL"
    )
    .bind(at)
    .bind(id)
    .bind(of)
    .execute(c)
    .await)?;
    if ended == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table: "account_closures", column: "return_id" }) }
}

/// The meters of a closure, in the order in which they joined the account.
async fn meters_of(tx: &mut Tx, id: ClosingId) -> Result<Vec<MeterId>> {
    let rows: Vec<(MeterId,)> =
        on!(tx, |c| sqlx::query_as("SELECT meter_id FROM account_closure_meters WHERE closure_id = $1 ORDER BY id")
            .bind(id)
            .fetch_all(c)
            .await)?;
    Ok(rows.into_iter().map(|(meter,)| meter).collect())
}

/// Writes the audit line of a step.
async fn record(tx: &mut Tx, at: Timestamp, who: Option<&Who>, action: AuditAction, of: &Closing, more: Value) -> Result<()> {
    let actor = who.map_or_else(|| "system".to_owned(), |who| format!("user:{}", who.user));
    let (ip, subject) = (who.map_or("", |who| who.ip.as_str()), format!("account:{}", of.account_id));
    let detail = json!({ "closing": of.id, "kind": of.kind, "reason": of.reason, "more": more }).to_string();
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject: &subject, detail: &detail }).await
}
