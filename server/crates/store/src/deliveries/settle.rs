//! How a command ends, each in one transaction: done as it was read back, refused by the meter, or held for a person.

use model::case::{CaseDetail, DeliveryCase, RelayCase};
use model::ids::{AccountId, MeterId, OrderId};
use model::money::Fen;
use model::time::Timestamp;

use super::account_of;
use crate::audit::{self, Entry};
use crate::commands::Command;
use crate::{Db, Result, StoreError, Tx, cases, closings, ledger, on, returns};
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
    /// How much a credit or debit moved, or what was left where the account was closed.
    pub amount: Fen,
    /// The relay does not stand as the command wants it.
    pub relay_fault: bool,
}

/// The command is done: with it, in one transaction, the order, the ledger, what the meter is known to hold, and the audit line.
/// Gives what the meter should hold from now on; the outer `None` says that somebody else settled it before.
///
/// # Errors
/// Where the database fails; then nothing was settled.
pub async fn settle(db: &Db, rng: &Rng, command: &Command, seen: &Verdict<'_>) -> Result<Option<Option<LedgerPosition>>> {
    let (at, state) = (seen.at, seen.state);
    let mut tx = db.begin().await?;
    let note = seen.relay_fault.then_some(super::note::RELAY);
    let finished = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'done', finished_at = $1, result = $2, note = $3
         WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(i64::from(state.last_result))
    .bind(note)
    .bind(command.id)
    .execute(c)
    .await)?;
    if finished != 1 {
        return Ok(None);
    }
    let mut expected = None;
    if command.money {
        let account = account_of(command)?;
        match command.kind.as_str() {
            "open" => opened(&mut tx, account, command, state).await?,
            "close" => closings::closed(&mut tx, rng, at, account, command, seen.amount).await?,
            kind => {
                let sign = if kind == "credit" { 1 } else { -1 };
                moved(&mut tx, account, command, Fen(seen.amount.0 * sign)).await?;
                post(&mut tx, rng, account, command, seen).await?;
            }
        }
        if command.kind != "close" {
            expected = Some(known(&mut tx, account, command).await?);
        }
    }
    if seen.relay_fault {
        let case = RelayCase { command: command.kind.clone(), status: Some(state.status.0), ..RelayCase::default() };
        cases::open(&mut tx, rng, at, Some(MeterId(command.meter_id)), None, &CaseDetail::Relay(case)).await?;
    }
    show(&mut tx, at, command, state).await?;
    let detail = serde_json::json!({
        "kind": command.kind, "count": state.count, "epoch": state.epoch, "remaining_fen": state.remaining.0,
        "attempts": command.attempts,
    });
    record(&mut tx, at, command, "command.done", &detail.to_string()).await?;
    tx.commit().await?;
    Ok(Some(expected))
}

/// The meter refused a command; no money has moved and nothing changed.
pub async fn refuse(db: &Db, at: Timestamp, command: &Command, result: Option<u8>, note: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'failed', finished_at = $1, result = $2, note = $3
         WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(result.map(i64::from))
    .bind(note)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended == 1 {
        // Also a debit moves no money when it is refused: the meter shows the count before it, and its answer to this very frame.
        returns::declined(&mut tx, command.id, note).await?;
        let detail = serde_json::json!({ "kind": command.kind, "result": result, "note": note }).to_string();
        record(&mut tx, at, command, "command.refused", &detail).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Neither delivered nor undelivered by the rule, or refused: a person decides. Money commands of the meter wait meanwhile.
pub async fn hold(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    command: &Command,
    result: Option<u8>,
    case: Box<DeliveryCase>,
) -> Result<()> {
    let case = CaseDetail::Delivery(case);
    let detail = case.to_json();
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'case', finished_at = $1, result = $2, note = $3
         WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(result.map(i64::from))
    .bind(&detail)
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
    returns::held_back(&mut tx, command.id).await?;
    let (meter, order) = (MeterId(command.meter_id), command.order_id.map(OrderId));
    cases::open(&mut tx, rng, at, Some(meter), order, &case).await?;
    record(&mut tx, at, command, "command.held", &detail).await?;
    tx.commit().await
}

async fn opened(tx: &mut Tx, account: AccountId, command: &Command, state: &StateBlock) -> Result<()> {
    let meter = on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET epoch = $1, count = 0, cumulative_fen = 0
         WHERE account_id = $2 AND meter_id = $3 AND to_at IS NULL"
    )
    .bind(i64::from(state.epoch))
    .bind(account.0)
    .bind(command.meter_id)
    .execute(c)
    .await)?;
    exactly_one(meter, "account_meters", "epoch")?;
    on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'open' WHERE id = $1 AND state = 'opening'")
        .bind(account.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// The count moves from the one before the claim to the claimed one, or nothing is settled at all.
async fn moved(tx: &mut Tx, account: AccountId, command: &Command, by: Fen) -> Result<()> {
    let meter = on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET count = $1, cumulative_fen = cumulative_fen + $2
         WHERE account_id = $3 AND meter_id = $4 AND to_at IS NULL AND epoch = $5 AND count = $1 - 1"
    )
    .bind(command.count)
    .bind(by.0)
    .bind(account.0)
    .bind(command.meter_id)
    .bind(command.epoch)
    .execute(c)
    .await)?;
    exactly_one(meter, "account_meters", "count")
}

