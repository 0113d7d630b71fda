//! What a room's electricity cost in a span of time, as far as the books or the readings say.

use model::ids::{AccountId, MeterId};
use model::meter::Wallet;
use model::money::Fen;
use model::time::{Date, SECOND, Timestamp};
use sqlx::FromRow;
use store::{Db, Result, has_balance, read};

/// The serial numbers of the meters that an account has now.
pub async fn serials(db: &Db, account: AccountId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.serial FROM account_meters am JOIN meters m ON m.id = am.meter_id
         WHERE am.account_id = $1 AND am.to_at IS NULL ORDER BY am.from_at, am.meter_id LIMIT 20"
    )
    .bind(account)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(serial,)| serial).collect())
}

/// A meter that an account had on some days.
#[derive(FromRow)]
struct AccountMeter {
    meter_id: MeterId,
    wallet: Wallet,
    /// Since when it is theirs.
    from_at: Timestamp,
    /// It was taken from the account before these days were over.
    has_ended: bool,
}

/// A credit is read back moments before its order becomes credited.
const READ_BACK: i64 = 5 * SECOND;

/// The cost of an account on the days from `first` to `last`: what was charged, and for wallets in meters by how much the balance
/// fell, with what was credited and taken out between. `None` if it is not known for every meter that the account had on these
/// days, because people pay each other by it.
pub async fn of_account(db: &Db, account: AccountId, first: Date, last: Date) -> Result<Option<Fen>> {
    let meters: Vec<AccountMeter> = read!(db, |pool| sqlx::query_as(
        "SELECT am.meter_id, m.wallet, am.from_at, am.to_at IS NOT NULL AND am.to_at < $3 AS has_ended
         FROM account_meters am JOIN meters m ON m.id = am.meter_id
         WHERE am.account_id = $1 AND am.from_at < $3 AND (am.to_at IS NULL OR am.to_at >= $2)
         ORDER BY am.from_at, am.meter_id LIMIT 100"
    )
    .bind(account)
    .bind(first.start())
    .bind(last.plus(1).start())
    .fetch_all(pool)
    .await)?;
    if meters.is_empty() {
        return Ok(None);
    }
    // Whichever meter a server wallet had, its charges are of the account.
    let mut cost = charged(db, account, first, last).await?;
    for meter in meters {
        let of_meter = match meter.wallet {
            Wallet::Server => Some(Fen::ZERO),
            // What a meter held when it was taken out is not among its readings.
            Wallet::Meter if !meter.has_ended => balance_fall(db, account, &meter, first, last).await?,
            Wallet::Meter | Wallet::None => None,
        };
        let Some(of_meter) = of_meter else { return Ok(None) };
        cost = cost + of_meter;
    }
    Ok(Some(cost))
}

async fn charged(db: &Db, account: AccountId, first: Date, last: Date) -> Result<Fen> {
    let row: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(cost_e7), 0) AS BIGINT) FROM charge_days
         WHERE account_id = $1 AND day BETWEEN $2 AND $3"
    )
    .bind(account)
    .bind(first)
    .bind(last)
    .fetch_optional(pool)
    .await)?;
    // From 1e-7 yuan, rounded half up.
    Ok(Fen(row.map_or(0, |(cost_e7,)| (cost_e7 + 50_000).div_euclid(100_000))))
}

/// From the last reading before these days to the last one in them, so that what lies between two months belongs to one of them.
async fn balance_fall(db: &Db, account: AccountId, meter: &AccountMeter, first: Date, last: Date) -> Result<Option<Fen>> {
    let ends: Vec<(i64, Fen)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT at, remaining_fen FROM readings WHERE meter_id = $1 AND at IN (
             COALESCE((SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at <= $2 AND at >= $4 AND",
        has_balance!(),
        "), (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at > $2 AND at >= $4 AND",
        has_balance!(),
        ")), (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at > $2 AND at <= $3 AND at >= $4 AND",
        has_balance!(),
        ")) ORDER BY at"
    ))
    .bind(meter.meter_id)
    .bind(first.start())
    .bind(last.plus(1).start())
    .bind(meter.from_at)
    .fetch_all(pool)
    .await)?;
    let [(from, before), (until, after)] = ends.as_slice() else { return Ok(None) };
    let moved: Option<(Fen, Fen)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE((SELECT SUM(amount_fen) FROM orders
                     WHERE meter_id = $1 AND account_id = $2 AND credited_at > $3 AND credited_at <= $4), 0) AS BIGINT),
                CAST(COALESCE((SELECT SUM(amount_fen) FROM returns
                     WHERE meter_id = $1 AND account_id = $2 AND taken_at > $3 AND taken_at <= $4), 0) AS BIGINT)"
    )
    .bind(meter.meter_id)
    .bind(account)
    .bind(from + READ_BACK)
    .bind(until + READ_BACK)
    .fetch_optional(pool)
    .await)?;
    let (credited, taken) = moved.unwrap_or_default();
    let cost = *before + credited - taken - *after;
    Ok(Some(cost).filter(|cost| *cost >= Fen::ZERO))
}
