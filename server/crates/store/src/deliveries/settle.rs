//! How a command ends, each in one transaction: done as read back, refused by the meter, or held for a person.

use model::audit::AuditAction;
use model::case::{CaseDetail, DeliveryCase, RelayCase};
use model::command::{CommandKind, CommandReason};
use model::ids::AccountId;
use model::meter::ControlMode;
use model::money::Fen;
use model::time::Timestamp;

use super::account_of;
use super::ledger_check::expect_mode;
use crate::audit::{self, Entry};
use crate::commands::Command;
use crate::notifications::{self, Arrival};
use crate::{Db, Result, StoreError, Tx, cases, closings, emergency_credits, ledger, on, returns};
use domain::ledger::{delivery, withdrawal};
use domain::ledger_position::LedgerPosition;
use domain::meter_state::StateBlock;
use domain::rng::Rng;

/// What was read back.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// The meter's state after the command.
    pub state: &'a StateBlock,
    /// When it was read.
    pub at: Timestamp,
    /// What a credit or debit moved, or what the meter held when its account was closed.
    pub amount: Fen,
    /// The relay is not in the position that the command wants.
    pub relay_fault: bool,
}

/// The command is done: stores it with the order, the ledger, the newest state of the meter, and the audit line.
/// Gives what the meter should hold from now on; the outer `None` if it was settled before.
pub async fn settle(db: &Db, rng: &Rng, command: &Command, seen: &Verdict<'_>) -> Result<Option<Option<LedgerPosition>>> {
    let (at, state) = (seen.at, seen.state);
    let mut tx = db.begin().await?;
    let reason = seen.relay_fault.then_some(CommandReason::Relay);
    let finished = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'done', finished_at = $1, result = $2, reason = $3
         WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(i64::from(state.last_result))
    .bind(reason)
    .bind(command.id)
    .execute(c)
    .await)?;
    if finished != 1 {
        return Ok(None);
    }
    let mut expected = None;
    if command.money {
        let account = account_of(command)?;
        match command.kind {
            CommandKind::Open => opened(&mut tx, account, command, state).await?,
            CommandKind::Close => closings::closed(&mut tx, rng, at, account, command, seen.amount).await?,
            kind => {
                let sign = if kind == CommandKind::Credit { 1 } else { -1 };
                moved(&mut tx, account, command, Fen(seen.amount.0 * sign)).await?;
                post(&mut tx, rng, account, command, seen).await?;
            }
        }
        if command.kind != CommandKind::Close {
            expected = Some(position(&mut tx, account, command).await?);
        }
    }
    match command.kind {
        CommandKind::Mode => expect_mode(&mut tx, command.meter_id, Some(state.status.mode())).await?,
        CommandKind::Open | CommandKind::Close => {
            expect_mode(&mut tx, command.meter_id, Some(ControlMode::Prepaid)).await?;
        }
        _ => {}
    }
    if seen.relay_fault {
        let command_kind = command.kind.as_str().to_owned();
        let case = RelayCase { command: command_kind, status: Some(state.status.0), ..RelayCase::default() };
        cases::follow(&mut tx, rng, at, command.meter_id, &CaseDetail::Relay(case)).await?;
    }
    show(&mut tx, at, command, state).await?;
    let detail = serde_json::json!({
        "kind": command.kind, "count": state.count, "epoch": state.epoch, "remaining_fen": state.remaining.0,
        "attempts": command.attempts,
    });
    record(&mut tx, at, command, AuditAction::CommandDone, &detail.to_string()).await?;
    tx.commit().await?;
    Ok(Some(expected))
}

/// The meter refused a command; nothing changed in it.
pub async fn refuse(db: &Db, at: Timestamp, command: &Command, result: Option<u8>, reason: CommandReason) -> Result<()> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'failed', finished_at = $1, result = $2, reason = $3
         WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(result.map(i64::from))
    .bind(reason)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended == 1 {
        // A refused debit moves no money either: the meter shows the count before it and its answer to this frame.
        returns::declined(&mut tx, command.id.0, reason.as_str()).await?;
        if command.kind == CommandKind::Mode && command.attempts > 0 {
            expect_mode(&mut tx, command.meter_id, None).await?;
        }
        let detail = serde_json::json!({ "kind": command.kind, "result": result, "reason": reason }).to_string();
        record(&mut tx, at, command, AuditAction::CommandRefused, &detail).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The money rule cannot decide, or the meter refused: a person decides. Money commands of the meter wait meanwhile.
pub async fn hold(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    command: &Command,
    result: Option<u8>,
    case: Box<DeliveryCase>,
) -> Result<()> {
    let reason = CommandReason::from(case.reason);
    let case = CaseDetail::Delivery(case);
    let detail = case.to_json();
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'case', finished_at = $1, result = $2, reason = $3
         WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(result.map(i64::from))
    .bind(reason)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended != 1 {
        return Ok(());
    }
    if let Some(order) = command.order_id {
        on!(&mut tx, |c| sqlx::query("UPDATE orders SET state = 'case' WHERE id = $1 AND state = 'paid'")
            .bind(order)
            .execute(c)
            .await)?;
    }
    returns::held_back(&mut tx, command.id.0).await?;
    cases::open(&mut tx, rng, at, Some(command.meter_id), command.order_id, &case).await?;
    record(&mut tx, at, command, AuditAction::CommandHeld, &detail).await?;
    tx.commit().await
}

async fn opened(tx: &mut Tx, account: AccountId, command: &Command, state: &StateBlock) -> Result<()> {
    let meter = on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET epoch = $1, count = 0, cumulative_fen = 0
         WHERE account_id = $2 AND meter_id = $3 AND to_at IS NULL"
    )
    .bind(i64::from(state.epoch))
    .bind(account)
    .bind(command.meter_id)
    .execute(c)
    .await)?;
    exactly_one(meter, "account_meters", "epoch")?;
    on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'open' WHERE id = $1 AND state = 'opening'")
        .bind(account)
        .execute(c)
        .await)?;
    Ok(())
}

