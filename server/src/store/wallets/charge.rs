//! Debiting what was used, in the transaction of the readings that say so: once an instant and meter, so that neither a crash nor
//! a repetition can lose or double it.

use std::collections::BTreeMap;

use app::error::AppError;
use app::model::energy::Energy;
use app::model::ids::{AccountId, MeterId};
use app::model::money::Money;
use app::model::time::Timestamp;
use app::ports::Who;
use uuid::Uuid;

use super::{Row, lock, save};
use crate::domain::ledger::{consumption, consumption_reversal};
use crate::domain::tariff::{Line, Passed, charge as cost};
use crate::domain::wallet::{OVERLOAD_READINGS, Trip};
use crate::meters::purse::Purse;
use crate::meters::rollup::Stretch;
use crate::rng::Rng;
use crate::store::audit::{self, Entry};
use crate::store::prices::Catalogue;
use crate::store::{Db, Result, StoreError, Tx, ledger, on};

/// A reading of a meter whose wallet is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Of which meter.
    pub meter: MeterId,
    /// When it was read; a stored reading.
    pub at: Timestamp,
    /// What passed since the reading before it that counted; `None` for the first, where this one is held, or where a person let
    /// the counter begin anew.
    pub stretch: Option<Stretch>,
    /// Whether it counts: one that is held charges nothing until a person has settled it.
    pub counts: bool,
    /// Its counter.
    pub total: Energy,
    /// W.
    pub power_w: Option<i32>,
}

/// Charges readings in the caller's transaction, which has stored them before; gives what the wallets then show.
///
/// # Errors
/// Where the database fails.
pub async fn charge(tx: &mut Tx, rng: &Rng, at: Timestamp, readings: &[Metered]) -> Result<BTreeMap<MeterId, Purse>> {
    let mut purses = BTreeMap::new();
    if readings.is_empty() {
        return Ok(purses);
    }
    let prices = Catalogue::load(tx).await?;
    // In the order of the meters, so that two transactions never wait for each other's rows.
    let mut readings: Vec<&Metered> = readings.iter().collect();
    readings.sort_by_key(|reading| (reading.meter, reading.at));
    for reading in readings {
        let Some(mut row) = lock(tx, reading.meter).await? else { continue };
        if row.counted_at.is_none_or(|counted| counted < reading.at.0) {
            watch_power(&mut row, reading);
            take(tx, rng, &prices, &mut row, reading).await?;
        }
        let purse = save(tx, at, &row).await?;
        show(tx, reading, &purse).await?;
        purses.insert(reading.meter, purse);
    }
    Ok(purses)
}

/// More power than allowed, for so many readings, trips until a person releases it.
fn watch_power(row: &mut Row, reading: &Metered) {
    let above = row.overload_w > 0 && reading.power_w.is_some_and(|power| i64::from(power) > row.overload_w);
    row.over_readings = if above { row.over_readings + 1 } else { 0 };
    if row.over_readings >= OVERLOAD_READINGS && row.trip.is_none() && row.account_id.is_some() && row.mode == "prepaid" {
        (row.trip, row.tripped_at) = (Some(Trip::Overload.as_str().to_owned()), Some(reading.at.0));
    }
}

async fn take(tx: &mut Tx, rng: &Rng, prices: &Catalogue, row: &mut Row, reading: &Metered) -> Result<()> {
    let (Some(account), true) = (row.account(), reading.counts) else { return Ok(()) };
    if row.started_at.is_none() {
        return start(tx, row, account, reading).await;
    }
    if let Some(Stretch { from, energy, parts, .. }) = reading.stretch.filter(|stretch| stretch.energy > Energy::ZERO) {
        let passed = Passed { from, to: reading.at, energy, rates: Some(parts.rates) };
        let mut position = row.position();
        let versions = prices.timeline(tx, reading.meter).await?;
        // Opening an account asks for prices, and no plan is ever taken away.
        let unpriced = StoreError::Inconsistent { table: "price_places", column: "plan_id" };
        let charge = cost(&mut position, &versions, &passed).ok_or(unpriced)?;
        let new = New { meter: reading.meter, account, passed, amount: charge.amount, lines: &charge.lines, reverses: None };
        let Some(id) = insert(tx, rng, &new).await? else { return Ok(()) };
        if charge.amount > Money::ZERO {
            ledger::post(tx, rng, reading.at, &consumption(id, account, charge.amount)).await?;
        }
        row.stand_at(position);
    }
    (row.counted_at, row.counted_wh) = (Some(reading.at.0), Some(reading.total.0));
    Ok(())
}

/// The first reading after the opening is where the account starts; power comes with it.
async fn start(tx: &mut Tx, row: &mut Row, account: AccountId, reading: &Metered) -> Result<()> {
    let opened =
        on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'open' WHERE id = $1 AND state = 'opening' AND opened_at <= $2")
            .bind(account.0)
            .bind(reading.at.0)
            .execute(c)
            .await)?;
    if opened == 1 {
        (row.started_at, row.started_wh) = (Some(reading.at.0), Some(reading.total.0));
        (row.counted_at, row.counted_wh) = (row.started_at, row.started_wh);
    }
    Ok(())
}

