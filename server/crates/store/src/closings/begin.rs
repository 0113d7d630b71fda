//! Deciding a closure.

use model::audit::AuditAction;
use model::console::ClosingKind;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, CommandId, MeterId, Uuid};
use model::issue::Issue;
use model::meter::Wallet;
use model::order::Tender;
use model::person::Who;
use model::time::Timestamp;

use super::{locked, record};
use crate::accounts;
use crate::commands::{self, NewCommand};
use crate::receipts;
use crate::{Db, Result, Tx, on, wallets};
use domain::command_args::CommandArgs;
use domain::money_rule::MoneyOperation;
use domain::rng::Rng;

/// Where the balance of a closed account goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceTarget {
    /// Paid out at the cash desk.
    Counter(Tender),
    /// Transferred to another account.
    Account(AccountId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosingRequest {
    /// The account ends.
    Close(BalanceTarget),
    /// The account moves to another room. Its residents live there from now on; the balance follows after the final readings.
    Move {
        /// The new room's meter, without an account.
        to: MeterId,
    },
    /// A meter of the account is replaced.
    Replace {
        /// The old meter.
        meter: MeterId,
    },
}

impl ClosingRequest {
    const fn kind(self) -> ClosingKind {
        match self {
            Self::Close(_) => ClosingKind::Close,
            Self::Move { .. } => ClosingKind::Move,
            Self::Replace { .. } => ClosingKind::Replace,
        }
    }
}

/// A decided closure.
#[derive(Clone, Debug)]
pub struct NewClosing {
    /// The form's idempotency key: the same key returns the same closure.
    pub key: Uuid,
    pub account: AccountId,
    pub what: ClosingRequest,
    pub reason: String,
    pub who: Who,
}

/// Begins the closure in one transaction. From now on its meters accept no money, and each has a `close` command or waits for its
/// last reading. The same key returns the same closure.
///
/// # Errors
/// [`AppError::AccountNotOpen`], [`AppError::Conflict`] if another closure is under way, a meter was just added, or the key
/// belongs to another request, [`AppError::Invalid`] for a tender of a channel or the same account, and those of
/// [`accounts::open`] for the new room.
pub async fn begin(db: &Db, rng: &Rng, at: Timestamp, new: &NewClosing) -> Result<ClosingId> {
    let mut tx = db.begin().await?;
    let id = begin_within(&mut tx, rng, at, new).await?;
    tx.commit().await?;
    Ok(id)
}

/// [`begin`] in the caller's transaction.
pub async fn begin_within(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewClosing) -> Result<ClosingId> {
    if let Some(before) = by_key(tx, new).await? {
        return Ok(before);
    }
    let meters = lock_meters(tx, new).await?;
    if meters.is_empty() || !leave_open(tx, new).await? {
        // The same form sent twice at once: the other transaction has committed.
        return match by_key(tx, new).await? {
            Some(before) => Ok(before),
            None => Err(accounts::why_not_open(tx, new.account).await?.into()),
        };
    }
    if new.what.kind() != ClosingKind::Replace && has_others(tx, new.account, meters.len()).await? {
        return Err(AppError::Conflict.into());
    }
    let (to_account, to_meter) = destination(tx, rng, at, new).await?;
    let id = ClosingId(rng.id(at));
    insert(tx, at, id, new, to_account, to_meter).await?;
    for meter in meters {
        ask(tx, rng, at, id, new, meter).await?;
    }
    let closing = locked(tx, id).await?;
    let action = match new.what {
        ClosingRequest::Close(_) => AuditAction::AccountClose,
        ClosingRequest::Move { .. } => AuditAction::AccountMove,
        ClosingRequest::Replace { .. } => AuditAction::MeterReplace,
    };
    let more = serde_json::json!({ "tender": closing.tender, "to_account": to_account, "to_meter": to_meter });
    record(tx, at, Some(&new.who), action, &closing, more).await?;
    // A move opens an account in the other room.
    if let (ClosingRequest::Move { .. }, Some(opened)) = (new.what, to_account) {
        receipts::issue_openings(tx, at, new.who.user, &[opened]).await?;
    }
    Ok(id)
}

async fn by_key(tx: &mut Tx, new: &NewClosing) -> Result<Option<ClosingId>> {
    let row: Option<(ClosingId, AccountId, ClosingKind)> =
        on!(tx, |c| sqlx::query_as("SELECT id, account_id, kind FROM account_closures WHERE key = $1")
            .bind(new.key)
            .fetch_optional(c)
            .await)?;
    match row {
        Some((id, account, kind)) if account == new.account && kind == new.what.kind() => Ok(Some(id)),
        Some(_) => Err(AppError::Conflict.into()),
        None => Ok(None),
    }
}

/// Locks the meters that leave, before the account.
async fn lock_meters(tx: &mut Tx, new: &NewClosing) -> Result<Vec<MeterId>> {
    let only = if let ClosingRequest::Replace { meter } = new.what { Some(meter.0) } else { None };
    let rows: Vec<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE account_meters SET count = count
         WHERE account_id = $1 AND to_at IS NULL AND meter_id = COALESCE($2, meter_id) RETURNING meter_id"
    )
    .bind(new.account.0)
    .bind(only)
    .fetch_all(c)
    .await)?;
    let mut meters: Vec<MeterId> = rows.into_iter().map(|(meter,)| MeterId(meter)).collect();
    meters.sort_unstable();
    Ok(meters)
}

