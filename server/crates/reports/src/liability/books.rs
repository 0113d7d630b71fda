//! Credit in meters and wallets at an instant: by orders, returns and use, by the ledger, and by the meters themselves.

use model::ids::{PlaceId, UserId};
use model::money::{Fen, Money};
use model::time::Timestamp;
use sqlx::FromRow;

use crate::movements::account_codes;
use store::console::{above, within};
use store::{Result, Tx, on};

/// What an account holds.
#[derive(FromRow)]
pub struct Held {
    pub building: String,
    pub in_meter_e4: Money,
    pub in_wallet_e4: Money,
}

/// The accounts that hold something: what was credited, less what was taken out and used. What a closure, a take-over or a
/// correction of the books moved has no other row than the ledger's.
pub async fn held(tx: &mut Tx, operator: UserId, at: Timestamp, place: Option<PlaceId>) -> Result<Vec<Held>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') AS building,
                CAST(SUM(CASE WHEN x.wallet = 'meter' THEN x.e4 ELSE 0 END) AS BIGINT) AS in_meter_e4,
                CAST(SUM(CASE WHEN x.wallet = 'server' THEN x.e4 ELSE 0 END) AS BIGINT) AS in_wallet_e4
         FROM (SELECT o.account_id, m.wallet, o.amount_fen * 100 AS e4 FROM orders o JOIN meters m ON m.id = o.meter_id
               WHERE o.credited_at < $2
               UNION ALL
               SELECT v.account_id, m.wallet, v.amount_fen * -100 FROM returns v JOIN meters m ON m.id = v.meter_id
               WHERE v.source = 'wallet' AND v.taken_at < $2
               UNION ALL
               SELECT account_id, 'meter', amount_fen * -100 FROM meter_consumption WHERE at < $2
               UNION ALL
               SELECT c.account_id, 'server', -c.amount_e4
               FROM charges c LEFT JOIN ledger_transfers l ON c.reverses IS NOT NULL AND l.operation = 'consumption-reversal'
                                                          AND l.reference = c.id
               WHERE COALESCE(l.at, c.at) < $2
               UNION ALL
               SELECT k.id, CASE WHEN k.code LIKE 'meter:%' THEN 'meter' ELSE 'server' END, l.e4
               FROM (SELECT credit AS code, amount_e4 AS e4 FROM ledger_transfers
                     WHERE operation IN ('takeover', 'final', 'write-off', 'adjustment') AND at < $2
                     UNION ALL
                     SELECT debit, -amount_e4 FROM ledger_transfers
                     WHERE operation IN ('takeover', 'final', 'write-off', 'adjustment') AND at < $2) AS l
               JOIN ",
        account_codes!(),
        "           AS k ON k.code = l.code AND k.code NOT LIKE 'paid:%') AS x
         JOIN accounts a ON a.id = x.account_id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE ($3 IS NULL OR $3 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY a.id, 1 HAVING SUM(CASE WHEN x.wallet = 'meter' THEN x.e4 ELSE 0 END) <> 0
             OR SUM(CASE WHEN x.wallet = 'server' THEN x.e4 ELSE 0 END) <> 0"
    ))
    .bind(operator)
    .bind(at)
    .bind(place)
    .fetch_all(c)
    .await)
}

/// The same sums by the ledger.
#[derive(Default, FromRow)]
pub struct Ledger {
    pub paid_e4: Money,
    pub meters_e4: Money,
    pub wallets_e4: Money,
}

pub async fn ledger(tx: &mut Tx, operator: UserId, at: Timestamp, place: Option<PlaceId>) -> Result<Ledger> {
    let sums: Option<Ledger> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN k.code LIKE 'paid:%' THEN x.e4 ELSE 0 END), 0) AS BIGINT) AS paid_e4,
                CAST(COALESCE(SUM(CASE WHEN k.code LIKE 'meter:%' THEN x.e4 ELSE 0 END), 0) AS BIGINT) AS meters_e4,
                CAST(COALESCE(SUM(CASE WHEN k.code LIKE 'wallet:%' THEN x.e4 ELSE 0 END), 0) AS BIGINT) AS wallets_e4
         FROM (SELECT credit AS code, amount_e4 AS e4 FROM ledger_transfers WHERE at < $2
               UNION ALL
               SELECT debit, -amount_e4 FROM ledger_transfers WHERE at < $2) AS x
         JOIN ",
        account_codes!(),
        "     AS k ON k.code = x.code
         JOIN accounts a ON a.id = k.id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE ($3 IS NULL OR $3 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!()
    ))
    .bind(operator)
    .bind(at)
    .bind(place)
    .fetch_optional(c)
    .await)?;
    Ok(sums.unwrap_or_default())
}

/// What the meters of open accounts showed in their last good reading before an instant, by building.
pub async fn shown(tx: &mut Tx, operator: UserId, at: Timestamp, place: Option<PlaceId>) -> Result<Vec<(String, Fen)>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT x.building, CAST(SUM(x.fen) AS BIGINT)
         FROM (SELECT COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') AS building,
                      (SELECT n.remaining_fen FROM readings n
                       WHERE n.meter_id = am.meter_id AND n.at < $2 AND n.at >= am.from_at AND n.quality IN (0, 1)
                       ORDER BY n.at DESC LIMIT 1) AS fen
               FROM account_meters am JOIN meters m ON m.id = am.meter_id AND m.wallet = 'meter'
               JOIN accounts a ON a.id = am.account_id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "      WHERE am.from_at < $2 AND (am.to_at IS NULL OR am.to_at >= $2)
                 AND ($3 IS NULL OR $3 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        ") AS x WHERE x.fen IS NOT NULL GROUP BY x.building"
    ))
    .bind(operator)
    .bind(at)
    .bind(place)
    .fetch_all(c)
    .await)
}

/// What the site owes and no account has.
#[derive(Default, FromRow)]
pub struct Others {
    pub suspense_e4: Money,
    pub refunding_e4: Money,
    pub carried_e4: Money,
}

pub async fn others(tx: &mut Tx, at: Timestamp) -> Result<Others> {
    let sums: Option<Others> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN code = 'suspense' THEN e4 END), 0) AS BIGINT) AS suspense_e4,
                CAST(COALESCE(SUM(CASE WHEN code = 'refunding' THEN e4 END), 0) AS BIGINT) AS refunding_e4,
                CAST(COALESCE(SUM(CASE WHEN code = 'carried' THEN e4 END), 0) AS BIGINT) AS carried_e4
         FROM (SELECT credit AS code, amount_e4 AS e4 FROM ledger_transfers
               WHERE at < $1 AND credit IN ('suspense', 'refunding', 'carried')
               UNION ALL
               SELECT debit, -amount_e4 FROM ledger_transfers
               WHERE at < $1 AND debit IN ('suspense', 'refunding', 'carried')) AS x"
    )
    .bind(at)
    .fetch_optional(c)
    .await)?;
    Ok(sums.unwrap_or_default())
}
