//! What meters' own wallets use, brought into the ledger once a day: then the ledger knows what is left in every meter.

use model::ids::{AccountId, MeterId, Uuid};
use model::money::Fen;
use model::time::Timestamp;

use super::{Db, Result, Tx, ledger, on, read};
use domain::ledger::use_of_meter;
use domain::rng::Rng;

/// Meters with a wallet inside and an open account that were observed since `day` began, and whose use was brought in before it.
pub async fn due(db: &Db, day: Timestamp) -> Result<Vec<(AccountId, MeterId)>> {
    let rows: Vec<(Uuid, Uuid)> = read!(db, |pool| sqlx::query_as(
        "SELECT am.account_id, am.meter_id FROM account_meters am
         JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
         JOIN meters m ON m.id = am.meter_id AND m.wallet = 'meter'
         JOIN meter_latest l ON l.meter_id = m.id AND l.observed_at >= $1
         WHERE am.to_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM meter_uses u WHERE u.meter_id = m.id AND u.account_id = a.id AND u.at >= $1)
         ORDER BY am.meter_id"
    )
    .bind(day.0)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(account, meter)| (AccountId(account), MeterId(meter))).collect())
}

/// Brings in what a meter used up to its newest observation. Only one that can be trusted: epoch, count and cumulative amount are the
/// ledger's, and no case says otherwise. Gives whether it was.
///
/// # Errors
/// Where the database fails; then nothing was posted.
pub async fn bring_in(db: &Db, rng: &Rng, account: AccountId, meter: MeterId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let known: Option<(i64, i64, i64)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE account_meters SET count = count WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL
         RETURNING epoch, count, cumulative_fen"
    )
    .bind(account.0)
    .bind(meter.0)
    .fetch_optional(c)
    .await)?;
    let Some((epoch, count, cumulative)) = known else { return Ok(false) };
    let seen: Option<(i64, i64)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT observed_at, remaining_fen FROM meter_latest
         WHERE meter_id = $1 AND observed_at IS NOT NULL AND epoch = $2 AND count = $3 AND cumulative_fen = $4
           AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = $1 AND k.closed_at IS NULL
                           AND k.kind IN ('delivery', 'meter-differs', 'journal', 'identity'))"
    )
    .bind(meter.0)
    .bind(epoch)
    .bind(count)
    .bind(cumulative)
    .fetch_optional(c)
    .await)?;
    let Some((at, remaining)) = seen else { return Ok(false) };
    let known = Known { account, meter, epoch, cumulative: Fen(cumulative) };
    let brought = post(&mut tx, rng, Timestamp(at), &known, Fen(remaining)).await?;
    tx.commit().await?;
    Ok(brought)
}

/// What the ledger knows a meter to have applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub account: AccountId,
    pub meter: MeterId,
    /// The key epoch.
    pub epoch: i64,
    /// Credited minus debited in it.
    pub cumulative: Fen,
}

/// Posts what was used in an epoch up to an observation and was not posted before, in the caller's transaction: what was put in, less
/// what is left.
pub(super) async fn post(tx: &mut Tx, rng: &Rng, at: Timestamp, known: &Known, remaining: Fen) -> Result<bool> {
    let (posted, from) = posted(tx, known.account, known.meter, known.epoch).await?;
    let (id, amount) = (rng.id(at), known.cumulative - remaining - posted);
    let inserted = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO meter_uses (id, meter_id, account_id, epoch, from_at, at, amount_fen) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (meter_id, at) DO NOTHING"
    )
    .bind(id)
    .bind(known.meter.0)
    .bind(known.account.0)
    .bind(known.epoch)
    .bind(from)
    .bind(at.0)
    .bind(amount.0)
    .execute(c)
    .await
    })?;
    if inserted == 0 {
        return Ok(false);
    }
    // What was used before the site was taken over is not this ledger's income.
    let taken_over = from.is_none() && is_taken_over(tx, known.account).await?;
    if let Some(transfer) = use_of_meter(id, known.account, amount.money(), taken_over) {
        ledger::post(tx, rng, at, &transfer).await?;
    }
    Ok(true)
}

/// What a meter used in an epoch is in the ledger already, and up to when. Whoever settles an account's meter for good has only the rest
/// of its use to post.
pub(super) async fn posted(tx: &mut Tx, account: AccountId, meter: MeterId, epoch: i64) -> Result<(Fen, Option<i64>)> {
    let posted: Option<(i64, Option<i64>)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT), MAX(at) FROM meter_uses
         WHERE account_id = $1 AND meter_id = $2 AND epoch = $3"
    )
    .bind(account.0)
    .bind(meter.0)
    .bind(epoch)
    .fetch_optional(c)
    .await)?;
    let (fen, until) = posted.unwrap_or_default();
    Ok((Fen(fen), until))
}

async fn is_taken_over(tx: &mut Tx, account: AccountId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM ledger_transfers WHERE operation = 'takeover' AND reference = $1"
    )
    .bind(account.0)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}
