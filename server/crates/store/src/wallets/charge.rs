//! Debiting what was used, in the transaction of the readings that say so: once an instant and meter, so that neither a crash nor
//! a repetition can lose or double it.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, MeterId};
use model::money::Money;
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Row, lock, save, save_since, uncharged};
use crate::audit::{self, Entry};
use crate::prices::Catalogue;
use crate::{Db, Result, StoreError, Tx, ledger, on};
use domain::ledger::{consumption, consumption_reversal};
use domain::load::{Load, OVERLOAD_READINGS, above, malignant};
use domain::rng::Rng;
use domain::rollup::ConsumptionInterval;
use domain::server_wallet::ServerWallet;
use domain::tariff::{Line, Passed, Version, charge as cost};
use domain::wallet::Trip;

/// A reading of a meter whose wallet is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Of which meter.
    pub meter: MeterId,
    /// When it was read; a stored reading.
    pub at: Timestamp,
    /// What passed since the reading before it that counted; `None` for the first, where this one is held, or where a person let
    /// the counter begin anew.
    pub interval: Option<ConsumptionInterval>,
    /// Whether it counts: one that is held charges nothing until a person has settled it.
    pub counts: bool,
    pub total: Energy,
    /// What it measured of the load, and the reading before it.
    pub load: Option<Load>,
    /// Likewise, of the reading before it.
    pub before: Option<Load>,
}

/// Charges readings in the caller's transaction, which has stored them before; gives what the wallets then show.
pub async fn charge(tx: &mut Tx, rng: &Rng, at: Timestamp, readings: &[Metered]) -> Result<BTreeMap<MeterId, ServerWallet>> {
    let mut server_wallets = BTreeMap::new();
    if readings.is_empty() {
        return Ok(server_wallets);
    }
    let prices = Catalogue::load(tx).await?;
    // In the order of the meters, so that two transactions never wait for each other's rows.
    let mut readings: Vec<&Metered> = readings.iter().collect();
    readings.sort_by_key(|reading| (reading.meter, reading.at));
    for reading in readings {
        let Some(mut row) = lock(tx, reading.meter).await? else { continue };
        let mut load = None;
        if row.counted_at.is_none_or(|counted| counted < reading.at.0) {
            load = watch_load(&mut row, reading);
            take(tx, rng, &prices, &mut row, reading).await?;
        }
        let server_wallet = save_since(tx, rng, at, reading.at, &mut row, load.as_ref()).await?;
        show(tx, reading, &server_wallet).await?;
        server_wallets.insert(reading.meter, server_wallet);
    }
    Ok(server_wallets)
}

/// A forbidden load, or more power than allowed for so many readings, trips until a person releases it. Gives what was measured.
fn watch_load(row: &mut Row, reading: &Metered) -> Option<Value> {
    row.over_readings = above(row.over_readings, reading.load.as_ref(), row.overload_w);
    let load = reading.load.filter(|_| row.trip.is_none() && row.account_id.is_some() && row.mode == "prepaid")?;
    let step = reading.before.and_then(|before| malignant(&before, &load, row.malignant_w));
    let (trip, measured) = match step {
        Some(step) => (Trip::Malignant, json!({ "power_w": load.power_w, "step_w": step, "limit_w": row.malignant_w })),
        None if row.over_readings >= OVERLOAD_READINGS => {
            (Trip::Overload, json!({ "power_w": load.power_w, "limit_w": row.overload_w }))
        }
        None => return None,
    };
    (row.trip, row.tripped_at) = (Some(trip.as_str().to_owned()), Some(reading.at.0));
    Some(measured)
}

async fn take(tx: &mut Tx, rng: &Rng, prices: &Catalogue, row: &mut Row, reading: &Metered) -> Result<()> {
    let (Some(account), true) = (row.account(), reading.counts) else { return Ok(()) };
    if row.started_at.is_none() {
        return start(tx, row, account, reading).await;
    }
    if let Some(ConsumptionInterval { from, energy, parts, .. }) =
        reading.interval.filter(|interval| interval.energy > Energy::ZERO)
    {
        let passed = Passed { from, to: reading.at, energy, rates: Some(parts.rates) };
        let versions = prices.timeline(tx, reading.meter).await?;
        if versions.is_empty() {
            uncharged::keep(tx, rng, row, account, &passed).await?;
        } else {
            if row.uncharged_wh > 0 {
                for waiting in uncharged::take(tx, reading.at, row).await? {
                    debit(tx, rng, &versions, row, account, waiting).await?;
                }
            }
            debit(tx, rng, &versions, row, account, passed).await?;
        }
    }
    (row.counted_at, row.counted_wh) = (Some(reading.at.0), Some(reading.total.0));
    Ok(())
}

/// Charges what passed: once a meter and instant.
async fn debit(tx: &mut Tx, rng: &Rng, versions: &[Version], row: &mut Row, account: AccountId, passed: Passed) -> Result<()> {
    let mut position = row.position();
    let Some(charge) = cost(&mut position, versions, &passed) else { return Ok(()) };
    let (meter, amount) = (MeterId(row.meter_id), charge.amount);
    let new = New { meter, account, passed, amount, lines: &charge.lines, reverses: None };
    let Some(id) = insert(tx, rng, &new).await? else { return Ok(()) };
    if amount > Money::ZERO {
        ledger::post(tx, rng, passed.to, &consumption(id, account, amount)).await?;
    }
    row.stand_at(position);
    Ok(())
}

/// The first reading from when the account got the meter is where it starts; power comes with it.
async fn start(tx: &mut Tx, row: &mut Row, account: AccountId, reading: &Metered) -> Result<()> {
    let here: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM account_meters m JOIN accounts a ON a.id = m.account_id
         WHERE m.account_id = $1 AND m.meter_id = $2 AND m.to_at IS NULL AND m.from_at <= $3 AND a.state IN ('opening', 'open')"
    )
    .bind(account.0)
    .bind(reading.meter.0)
    .bind(reading.at.0)
    .fetch_optional(c)
    .await)?;
    if here.is_none() {
        return Ok(());
    }
    on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'open' WHERE id = $1 AND state = 'opening'")
        .bind(account.0)
        .execute(c)
        .await)?;
    (row.started_at, row.started_wh) = (Some(reading.at.0), Some(reading.total.0));
    (row.counted_at, row.counted_wh) = (row.started_at, row.started_wh);
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
async fn show(tx: &mut Tx, reading: &Metered, server_wallet: &ServerWallet) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE readings SET remaining_fen = $1 WHERE meter_id = $2 AND at = $3")
        .bind(server_wallet.wallet.remaining.0)
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
        save(&mut tx, rng, at, &mut row).await?;
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