/// Ends the account's state `open`, unless only one of its meters leaves. Returns whether it was open.
async fn leave_open(tx: &mut Tx, new: &NewClosing) -> Result<bool> {
    let account = new.account.0;
    let changed = match new.what {
        ClosingRequest::Replace { .. } => {
            on!(tx, |c| sqlx::query("UPDATE accounts SET state = state WHERE id = $1 AND state = 'open'")
                .bind(account)
                .execute(c)
                .await)?
        }
        ClosingRequest::Close(_) | ClosingRequest::Move { .. } => {
            on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'closing' WHERE id = $1 AND state IN ('opening', 'open')")
                .bind(account)
                .execute(c)
                .await)?
        }
    };
    Ok(changed == 1)
}

/// Whether a meter joined the account after its meters were locked: the closure would leave it behind.
async fn has_others(tx: &mut Tx, account: AccountId, locked: usize) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM account_meters WHERE account_id = $1 AND to_at IS NULL"
    )
    .bind(account.0)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_none_or(|(count,)| usize::try_from(count) != Ok(locked)))
}

async fn destination(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewClosing) -> Result<(Option<AccountId>, Option<MeterId>)> {
    match new.what {
        ClosingRequest::Close(BalanceTarget::Counter(tender)) if !tender.is_counter() => Err(AppError::Invalid.into()),
        ClosingRequest::Close(BalanceTarget::Account(other)) if other == new.account => Err(AppError::Invalid.into()),
        ClosingRequest::Close(BalanceTarget::Account(other)) => {
            let meter = accounts::first_that_takes(tx, other).await?;
            meter.map(|_| (Some(other), None)).ok_or_else(|| AppError::AccountNotOpen.into())
        }
        ClosingRequest::Close(BalanceTarget::Counter(_)) | ClosingRequest::Replace { .. } => Ok((None, None)),
        ClosingRequest::Move { to } => {
            let account = accounts::open_at(tx, rng, at, to, new.who.user).await?;
            accounts::pass_residents_on(tx, at, new.account, account).await?;
            Ok((Some(account), Some(to)))
        }
    }
}

async fn insert(
    tx: &mut Tx,
    at: Timestamp,
    id: ClosingId,
    new: &NewClosing,
    to_account: Option<AccountId>,
    to_meter: Option<MeterId>,
) -> Result<()> {
    let tender = if let ClosingRequest::Close(BalanceTarget::Counter(tender)) = new.what { Some(tender.as_str()) } else { None };
    let inserted = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO account_closures (id, key, kind, account_id, tender, to_account_id, to_meter_id, reason, begun_by, begun_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    )
    .bind(id.0)
    .bind(new.key)
    .bind(new.what.kind().as_str())
    .bind(new.account.0)
    .bind(tender)
    .bind(to_account.map(|id| id.0))
    .bind(to_meter.map(|id| id.0))
    .bind(&new.reason)
    .bind(new.who.user.0)
    .bind(at.0)
    .execute(c)
    .await
    });
    // Another closure of the account is under way.
    inserted.map(drop).map_err(|error| error.or_first(AppError::Conflict))
}

/// A meter with its own wallet gets a `close` command behind the earlier money commands; another one is read a last time.
async fn ask(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: ClosingId, new: &NewClosing, meter: MeterId) -> Result<()> {
    let by = Some(new.who.user);
    let own_wallet = wallets::kind(tx, meter).await? == Wallet::Meter;
    let id = CommandId(rng.id(at));
    let command = if own_wallet {
        let order = u64::try_from(rng.order_number(at)).map_err(|_| AppError::Invalid)?;
        let args = CommandArgs::Money(MoneyOperation::Close { order });
        NewCommand { account: Some(new.account), ..NewCommand::setting(id, meter, args, by) }
    } else {
        NewCommand::setting(id, meter, Issue::Read.into(), by)
    };
    commands::enqueue(tx, at, &command).await?;
    on!(tx, |c| sqlx::query(
        "INSERT INTO account_closure_meters (id, closure_id, meter_id, command_id) VALUES ($1, $2, $3, $4)"
    )
    .bind(rng.id(at))
    .bind(closing.0)
    .bind(meter.0)
    .bind(own_wallet.then_some(command.id.0))
    .execute(c)
    .await)?;
    Ok(())
}
