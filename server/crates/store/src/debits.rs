//! Taking money back out of a wallet: the one way, for returns, corrections, closings and replacements.

use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::time::Timestamp;

use super::accounts::{self, Takes};
use super::commands::{self, NewCommand};
use super::json_text::JsonText;
use super::{Result, StoreError, Tx, on, wallets};
use domain::command_args::{CommandArgs, StoredArgs};
use domain::money_rule::MoneyOperation;
use domain::rng::Rng;

/// What is to be taken, from where.
#[derive(Clone, Copy, Debug)]
pub struct Debit {
    pub account: AccountId,
    /// Out of which of its meters.
    pub meter: MeterId,
    /// What asks for it; the ledger's reference where there is no command.
    pub of: Uuid,
    /// The number that the meter keeps, as of an order.
    pub number: i64,
    pub amount: Fen,
    pub by: UserId,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debited {
    /// In the outbox; over when the meter was read back.
    Asked(CommandId),
    /// Out of the server wallet.
    Done {
        /// The purchase count it became.
        count: i64,
        remaining: Fen,
    },
}

/// Takes it in the caller's transaction: from a meter by a command, which the ledger follows when it was read back; from a server
/// wallet at once.
///
/// # Errors
/// As [`check`].
pub(super) async fn take(tx: &mut Tx, rng: &Rng, at: Timestamp, debit: &Debit) -> Result<Debited> {
    if check(tx, at, debit).await? == Wallet::Server {
        let (count, remaining) = wallets::debit(tx, rng, at, debit).await?;
        return Ok(Debited::Done { count, remaining });
    }
    let order = u64::try_from(debit.number).map_err(|_| AppError::Invalid)?;
    let amount = u32::try_from(debit.amount.0).map_err(|_| AppError::AmountOutOfRange)?;
    let args = CommandArgs::Money(MoneyOperation::Debit { order, amount });
    let id = CommandId(rng.id(at));
    let command = NewCommand { id, meter: debit.meter, account: Some(debit.account), order: None, args, by: Some(debit.by) };
    commands::enqueue(tx, at, &command).await?;
    Ok(Debited::Asked(command.id))
}

/// Whether the wallet holds as much, as far as is known, and which it is; a meter is read again before it is told. Locks the
/// account's meter.
///
/// # Errors
/// Refused with [`AppError::AccountNotOpen`], [`AppError::AmountOutOfRange`], [`AppError::MeterLost`] where it was never read, or
/// [`AppError::ExceedsRemaining`].
pub(super) async fn check(tx: &mut Tx, at: Timestamp, debit: &Debit) -> Result<Wallet> {
    if debit.amount <= Fen::ZERO || debit.amount > Fen(u32::MAX.into()) {
        return Err(AppError::AmountOutOfRange.into());
    }
    let (wallet, held) = held(tx, at, debit.account, debit.meter).await?;
    if debit.amount > held { Err(AppError::ExceedsRemaining.into()) } else { Ok(wallet) }
}

/// Which wallet an account's meter has and what it holds, as far as is known, without what other debits take. Locks the
/// account's meter.
///
/// # Errors
/// Refused with [`AppError::AccountNotOpen`], or [`AppError::MeterLost`] where it was never read.
pub(super) async fn held(tx: &mut Tx, at: Timestamp, account: AccountId, meter: MeterId) -> Result<(Wallet, Fen)> {
    // A meter that is leaving its account is closed whole; nothing is taken out of it besides.
    let Takes::Open(wallet) = accounts::takes(tx, account, meter).await? else {
        return Err(accounts::why_not_open(tx, account).await?.into());
    };
    let held = if wallet == Wallet::Server {
        wallets::held(tx, at, meter).await?.0
    } else {
        in_meter(tx, meter).await? - on_its_way(tx, meter).await?
    };
    Ok((wallet, held))
}

async fn in_meter(tx: &mut Tx, meter: MeterId) -> Result<Fen> {
    let row: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT remaining_fen FROM meter_latest WHERE meter_id = $1 AND observed_at IS NOT NULL")
            .bind(meter.0)
            .fetch_optional(c)
            .await)?;
    row.map(|(fen,)| Fen(fen)).ok_or_else(|| AppError::MeterLost.into())
}

/// What other debits will take that are not read back yet.
async fn on_its_way(tx: &mut Tx, meter: MeterId) -> Result<Fen> {
    let rows: Vec<(JsonText<StoredArgs>,)> = on!(tx, |c| sqlx::query_as(
        "SELECT args FROM commands WHERE meter_id = $1 AND kind = 'debit' AND state IN ('queued', 'sending', 'case')"
    )
    .bind(meter.0)
    .fetch_all(c)
    .await)?;
    let amount = |(args,): (JsonText<StoredArgs>,)| match args.0.readable() {
        Some(CommandArgs::Money(MoneyOperation::Debit { amount, .. })) => Ok(Fen(i64::from(*amount))),
        _ => Err(StoreError::Inconsistent { table: "commands", column: "args" }),
    };
    rows.into_iter().map(amount).sum()
}