/// The count moves from the one before the claim to the claimed one, or nothing is settled.
async fn moved(tx: &mut Tx, account: AccountId, command: &Command, by: Fen) -> Result<()> {
    let meter = on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET count = $1, cumulative_fen = cumulative_fen + $2
         WHERE account_id = $3 AND meter_id = $4 AND to_at IS NULL AND epoch = $5 AND count = $1 - 1"
    )
    .bind(command.count)
    .bind(by)
    .bind(account)
    .bind(command.meter_id)
    .bind(command.epoch)
    .execute(c)
    .await)?;
    exactly_one(meter, "account_meters", "count")
}

/// Posts to the ledger and, for a credit, updates the order.
async fn post(tx: &mut Tx, rng: &Rng, account: AccountId, command: &Command, seen: &Verdict<'_>) -> Result<()> {
    let amount = seen.amount.money();
    if command.kind != CommandKind::Credit {
        ledger::post(tx, rng, seen.at, &withdrawal(command.id.0, account, amount)).await?;
        return returns::taken(tx, seen.at, command.id.0, command.count, seen.state.remaining).await;
    }
    let order = command.order_id.ok_or(StoreError::Inconsistent { table: "commands", column: "order_id" })?;
    let credited = on!(tx, |c| sqlx::query(
        "UPDATE orders SET state = 'credited', credited_at = $1, count = $2, remaining_fen = $3
         WHERE id = $4 AND amount_fen = $5 AND state IN ('paid', 'case')"
    )
    .bind(seen.at)
    .bind(command.count)
    .bind(seen.state.remaining)
    .bind(order)
    .bind(seen.amount)
    .execute(c)
    .await)?;
    exactly_one(credited, "orders", "state")?;
    ledger::post(tx, rng, seen.at, &delivery(order.0, account, amount)).await?;
    let (meter, balance) = (command.meter_id, seen.state.remaining);
    emergency_credits::repay(tx, seen.at, account, meter, balance).await?;
    let arrival = Arrival { order, meter, amount: seen.amount, balance, count: command.count };
    notifications::recharged(tx, rng, seen.at, arrival).await
}

/// What the meter is now known to have applied.
async fn position(tx: &mut Tx, account: AccountId, command: &Command) -> Result<LedgerPosition> {
    let row: Option<(i64, i64, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT epoch, count, cumulative_fen FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(account)
    .bind(command.meter_id)
    .fetch_optional(c)
    .await)?;
    row.and_then(LedgerPosition::from_row).ok_or(StoreError::Inconsistent { table: "account_meters", column: "count" })
}

/// Stores what was read back as the newest state of the meter.
async fn show(tx: &mut Tx, at: Timestamp, command: &Command, state: &StateBlock) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
            "UPDATE meter_latest SET observed_at = $1, lost_since = NULL, unreadable = FALSE, status = $2, remaining_fen = $3,
                cumulative_fen = $4, count = $5, epoch = $6 WHERE meter_id = $7 AND COALESCE(observed_at, 0) <= $1",
        )
        .bind(at)
        .bind(i64::from(state.status.0))
        .bind(state.remaining)
        .bind(state.cumulative)
        .bind(i64::from(state.count))
        .bind(i64::from(state.epoch))
        .bind(command.meter_id)
        .execute(c)
        .await
    })?;
    Ok(())
}

pub(super) async fn record(tx: &mut Tx, at: Timestamp, command: &Command, action: AuditAction, detail: &str) -> Result<()> {
    let subject = match command.order_id {
        Some(order) => format!("order:{order}"),
        None => format!("meter:{}", command.meter_id),
    };
    audit::append(tx, at, &Entry { actor: "system", ip: "", action, subject: &subject, detail }).await
}

/// Anything but one updated row means that the ledger has changed since the claim: the transaction must not continue.
const fn exactly_one(rows: u64, table: &'static str, column: &'static str) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table, column }) }
}