struct New<'a> {
    meter: MeterId,
    account: AccountId,
    passed: Passed,
    amount: Money,
    lines: &'a [Line],
    reverses: Option<Uuid>,
}

/// `None` where this reading was charged before.
async fn insert(tx: &mut Tx, rng: &Rng, new: &New<'_>) -> Result<Option<Uuid>> {
    let id = rng.id(new.passed.to);
    let stored = on!(tx, |c| sqlx::query(
        "INSERT INTO charges (id, meter_id, account_id, from_at, at, wh, amount_e4, lines, reverses)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(new.meter.0)
    .bind(new.account.0)
    .bind(new.passed.from.0)
    .bind(new.passed.to.0)
    .bind(new.passed.energy.0)
    .bind(new.amount.0)
    .bind(serde_json::json!(new.lines).to_string())
    .bind(new.reverses)
    .execute(c)
    .await)?;
    if stored == 0 {
        return Ok(None);
    }
    for line in new.lines {
        on!(tx, |c| sqlx::query(
            "INSERT INTO charge_days (account_id, meter_id, day, version_id, rate, tier, price_e4, wh, cost_e7)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (account_id, meter_id, day, version_id, rate, tier)
             DO UPDATE SET wh = charge_days.wh + excluded.wh, cost_e7 = charge_days.cost_e7 + excluded.cost_e7"
        )
        .bind(new.account.0)
        .bind(new.meter.0)
        .bind(line.day.0)
        .bind(line.version)
        .bind(i64::from(line.rate))
        .bind(i64::from(line.tier))
        .bind(line.price_e4)
        .bind(line.wh)
        .bind(line.cost_e7)
        .execute(c)
        .await)?;
    }
    Ok(Some(id))
}

/// The stored reading tells what the wallet held after it, as a meter's own does.
async fn show(tx: &mut Tx, reading: &Metered, purse: &Purse) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE readings SET remaining_fen = $1 WHERE meter_id = $2 AND at = $3")
        .bind(purse.wallet.remaining.0)
        .bind(reading.meter.0)
        .bind(reading.at.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes a charge back: a row of its own against it, never a change of it. The same charge is taken back once.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown charge or a reversal, [`AppError::Conflict`] where it was taken back before.
pub async fn reverse(db: &Db, rng: &Rng, at: Timestamp, who: &Who, charge: Uuid, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    type Stored = (Uuid, Uuid, i64, i64, i64, i64, String);
    let stored: Option<Stored> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT meter_id, account_id, from_at, at, wh, amount_e4, lines FROM charges WHERE id = $1 AND reverses IS NULL"
    )
    .bind(charge)
    .fetch_optional(c)
    .await)?;
    let Some((meter, account, from, to, wh, amount, lines)) = stored else { return Err(AppError::NotFound.into()) };
    let (meter, account) = (MeterId(meter), AccountId(account));
    let mut row = lock(&mut tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })?;
    let lines: Vec<Line> =
        serde_json::from_str(&lines).map_err(|_| StoreError::Inconsistent { table: "charges", column: "lines" })?;
    let back: Vec<Line> = lines.iter().map(|line| Line { wh: -line.wh, cost_e7: -line.cost_e7, ..*line }).collect();
    let passed = Passed { from: Timestamp(from), to: Timestamp(to), energy: Energy(-wh), rates: None };
    let new = New { meter, account, passed, amount: Money(-amount), lines: &back, reverses: Some(charge) };
    let Some(id) = insert(&mut tx, rng, &new).await? else { return Err(AppError::Conflict.into()) };
    if amount > 0 {
        ledger::post(&mut tx, rng, at, &consumption_reversal(id, account, Money(amount))).await?;
    }
    // The remainder below 0.0001 yuan stays with the wallet: the charge took whole units only, so its lines differ by less than one.
    row.carry_e7 += amount * 1_000 - lines.iter().map(|line| line.cost_e7).sum::<i64>();
    let this_period = |line: &&Line| {
        let (year, month, _) = line.day.ymd();
        [year, year * 100 + i64::from(month)].contains(&row.tier_period)
    };
    row.tier_wh = (row.tier_wh - lines.iter().filter(this_period).map(|line| line.wh).sum::<i64>()).max(0);
    if row.account() == Some(account) {
        save(&mut tx, at, &row).await?;
    }
    let detail = serde_json::json!({ "charge": charge, "wh": wh, "amount_e4": amount, "reason": reason }).to_string();
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{meter}"));
    audit::append(
        &mut tx,
        at,
        &Entry { actor: &actor, ip: &who.ip, action: "charge.reverse", subject: &subject, detail: &detail },
    )
    .await?;
    tx.commit().await
}