/// The ledger and, where there is one, the order.
async fn post(tx: &mut Tx, rng: &Rng, account: AccountId, command: &Command, seen: &Verdict<'_>) -> Result<()> {
    let amount = seen.amount.money();
    if command.kind != "credit" {
        ledger::post(tx, rng, seen.at, &withdrawal(command.id, account, amount)).await?;
        return returns::taken(tx, seen.at, command.id, command.count, seen.state.remaining).await;
    }
    let order = command.order_id.ok_or(StoreError::Inconsistent { table: "commands", column: "order_id" })?;
    let credited = on!(tx, |c| sqlx::query(
        "UPDATE orders SET state = 'credited', credited_at = $1, count = $2, remaining_fen = $3
         WHERE id = $4 AND amount_fen = $5 AND state IN ('paid', 'case')"
    )
    .bind(seen.at.0)
    .bind(command.count)
    .bind(seen.state.remaining.0)
    .bind(order)
    .bind(seen.amount.0)
    .execute(c)
    .await)?;
    exactly_one(credited, "orders", "state")?;
    ledger::post(tx, rng, seen.at, &delivery(order, account, amount)).await
}

/// What the meter is now known to have applied.
async fn known(tx: &mut Tx, account: AccountId, command: &Command) -> Result<LedgerPosition> {
    let row: Option<(i64, i64, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT epoch, count, cumulative_fen FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(account.0)
    .bind(command.meter_id)
    .fetch_optional(c)
    .await)?;
    row.and_then(LedgerPosition::from_row).ok_or(StoreError::Inconsistent { table: "account_meters", column: "count" })
}

/// What was read back is the newest that is known of the meter.
async fn show(tx: &mut Tx, at: Timestamp, command: &Command, state: &StateBlock) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE meter_latest SET observed_at = $1, lost_since = NULL, status = $2, remaining_fen = $3, cumulative_fen = $4,
                count = $5, epoch = $6 WHERE meter_id = $7 AND COALESCE(observed_at, 0) <= $1"
    )
    .bind(at.0)
    .bind(i64::from(state.status.0))
    .bind(state.remaining.0)
    .bind(state.cumulative.0)
    .bind(i64::from(state.count))
    .bind(i64::from(state.epoch))
    .bind(command.meter_id)
    .execute(c)
    .await)?;
    Ok(())
}

pub(super) async fn record(tx: &mut Tx, at: Timestamp, command: &Command, action: &'static str, detail: &str) -> Result<()> {
    let subject = match command.order_id {
        Some(order) => format!("order:{}", OrderId(order)),
        None => format!("meter:{}", MeterId(command.meter_id)),
    };
    audit::append(tx, at, &Entry { actor: "system", ip: "", action, subject: &subject, detail }).await
}

/// Anything but one touched row means that the books are not as they were at the claim: the transaction must not go on.
const fn exactly_one(rows: u64, table: &'static str, column: &'static str) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table, column }) }
}
