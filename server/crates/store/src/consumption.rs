//! Consumption from meter wallets, posted to the ledger once a day, so that the ledger knows what every meter holds.

use model::console::{MeterTook, PostedUse};
use model::energy::Energy;
use model::ids::{AccountId, MeterId};
use model::money::Fen;
use model::time::{SECOND, Timestamp};

use super::{Db, Result, Tx, ledger, on, read};
use crate::has_balance;
use domain::ledger::use_of_meter;
use domain::rng::Rng;

/// Meters with their own wallet and an open account that were read since `day` began and whose consumption was not posted since.
pub async fn due(db: &Db, day: Timestamp) -> Result<Vec<(AccountId, MeterId)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT am.account_id, am.meter_id FROM account_meters am
         JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
         JOIN meters m ON m.id = am.meter_id AND m.wallet = 'meter'
         JOIN meter_latest l ON l.meter_id = m.id AND l.observed_at >= $1
         WHERE am.to_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM meter_consumption u WHERE u.meter_id = m.id AND u.account_id = a.id AND u.at >= $1)
         ORDER BY am.meter_id"
    )
    .bind(day)
    .fetch_all(pool)
    .await)
}

/// Posts what a meter used up to its newest reading, if its epoch, count and cumulative amount are the ledger's and no case
/// contradicts them. Gives whether it was posted.
pub async fn post_newest(db: &Db, rng: &Rng, account: AccountId, meter: MeterId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let counts: Option<(i64, i64, Fen)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE account_meters SET count = count WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL
         RETURNING epoch, count, cumulative_fen"
    )
    .bind(account)
    .bind(meter)
    .fetch_optional(c)
    .await)?;
    let Some((epoch, count, cumulative)) = counts else { return Ok(false) };
    let seen: Option<(Timestamp, Fen)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT observed_at, remaining_fen FROM meter_latest
         WHERE meter_id = $1 AND observed_at IS NOT NULL AND epoch = $2 AND count = $3 AND cumulative_fen = $4
           AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = $1 AND k.closed_at IS NULL
                           AND k.kind IN ('delivery', 'meter-differs', 'journal', 'identity'))"
    )
    .bind(meter)
    .bind(epoch)
    .bind(count)
    .bind(cumulative)
    .fetch_optional(c)
    .await)?;
    let Some((at, remaining)) = seen else { return Ok(false) };
    let credited = CreditedInEpoch { account, meter, epoch, cumulative };
    let posted = post(&mut tx, rng, at, &credited, remaining).await?;
    tx.commit().await?;
    Ok(posted)
}

/// What was credited to a meter in a key epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct CreditedInEpoch {
    pub account: AccountId,
    pub meter: MeterId,
    pub epoch: i64,
    /// Credited minus debited.
    pub cumulative: Fen,
}

/// Posts the consumption of an epoch up to a reading that was not posted before, in the caller's transaction: what was credited,
/// less what remains.
pub(super) async fn post(tx: &mut Tx, rng: &Rng, at: Timestamp, credited: &CreditedInEpoch, remaining: Fen) -> Result<bool> {
    let (posted, from) = posted(tx, credited.account, credited.meter, credited.epoch).await?;
    let (id, amount) = (rng.id(at), credited.cumulative - remaining - posted);
    let inserted = on!(tx, |c| {
        sqlx::query(
            "INSERT INTO meter_consumption (id, meter_id, account_id, epoch, from_at, at, amount_fen)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (meter_id, at) DO NOTHING",
        )
        .bind(id)
        .bind(credited.meter)
        .bind(credited.account)
        .bind(credited.epoch)
        .bind(from)
        .bind(at)
        .bind(amount)
        .execute(c)
        .await
    })?;
    if inserted == 0 {
        return Ok(false);
    }
    // Consumption before the site was taken over is not this ledger's income.
    let taken_over = from.is_none() && is_taken_over(tx, credited.account).await?;
    if let Some(transfer) = use_of_meter(id, credited.account, amount.money(), taken_over) {
        ledger::post(tx, rng, at.just_before(), &transfer).await?;
    }
    Ok(true)
}

/// The consumption of an epoch that is posted already, and up to when. The final settlement posts only the rest.
pub(super) async fn posted(tx: &mut Tx, account: AccountId, meter: MeterId, epoch: i64) -> Result<(Fen, Option<Timestamp>)> {
    let posted: Option<(Fen, Option<Timestamp>)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT), MAX(at) FROM meter_consumption
         WHERE account_id = $1 AND meter_id = $2 AND epoch = $3"
    )
    .bind(account)
    .bind(meter)
    .bind(epoch)
    .fetch_optional(c)
    .await)?;
    Ok(posted.unwrap_or_default())
}

/// What was posted for times that touch `[from, to)`, in order.
pub async fn posted_between(db: &Db, meter: MeterId, from: Timestamp, to: Timestamp) -> Result<Vec<PostedUse>> {
    let rows: Vec<(Option<Timestamp>, Timestamp, Fen)> = read!(db, |pool| sqlx::query_as(
        "SELECT from_at, at, amount_fen FROM meter_consumption
         WHERE meter_id = $1 AND at > $2 AND COALESCE(from_at, at) < $3 ORDER BY at LIMIT 50"
    )
    .bind(meter)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(from, at, amount)| PostedUse { from, at, amount }).collect())
}

/// What a meter took between the last readings at or before two instants; `None` without two readings.
pub async fn taken_between(db: &Db, meter: MeterId, from: Timestamp, to: Timestamp) -> Result<Option<MeterTook>> {
    let ends: Vec<(Timestamp, Energy, Fen)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT at, total_wh, remaining_fen FROM readings WHERE meter_id = $1 AND at IN (
             COALESCE((SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at <= $2 AND",
        has_balance!(),
        "), (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at > $2 AND",
        has_balance!(),
        ")), (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at <= $3 AND",
        has_balance!(),
        ")) ORDER BY at"
    ))
    .bind(meter)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await)?;
    let [first, last] = ends.as_slice() else { return Ok(None) };
    // A purchase is read back moments before its order becomes credited.
    const READ_BACK: i64 = 5 * SECOND;
    let credited: Option<(Fen,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST((SELECT COALESCE(SUM(amount_fen), 0) FROM orders
                      WHERE meter_id = $1 AND credited_at > $2 AND credited_at <= $3)
                   - (SELECT COALESCE(SUM(amount_fen), 0) FROM returns
                      WHERE meter_id = $1 AND taken_at > $2 AND taken_at <= $3) AS BIGINT)"
    )
    .bind(meter)
    .bind(first.0.plus(READ_BACK))
    .bind(last.0.plus(READ_BACK))
    .fetch_optional(pool)
    .await)?;
    Ok(Some(MeterTook {
        from: first.0,
        at: last.0,
        before: first.2,
        after: last.2,
        credited: credited.map_or(Fen::ZERO, |(fen,)| fen),
        energy: last.1 - first.1,
    }))
}

async fn is_taken_over(tx: &mut Tx, account: AccountId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM ledger_transfers WHERE operation = 'takeover' AND reference = $1"
    )
    .bind(account)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}
