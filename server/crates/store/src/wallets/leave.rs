//! A meter whose credit is on the ledger leaves its account, or takes the place of another one.

use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, MeterId};
use model::time::Timestamp;

use super::charge::{Metered, charge};
use super::{lock, save};
use crate::{Result, StoreError, Tx, counters};
use domain::rng::Rng;
use domain::rollup::{ConsumptionInterval, Parts};

/// Ends the wallet's account; the relay opens. Gives whether it could: it must have been read and charged from `since` on, and
/// nothing may wait for a price.
pub(crate) async fn leave(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    account: AccountId,
    meter: MeterId,
    since: Timestamp,
) -> Result<bool> {
    let Some(mut row) = lock(tx, meter).await? else { return Ok(true) };
    if row.account_id != Some(account.0) {
        return Ok(true);
    }
    // Where it was never read, nothing was used that anybody knows of.
    let read = row.started_at.is_none() || row.counted_at.is_some_and(|counted| counted >= since.0);
    if !read || row.uncharged_wh > 0 {
        return Ok(false);
    }
    row.account_id = None;
    save(tx, rng, at, &mut row).await?;
    Ok(true)
}

/// A person counted where the counter stood at last: what passed since the last reading is charged, and goes into the days.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for a counter below the last reading, or [`AppError::NoPrices`] where nothing prices it.
pub(crate) async fn count(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, total: Energy) -> Result<()> {
    let row = lock(tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })?;
    let (Some(from), Some(counted)) = (row.counted_at, row.counted_wh) else { return Ok(()) };
    let energy = total - Energy(counted);
    if energy < Energy::ZERO || at.0 <= from {
        return Err(AppError::Invalid.into());
    }
    let interval = ConsumptionInterval { from: Timestamp(from), to: at, energy, parts: Parts::default() };
    // Nobody knows into which rates it fell: by time, as where a meter has no registers.
    let metered = Metered { meter, at, interval: Some(interval), counts: true, total, load: None, before: None };
    charge(tx, rng, at, &[metered]).await?;
    counters::add(tx, at, meter, &interval).await?;
    let row = lock(tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })?;
    if row.uncharged_wh > 0 { Err(AppError::NoPrices.into()) } else { Ok(()) }
}

/// The new meter's wallet goes on where the old one's stopped: tier position, mode, switch, and limits. What was charged below 0.0001
/// yuan is left behind.
pub(crate) async fn take_over(tx: &mut Tx, rng: &Rng, at: Timestamp, from: MeterId, to: MeterId) -> Result<()> {
    let missing = StoreError::Inconsistent { table: "wallets", column: "meter_id" };
    let Some(old) = lock(tx, from).await? else { return Ok(()) };
    let mut new = lock(tx, to).await?.ok_or(missing)?;
    (new.mode, new.user_off) = (old.mode, old.user_off);
    (new.alarm1_fen, new.alarm2_fen, new.overdraft_fen) = (old.alarm1_fen, old.alarm2_fen, old.overdraft_fen);
    (new.hoarding_fen, new.overload_w, new.malignant_w) = (old.hoarding_fen, old.overload_w, old.malignant_w);
    (new.tier_period, new.tier_wh, new.carry_e7) = (old.tier_period, old.tier_wh, 0);
    save(tx, rng, at, &mut new).await.map(drop)
}
