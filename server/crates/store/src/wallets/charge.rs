//! Charges consumption in the transaction of its readings, once for each meter and instant, so that neither a crash nor a
//! repetition loses or doubles it.

use std::collections::BTreeMap;

use model::audit::AuditAction;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, MeterId};
use model::meter::ControlMode;
use model::money::Money;
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Cause, WalletRow, lock, save, save_because, uncharged};
use crate::audit::{self, Entry};
use crate::prices::Catalogue;
use crate::{Db, JsonText, Result, StoreError, Tx, ledger, on};
use domain::ledger::{consumption, consumption_reversal};
use domain::load::{Load, OVERLOAD_READINGS, above, malignant};
use domain::rng::Rng;
use domain::rollup::ConsumptionInterval;
use domain::server_wallet::ServerWallet;
use domain::tariff::{Line, Passed, Version, charge as cost};
use domain::wallet::Trip;

/// A reading of a meter with a server wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered {
    pub meter: MeterId,
    /// When it was read. The reading is stored.
    pub at: Timestamp,
    /// Consumption since the last reading that counted; `None` for the first, for one that is held, and where an operator let the
    /// counter start again.
    pub interval: Option<ConsumptionInterval>,
    /// One that is held charges nothing until an operator has settled it.
    pub counts: bool,
    pub total: Energy,
    pub load: Option<Load>,
    /// The load of the reading before it.
    pub before: Option<Load>,
}

/// Charges readings that the caller's transaction has stored; gives what the wallets then show.
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
        if row.counted_at.is_none_or(|counted| counted < reading.at) {
            load = watch_load(&mut row, reading);
            count(tx, rng, &prices, &mut row, reading).await?;
        }
        let server_wallet = save_because(tx, rng, &Cause { at, since: reading.at, load: load.as_ref() }, &mut row).await?;
        show(tx, reading, &server_wallet).await?;
        server_wallets.insert(reading.meter, server_wallet);
    }
    Ok(server_wallets)
}

/// Trips on a forbidden load, or on too much power in several readings, until an operator releases it. Gives what was measured.
fn watch_load(row: &mut WalletRow, reading: &Metered) -> Option<Value> {
    row.over_readings = above(row.over_readings, reading.load.as_ref(), row.overload_w);
    let load = reading.load.filter(|_| row.trip.is_none() && row.account_id.is_some() && row.mode == ControlMode::Prepaid)?;
    let step = reading.before.and_then(|before| malignant(&before, &load, row.malignant_w));
    let (trip, measured) = match step {
        Some(step) => (Trip::Malignant, json!({ "power_w": load.power_w, "step_w": step, "limit_w": row.malignant_w })),
        None if row.over_readings >= OVERLOAD_READINGS => {
            (Trip::Overload, json!({ "power_w": load.power_w, "limit_w": row.overload_w }))
        }
        None => return None,
    };
    (row.trip, row.tripped_at) = (Some(trip), Some(reading.at));
    Some(measured)
}

async fn count(tx: &mut Tx, rng: &Rng, prices: &Catalogue, row: &mut WalletRow, reading: &Metered) -> Result<()> {
    let (Some(account), true) = (row.account_id, reading.counts) else { return Ok(()) };
    if row.started_at.is_none() {
        return start(tx, row, account, reading).await;
    }
    if let Some(ConsumptionInterval { from, energy, parts, .. }) =
        reading.interval.filter(|interval| interval.energy > Energy::ZERO)
    {
        let passed = Passed { from, to: reading.at, energy, rates: Some(parts.rates) };
        let versions = prices.timeline(tx, reading.meter).await?;
        if versions.is_empty() {
            uncharged::store(tx, rng, row, account, &passed).await?;
        } else {
            if row.uncharged_wh > Energy::ZERO {
                for waiting in uncharged::remove(tx, reading.at, row).await? {
                    debit(tx, rng, &versions, row, account, waiting).await?;
                }
            }
            debit(tx, rng, &versions, row, account, passed).await?;
        }
    }
    (row.counted_at, row.counted_wh) = (Some(reading.at), Some(reading.total));
    Ok(())
}

/// Charges energy, once for each meter and instant.
async fn debit(
    tx: &mut Tx,
    rng: &Rng,
    versions: &[Version],
    row: &mut WalletRow,
    account: AccountId,
    passed: Passed,
) -> Result<()> {
    let mut position = row.position();
    let Some(charge) = cost(&mut position, versions, &passed) else { return Ok(()) };
    let (meter, amount) = (row.meter_id, charge.amount);
    let new = NewCharge { meter, account, passed, amount, lines: &charge.lines, reverses: None };
    let Some(id) = insert(tx, rng, &new).await? else { return Ok(()) };
    if amount > Money::ZERO {
        ledger::post(tx, rng, passed.to.just_before(), &consumption(id, account, amount)).await?;
    }
    row.set_position(position);
    Ok(())
}

