//! A meter with a server wallet leaves its account, or replaces another one.

use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, MeterId};
use model::time::Timestamp;

use super::charge::{Metered, charge};
use super::{lock, save};
use crate::{Result, StoreError, Tx, counters};
use domain::rng::Rng;
use domain::rollup::{ConsumptionInterval, Parts};

/// Takes the account off the wallet; the relay opens. Gives whether it could: the meter must have been read and charged since
/// `since`, and no energy may wait for a price plan.
pub(crate) async fn leave(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    account: AccountId,
    meter: MeterId,
    since: Timestamp,
) -> Result<bool> {
    let Some(mut row) = lock(tx, meter).await? else { return Ok(true) };
    if row.account_id != Some(account) {
        return Ok(true);
    }
    // A meter that was never read has no known consumption.
    let read = row.started_at.is_none() || row.counted_at.is_some_and(|counted| counted >= since);
    if !read || row.uncharged_wh > Energy::ZERO {
        return Ok(false);
    }
    row.account_id = None;
    save(tx, rng, at, &mut row).await?;
    Ok(true)
}

/// An operator entered the last value of the counter: charges the energy since the last reading and adds it to the days.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for a counter below the last reading, or [`AppError::NoPrices`] where nothing prices it.
pub(crate) async fn count(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, total: Energy) -> Result<()> {
    let row = lock(tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })?;
    let (Some(from), Some(counted)) = (row.counted_at, row.counted_wh) else { return Ok(()) };
    let energy = total - counted;
    if energy < Energy::ZERO || at <= from {
        return Err(AppError::Invalid.into());
    }
    let interval = ConsumptionInterval { from, to: at, energy, parts: Parts::default() };
    // Without registers the energy is split into rates by time.
    let metered = Metered { meter, at, interval: Some(interval), counts: true, total, load: None, before: None };
    charge(tx, rng, at, &[metered]).await?;
    counters::add(tx, at, meter, &interval).await?;
    let row = lock(tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })?;
    if row.uncharged_wh > Energy::ZERO { Err(AppError::NoPrices.into()) } else { Ok(()) }
}

/// Copies tier position, mode, switch and limits from the old meter's wallet to the new
/// one's. A remainder below 0.0001 yuan is dropped.
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
