//! Ending a meter that is gone or cannot be read by values that a person enters.

use model::audit::AuditAction;
use model::command::CommandReason;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{ClosingId, MeterId, Uuid};
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;

use super::{Closing, locked, record};
use crate::closings::final_settlement::{self, CountedBy};
use crate::consumption::CreditedInEpoch;
use crate::{Db, Result, Tx, consumption, counters, counts, on, orders, returns, wallets};
use domain::rng::Rng;
use domain::rollup::{ConsumptionInterval, Parts};

/// What a person read from a meter that does not answer.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The balance by its display, or by its last reading less the estimated use; for a meter with its own wallet.
    pub remaining: Option<Fen>,
    /// The final counter; required for a server wallet.
    pub total: Option<Energy>,
    /// How the values are known.
    pub reason: String,
}

/// Ends a meter by entered values. No command is sent to it any more: undelivered credits wait for a person,
/// undelivered debits are declined.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Conflict`] if it has ended already, [`AppError::ExceedsRemaining`] for more than it can
/// hold, [`AppError::Invalid`] for a missing or decreased counter, or [`AppError::NoPrices`].
pub async fn count(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ClosingId, meter: MeterId, counted: &Counted) -> Result<()> {
    let mut tx = db.begin().await?;
    let closing = locked(&mut tx, id).await?;
    let row: Option<(Uuid, Option<Uuid>)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT id, command_id FROM account_closure_meters WHERE closure_id = $1 AND meter_id = $2 AND final_at IS NULL"
    )
    .bind(id.0)
    .bind(meter.0)
    .fetch_optional(c)
    .await)?;
    let (row, command) = row.ok_or(AppError::Conflict)?;
    let by = CountedBy { user: who.user, reason: &counted.reason, total: counted.total };
    let ending = Ending { at, closing: &closing, row, meter, by };
    match command {
        Some(command) => of_meter(&mut tx, rng, &ending, command, counted.remaining).await?,
        None => of_wallet(&mut tx, rng, &ending).await?,
    }
    let more = serde_json::json!({
        "meter": meter, "remaining_fen": counted.remaining, "total_wh": counted.total.map(|total| total.0), "said":
            counted.reason,
    });
    record(&mut tx, at, Some(who), AuditAction::ClosingCount, &closing, more).await?;
    tx.commit().await
}

/// The meter of a closing that ends.
struct Ending<'a> {
    at: Timestamp,
    closing: &'a Closing,
    /// Of `account_closure_meters`.
    row: Uuid,
    meter: MeterId,
    by: CountedBy<'a>,
}

async fn of_meter(tx: &mut Tx, rng: &Rng, ending: &Ending<'_>, command: Uuid, remaining: Option<Fen>) -> Result<()> {
    let &Ending { at, closing, row, meter, ref by } = ending;
    let remaining = remaining.ok_or(AppError::InvalidAmount)?;
    // Either this or the meter's own answer settles the command, whichever comes first.
    if !give_up(tx, at, command).await? {
        return Err(AppError::Conflict.into());
    }
    give_up_others(tx, rng, at, closing, meter).await?;
    let ended: Option<(i64, i64)> = on!(tx, |c| sqlx::query_as(
        "UPDATE account_meters SET to_at = $1 WHERE account_id = $2 AND meter_id = $3 AND to_at IS NULL
         RETURNING epoch, cumulative_fen"
    )
    .bind(at.0)
    .bind(closing.account_id)
    .bind(meter.0)
    .fetch_optional(c)
    .await)?;
    let (epoch, cumulative) = ended.ok_or(AppError::Conflict)?;
    let credited = CreditedInEpoch { account: closing.account_id, meter, epoch, cumulative: Fen(cumulative) };
    // It cannot hold more than was put in, less what readings have shown as used.
    if remaining > credited.cumulative - consumption::posted(tx, closing.account_id, meter, epoch).await?.0 {
        return Err(AppError::ExceedsRemaining.into());
    }
    if let Some(total) = by.total {
        add_energy(tx, at, meter, total).await?;
    }
    final_settlement::of_meter(tx, rng, at, row, &credited, remaining, Some(by)).await
}

async fn of_wallet(tx: &mut Tx, rng: &Rng, ending: &Ending<'_>) -> Result<()> {
    let &Ending { at, closing, row, meter, ref by } = ending;
    let total = by.total.ok_or(AppError::Invalid)?;
    wallets::count(tx, rng, at, meter, total).await?;
    if final_settlement::of_wallet(tx, rng, at, closing, row, meter, Some(by)).await? {
        Ok(())
    } else {
        Err(AppError::NoPrices.into())
    }
}

async fn give_up(tx: &mut Tx, at: Timestamp, command: Uuid) -> Result<bool> {
    let given_up = on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, reason = $2
         WHERE id = $3 AND state IN ('queued', 'sending', 'case')"
    )
    .bind(at.0)
    .bind(CommandReason::Counted)
    .bind(command)
    .execute(c)
    .await)?;
    Ok(given_up == 1)
}

/// Ends the other commands of the meter.
async fn give_up_others(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: &Closing, meter: MeterId) -> Result<()> {
    let debits: Vec<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE commands SET state = 'superseded', finished_at = $1, reason = $2
         WHERE meter_id = $3 AND account_id = $4 AND money AND kind <> 'credit' AND state IN ('queued', 'sending', 'case')
         RETURNING id"
    )
    .bind(at.0)
    .bind(CommandReason::Counted)
    .bind(meter.0)
    .bind(closing.account_id)
    .fetch_all(c)
    .await)?;
    for (command,) in debits {
        returns::declined(tx, command, CommandReason::Counted.as_str()).await?;
    }
    orders::hold_undeliverable(tx, rng, at, closing.account_id, meter).await?;
    on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, resolution = 'counted'
         WHERE meter_id = $2 AND kind IN ('delivery', 'meter-differs') AND closed_at IS NULL"
    )
    .bind(at.0)
    .bind(meter.0)
    .execute(c)
    .await)?;
    Ok(())
}

/// Adds the energy since the last counted reading to hours and days.
async fn add_energy(tx: &mut Tx, at: Timestamp, meter: MeterId, total: Energy) -> Result<()> {
    let last: Option<(i64, i64)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT at, total_wh FROM readings WHERE meter_id = $1 AND",
        counts!(""),
        "ORDER BY at DESC LIMIT 1"
    ))
    .bind(meter.0)
    .fetch_optional(c)
    .await)?;
    let Some((from, wh)) = last else { return Ok(()) };
    let energy = total - Energy(wh);
    if energy < Energy::ZERO || at.0 <= from {
        return Err(AppError::Invalid.into());
    }
    counters::add(tx, at, meter, &ConsumptionInterval { from: Timestamp(from), to: at, energy, parts: Parts::default() }).await
}