/// The first reading after the account got the meter is its opening reading; the relay closes with it.
async fn start(tx: &mut Tx, row: &mut WalletRow, account: AccountId, reading: &Metered) -> Result<()> {
    let here: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM account_meters m JOIN accounts a ON a.id = m.account_id
         WHERE m.account_id = $1 AND m.meter_id = $2 AND m.to_at IS NULL AND m.from_at <= $3 AND a.state IN ('opening', 'open')"
    )
    .bind(account)
    .bind(reading.meter)
    .bind(reading.at)
    .fetch_optional(c)
    .await)?;
    if here.is_none() {
        return Ok(());
    }
    on!(tx, |c| sqlx::query("UPDATE accounts SET state = 'open' WHERE id = $1 AND state = 'opening'")
        .bind(account)
        .execute(c)
        .await)?;
    (row.started_at, row.started_wh) = (Some(reading.at), Some(reading.total));
    (row.counted_at, row.counted_wh) = (row.started_at, row.started_wh);
    Ok(())
}

struct NewCharge<'a> {
    meter: MeterId,
    account: AccountId,
    passed: Passed,
    amount: Money,
    lines: &'a [Line],
    reverses: Option<Uuid>,
}

/// `None` if this reading was charged before.
async fn insert(tx: &mut Tx, rng: &Rng, new: &NewCharge<'_>) -> Result<Option<Uuid>> {
    let id = rng.id(new.passed.to);
    let stored = on!(tx, |c| sqlx::query(
        "INSERT INTO charges (id, meter_id, account_id, from_at, at, wh, amount_e4, lines, reverses)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(new.meter)
    .bind(new.account)
    .bind(new.passed.from)
    .bind(new.passed.to)
    .bind(new.passed.energy)
    .bind(new.amount)
    .bind(JsonText(new.lines))
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
        .bind(new.account)
        .bind(new.meter)
        .bind(line.day)
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

/// Stores what the wallet held after a reading, as a meter with its own wallet reports it.
async fn show(tx: &mut Tx, reading: &Metered, server_wallet: &ServerWallet) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE readings SET remaining_fen = $1 WHERE meter_id = $2 AND at = $3")
        .bind(server_wallet.wallet.remaining)
        .bind(reading.meter)
        .bind(reading.at)
        .execute(c)
        .await)?;
    Ok(())
}

#[derive(FromRow)]
struct StoredCharge {
    meter_id: MeterId,
    account_id: AccountId,
    from_at: Timestamp,
    at: Timestamp,
    wh: Energy,
    amount_e4: Money,
    lines: JsonText<Vec<Line>>,
}

/// Reverses a charge, once, by a charge of its own.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown charge or a reversal, [`AppError::Conflict`] if it was reversed before.
pub async fn reverse(db: &Db, rng: &Rng, at: Timestamp, who: &Who, charge: Uuid, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let stored: Option<StoredCharge> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT meter_id, account_id, from_at, at, wh, amount_e4, lines FROM charges WHERE id = $1 AND reverses IS NULL"
    )
    .bind(charge)
    .fetch_optional(c)
    .await)?;
    let Some(StoredCharge { meter_id: meter, account_id: account, from_at, at: to, wh, amount_e4: amount, lines }) = stored
    else {
        return Err(AppError::NotFound.into());
    };
    let JsonText(lines) = lines;
    let mut row = lock(&mut tx, meter).await?.ok_or(StoreError::Inconsistent { table: "wallets", column: "meter_id" })?;
    let back: Vec<Line> = lines.iter().map(|line| Line { wh: -line.wh, cost_e7: -line.cost_e7, ..*line }).collect();
    let passed = Passed { from: from_at, to, energy: Energy::ZERO - wh, rates: None };
    let new = NewCharge { meter, account, passed, amount: -amount, lines: &back, reverses: Some(charge) };
    let Some(id) = insert(&mut tx, rng, &new).await? else { return Err(AppError::Conflict.into()) };
    if amount > Money::ZERO {
        ledger::post(&mut tx, rng, at, &consumption_reversal(id, account, amount)).await?;
    }
    // The remainder below 0.0001 yuan stays with the wallet: the charge took whole units only, so its lines differ by less than
    // one.
    row.carry_e7 += amount.0 * 1_000 - lines.iter().map(|line| line.cost_e7).sum::<i64>();
    let this_period = |line: &&Line| {
        let (year, month, _) = line.day.ymd();
        [year, year * 100 + i64::from(month)].contains(&row.tier_period)
    };
    row.tier_wh = (row.tier_wh - lines.iter().filter(this_period).map(|line| line.wh).sum::<i64>()).max(0);
    if row.account_id == Some(account) {
        save(&mut tx, rng, at, &mut row).await?;
    }
    let detail = serde_json::json!({ "charge": charge, "wh": wh, "amount_e4": amount, "reason": reason }).to_string();
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{meter}"));
    audit::append(
        &mut tx,
        at,
        &Entry { actor: &actor, ip: &who.ip, action: AuditAction::ChargeReverse, subject: &subject, detail: &detail },
    )
    .await?;
    tx.commit().await
}
