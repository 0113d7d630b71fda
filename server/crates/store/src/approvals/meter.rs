//! Requests about a meter: to close a foreign account in it, and to correct the books to what it holds.

use model::approval::{ApprovalKind, Basis, Position};
use model::case::CaseKind;
use model::command::CommandKind;
use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId};
use model::money::Fen;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::RequestRow;
use crate::commands::{self, Command, NewCommand, command_columns};
use crate::{Result, Tx, cases, consumption, ledger, on};
use domain::command_args::CommandArgs;
use domain::ledger::adjustment;
use domain::ledger_position::LedgerPosition;
use domain::meter_state::StateBlock;
use domain::money_rule::{ClaimedOperation, MoneyVerdict};
use domain::rng::Rng;

/// The position of the open account on a meter.
#[derive(FromRow)]
pub(super) struct OpenAccountRow {
    pub(super) account_id: AccountId,
    number: String,
    epoch: i64,
    count: i64,
    cumulative_fen: Fen,
}

impl OpenAccountRow {
    const fn position(&self) -> Position {
        Position { epoch: self.epoch, count: self.count, cumulative: self.cumulative_fen }
    }
}

fn shown(seen: &StateBlock) -> Position {
    Position { epoch: i64::from(seen.epoch), count: i64::from(seen.count), cumulative: seen.cumulative }
}

fn number(seen: &StateBlock) -> Option<String> {
    seen.status.account_open().then(|| seen.account.to_string())
}

/// What a request is made on, and by how much the books would change.
pub(super) fn basis(kind: ApprovalKind, account: Option<&OpenAccountRow>, seen: &StateBlock) -> (Basis, Fen) {
    let (shown, books) = (shown(seen), account.map(OpenAccountRow::position));
    let amount = match books {
        Some(books) if kind == ApprovalKind::Adjustment => Fen((shown.cumulative - books.cumulative).0.abs()),
        _ => Fen::ZERO,
    };
    (Basis::Meter { number: number(seen), shown, books }, amount)
}

/// Whether a request makes sense for what a meter shows; gives the account that is open on it by the books.
pub(super) async fn possible(
    tx: &mut Tx,
    kind: ApprovalKind,
    meter: MeterId,
    seen: &StateBlock,
) -> Result<Option<OpenAccountRow>> {
    let account = open_account(tx, meter).await?;
    let moving: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT id FROM commands WHERE meter_id = $1
           AND ((money AND state = 'sending') OR (kind = $2 AND state IN ('queued', 'sending'))) LIMIT 1"
    )
    .bind(meter)
    .bind(CommandKind::CloseForeign)
    .fetch_optional(c)
    .await)?;
    let shown = number(seen);
    let ours = account.as_ref().map(|account| account.number.clone());
    let makes_sense = if kind == ApprovalKind::CloseForeign {
        shown.is_some() && shown != ours
    } else {
        let position =
            account.as_ref().map(|row| (row.epoch, row.count, row.cumulative_fen.0)).and_then(LedgerPosition::from_row);
        ours.is_some() && shown == ours && position != Some(LedgerPosition::of(seen))
    };
    if moving.is_some() || !makes_sense {
        return Err(AppError::Conflict.into());
    }
    if kind == ApprovalKind::Adjustment && is_held_applied(tx, meter, seen).await? {
        return Err(AppError::HeldCommandApplied.into());
    }
    Ok(account)
}

/// Whether the meter shows that it has applied a money command that waits for a person: the command says how the books
/// follow, and would count a second time after a correction.
async fn is_held_applied(tx: &mut Tx, meter: MeterId, seen: &StateBlock) -> Result<bool> {
    let held: Vec<Command> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT",
        command_columns!(),
        "FROM commands c WHERE c.meter_id = $1 AND c.money AND c.state = 'case' AND c.epoch = $2 AND c.count = $3"
    ))
    .bind(meter)
    .bind(i64::from(seen.epoch))
    .bind(i64::from(seen.count))
    .fetch_all(c)
    .await)?;
    let is_applied = |command: &Command| match command.args() {
        Some(CommandArgs::Money(money_operation)) => {
            let claimed = ClaimedOperation { money_operation: *money_operation, epoch: seen.epoch, count: seen.count };
            claimed.judge(seen) == MoneyVerdict::Delivered
        }
        _ => false,
    };
    Ok(held.iter().any(is_applied))
}

/// Locks the account's meter, so that no command is claimed meanwhile.
async fn open_account(tx: &mut Tx, meter: MeterId) -> Result<Option<OpenAccountRow>> {
    on!(tx, |c| sqlx::query_as(
        "UPDATE account_meters SET count = count WHERE meter_id = $1 AND to_at IS NULL
         RETURNING account_id, (SELECT a.number FROM accounts a WHERE a.id = account_id) AS number, epoch, count, cumulative_fen"
    )
    .bind(meter)
    .fetch_optional(c)
    .await)
}

/// Stores the command that closes the account in the meter.
pub(super) async fn close_foreign(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    row: &RequestRow,
    seen: &StateBlock,
) -> Result<Value> {
    let order = u64::try_from(rng.order_number(at)).map_err(|_| AppError::Internal)?;
    let args = CommandArgs::CloseForeign { account: seen.account, order };
    let command = NewCommand::setting(CommandId(rng.id(at)), meter, args, Some(row.asked_by));
    commands::enqueue(tx, at, &command).await?;
    Ok(json!({ "command": command.id, "number": number(seen) }))
}

/// Makes the position in the books that of the meter, and posts what that adds to the account or takes from it.
pub(super) async fn correct(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    row: &RequestRow,
    seen: &StateBlock,
) -> Result<Value> {
    let account = open_account(tx, meter).await?.ok_or(AppError::StaleMeter)?;
    let (from, to) = (account.position(), shown(seen));
    let used =
        async |tx: &mut Tx, epoch: i64| consumption::posted(tx, account.account_id, meter, epoch).await.map(|(used, _)| used);
    let (before, after) = (used(tx, from.epoch).await?, used(tx, to.epoch).await?);
    let change = (to.cumulative - after) - (from.cumulative - before);
    on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET epoch = $1, count = $2, cumulative_fen = $3
         WHERE account_id = $4 AND meter_id = $5 AND to_at IS NULL"
    )
    .bind(to.epoch)
    .bind(to.count)
    .bind(to.cumulative)
    .bind(account.account_id)
    .bind(meter)
    .execute(c)
    .await)?;
    release_claims(tx, meter, account.account_id, to).await?;
    if let Some(transfer) = adjustment(row.id.0, account.account_id, change.money()) {
        ledger::post(tx, rng, at, &transfer).await?;
    }
    cases::resolve(tx, at, CaseKind::MeterDiffers, meter, "adjusted").await?;
    cases::resolve(tx, at, CaseKind::Journal, meter, "adjusted").await?;
    Ok(json!({ "from": from, "to": to, "amount_fen": change }))
}

/// What waits for a person was claimed for a count of the books as they were. Where the meter certainly has not applied it, it is
/// claimed anew when it is tried again: no frame of it left, or the meter is still before its count. Otherwise it may be a part
/// of what the meter holds, and the money rule goes on stopping it.
async fn release_claims(tx: &mut Tx, meter: MeterId, account: AccountId, to: Position) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET epoch = NULL, count = NULL
         WHERE meter_id = $1 AND account_id = $2 AND money AND state = 'case' AND count IS NOT NULL
           AND (attempts = 0 OR (epoch = $3 AND count > $4))"
    )
    .bind(meter)
    .bind(account)
    .bind(to.epoch)
    .bind(to.count)
    .execute(c)
    .await)?;
    Ok(())
}
