//! The books of one day of a server wallet.

use model::ids::{AccountId, MeterId};
use model::money::Money;
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::DayCharge;
use crate::{Db, JsonText, Result, read};
use domain::day_cost::{Charged, ChargedBefore};
use domain::tariff::Line;

/// The most charges of a day that a page reads: a sweep of five seconds for a day.
pub const DAY_CHARGES_MAX: usize = 20_000;

/// What was charged on a day and before it.
#[derive(Clone, Debug)]
pub struct DayBooks {
    /// The charges that touch the day, in order of time.
    pub charges: Vec<Charged>,
    /// Whether there are more of them than were asked for.
    pub is_cut: bool,
    pub before: ChargedBefore,
    /// What the ledger has of these charges.
    pub ledger: Money,
}

#[derive(FromRow)]
struct ChargedRow {
    from_at: Timestamp,
    at: Timestamp,
    amount_e4: Money,
    lines: JsonText<Vec<Line>>,
    reverses: Option<Uuid>,
}

/// A charge touches a day if it begins before its end and ends after its start.
macro_rules! touches {
    () => {
        " account_id = $1 AND meter_id = $2 AND from_at < $4 AND (at > $3 OR from_at = $3) "
    };
}

/// The account that had a meter on a day; the later one where it changed hands.
pub async fn account_on(db: &Db, meter: MeterId, day: Date) -> Result<Option<AccountId>> {
    let row: Option<(AccountId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT account_id FROM account_meters
         WHERE meter_id = $1 AND from_at < $3 AND (to_at IS NULL OR to_at > $2) ORDER BY from_at DESC LIMIT 1"
    )
    .bind(meter)
    .bind(day.start())
    .bind(day.plus(1).start())
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(account,)| account))
}

/// The first `most` charges of a day, what was charged before, and the ledger's transfers for all charges of the day.
pub async fn day_books(db: &Db, account: AccountId, meter: MeterId, day: Date, most: usize) -> Result<DayBooks> {
    let (start, end) = (day.start(), day.plus(1).start());
    let mut rows: Vec<ChargedRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT from_at, at, amount_e4, lines, reverses FROM charges WHERE",
        touches!(),
        "ORDER BY at, id LIMIT $5"
    ))
    .bind(account)
    .bind(meter)
    .bind(start)
    .bind(end)
    .bind(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1))
    .fetch_all(pool)
    .await)?;
    let is_cut = rows.len() > most;
    rows.truncate(most);
    let cost: Option<(i64,)> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(cost_e7), 0) AS BIGINT) FROM charge_days WHERE account_id = $1 AND meter_id = $2 AND day < $3"
    )
    .bind(account)
    .bind(meter)
    .bind(day)
    .fetch_optional(pool)
    .await
    })?;
    let posted: Option<(Money,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_e4), 0) AS BIGINT) FROM charges
         WHERE account_id = $1 AND meter_id = $2 AND at <= $3 AND from_at < $3"
    )
    .bind(account)
    .bind(meter)
    .bind(start)
    .fetch_optional(pool)
    .await)?;
    let ledger: Option<(Money,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN t.operation = 'consumption' THEN t.amount_e4 ELSE -t.amount_e4 END), 0) AS BIGINT)
         FROM (SELECT id FROM charges WHERE",
        touches!(),
        ") AS c JOIN ledger_transfers t ON t.reference = c.id AND t.operation IN ('consumption', 'consumption-reversal')"
    ))
    .bind(account)
    .bind(meter)
    .bind(start)
    .bind(end)
    .fetch_optional(pool)
    .await)?;
    let charged = |row: ChargedRow| Charged {
        from: row.from_at,
        at: row.at,
        posted: row.amount_e4,
        lines: row.lines.0,
        is_reversal: row.reverses.is_some(),
    };
    Ok(DayBooks {
        charges: rows.into_iter().map(charged).collect(),
        is_cut,
        before: ChargedBefore { cost_e7: cost.map_or(0, |(cost,)| cost), posted: posted.map_or(Money::ZERO, |(posted,)| posted) },
        ledger: ledger.map_or(Money::ZERO, |(ledger,)| ledger),
    })
}

/// The last energy of the newest charge of a meter, and its reading.
pub async fn last_charge(db: &Db, meter: MeterId) -> Result<Option<(Timestamp, Line)>> {
    let row: Option<(Timestamp, JsonText<Vec<Line>>)> = read!(db, |pool| sqlx::query_as(
        "SELECT at, lines FROM charges WHERE meter_id = $1 AND reverses IS NULL ORDER BY at DESC LIMIT 1"
    )
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    Ok(row.and_then(|(at, JsonText(lines))| Some((at, *lines.last()?))))
}

/// What an account was charged for a meter on a day, by price.
pub async fn charged_on(db: &Db, account: AccountId, meter: MeterId, day: Date) -> Result<Vec<DayCharge>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.day, p.name AS plan, v.number AS version, d.rate, d.tier, d.price_e4, d.wh, d.cost_e7
         FROM charge_days d JOIN price_versions v ON v.id = d.version_id JOIN price_plans p ON p.id = v.plan_id
         WHERE d.account_id = $1 AND d.meter_id = $2 AND d.day = $3 AND (d.wh <> 0 OR d.cost_e7 <> 0)
         ORDER BY v.effective_at, v.number, d.rate, d.tier"
    )
    .bind(account)
    .bind(meter)
    .bind(day)
    .fetch_all(pool)
    .await)
}

/// Energy that was charged on the days from `first` to before `day`, Wh.
pub async fn used_before(db: &Db, account: AccountId, meter: MeterId, first: Date, day: Date) -> Result<i64> {
    let row: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(wh), 0) AS BIGINT) FROM charge_days
         WHERE account_id = $1 AND meter_id = $2 AND day >= $3 AND day < $4"
    )
    .bind(account)
    .bind(meter)
    .bind(first)
    .bind(day)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map_or(0, |(wh,)| wh))
}
