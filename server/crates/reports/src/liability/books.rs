//! Credit in meters and wallets at an instant: by the rows of the business, by the ledger, and by the meters themselves.

use model::ids::{PlaceId, UserId};
use model::money::{Fen, Money};
use model::time::Timestamp;
use sqlx::FromRow;

use crate::building::{Building, building};
use crate::meters::has_own_wallet;
use crate::movements::{account_codes, amount, balances, movements};
use store::console::{above, within};
use store::{Result, Tx, on};

/// What is held for the residents of a building.
#[derive(Clone, Debug, Default, FromRow)]
pub struct HeldRow {
    #[sqlx(flatten)]
    pub building: Building,
    /// Accounts that hold something.
    pub accounts: i64,
    /// What is above zero, account by account, and all of it.
    pub credit_in_meters_e4: Money,
    pub in_meters_e4: Money,
    pub credit_in_wallets_e4: Money,
    pub in_wallets_e4: Money,
    /// The same by the ledger, and what was paid and is in neither.
    pub ledger_meters_e4: Money,
    pub ledger_wallets_e4: Money,
    pub ledger_paid_e4: Money,
}

/// What was held at the second instant: what the ledger had at the first one, and what the rows of the business between them
/// credited, took out and used. A meter or wallet is what the posting says, whatever the meter is now.
pub async fn held(
    tx: &mut Tx,
    operator: UserId,
    (since, at): (Timestamp, Timestamp),
    place: Option<PlaceId>,
) -> Result<Vec<HeldRow>> {
    on!(tx, |c| {
        sqlx::query_as(concat!(
            "WITH moved AS (",
            movements!(concat!("x.code, SUM(", amount!(), ") AS e4"), "credit LIKE '%:%'", "debit LIKE '%:%'", "GROUP BY x.code"),
            "),
         held AS (
             SELECT k.id, SUM(CASE WHEN k.code LIKE 'meter:%' THEN l.opening_e4 + COALESCE(m.e4, 0) ELSE 0 END) AS meter_e4,
                    SUM(CASE WHEN k.code LIKE 'wallet:%' THEN l.opening_e4 + COALESCE(m.e4, 0) ELSE 0 END) AS wallet_e4,
                    SUM(CASE WHEN k.code LIKE 'meter:%' THEN l.closing_e4 ELSE 0 END) AS ledger_meter_e4,
                    SUM(CASE WHEN k.code LIKE 'wallet:%' THEN l.closing_e4 ELSE 0 END) AS ledger_wallet_e4,
                    SUM(CASE WHEN k.code LIKE 'paid:%' THEN l.closing_e4 ELSE 0 END) AS ledger_paid_e4
             FROM ",
            balances!("$2", "$3"),
            " AS l JOIN ",
            account_codes!(),
            " AS k ON k.code = l.code LEFT JOIN moved m ON m.code = l.code
             WHERE l.opening_e4 <> 0 OR l.closing_e4 <> 0 OR l.transfers > 0
             GROUP BY k.id)
         SELECT",
            building!(),
            ",      CAST(SUM(CASE WHEN h.meter_e4 <> 0 OR h.wallet_e4 <> 0 THEN 1 ELSE 0 END) AS BIGINT) AS accounts,
                CAST(SUM(CASE WHEN h.meter_e4 > 0 THEN h.meter_e4 ELSE 0 END) AS BIGINT) AS credit_in_meters_e4,
                CAST(SUM(h.meter_e4) AS BIGINT) AS in_meters_e4,
                CAST(SUM(CASE WHEN h.wallet_e4 > 0 THEN h.wallet_e4 ELSE 0 END) AS BIGINT) AS credit_in_wallets_e4,
                CAST(SUM(h.wallet_e4) AS BIGINT) AS in_wallets_e4,
                CAST(SUM(h.ledger_meter_e4) AS BIGINT) AS ledger_meters_e4,
                CAST(SUM(h.ledger_wallet_e4) AS BIGINT) AS ledger_wallets_e4,
                CAST(SUM(h.ledger_paid_e4) AS BIGINT) AS ledger_paid_e4
         FROM held h JOIN accounts a ON a.id = h.id LEFT JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            "GROUP BY 1, 2 ORDER BY 1, 2"
        ))
        .bind(operator)
        .bind(since)
        .bind(at)
        .bind(place)
        .fetch_all(c)
        .await
    })
}

/// What the meters of a building showed.
#[derive(Clone, Debug, FromRow)]
pub struct ShownRow {
    #[sqlx(flatten)]
    pub building: Building,
    /// `None` where none of them was read.
    pub fen: Option<Fen>,
    /// Meters that were not read.
    pub unread: i64,
}

/// What the meters of open accounts showed in their last good reading before an instant.
pub async fn shown(tx: &mut Tx, operator: UserId, at: Timestamp, place: Option<PlaceId>) -> Result<Vec<ShownRow>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT x.building, x.building_id, CAST(SUM(x.fen) AS BIGINT) AS fen, COUNT(*) - COUNT(x.fen) AS unread
         FROM (SELECT",
        building!(),
        ",            (SELECT n.remaining_fen FROM readings n
                       WHERE n.meter_id = am.meter_id AND n.at < $2 AND n.at >= am.from_at AND n.quality IN (0, 1)
                       ORDER BY n.at DESC LIMIT 1) AS fen
               FROM account_meters am JOIN meters m ON m.id = am.meter_id
               JOIN accounts a ON a.id = am.account_id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "      WHERE am.from_at < $2 AND (am.to_at IS NULL OR am.to_at >= $2) AND",
        has_own_wallet!(),
        "        AND ($3 IS NULL OR $3 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        ") AS x GROUP BY x.building, x.building_id"
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
         FROM (SELECT account AS code, credits_e4 - debits_e4 AS e4 FROM ledger_balances
               UNION ALL
               SELECT credit, -amount_e4 FROM ledger_transfers
               WHERE at >= $1 AND credit IN ('suspense', 'refunding', 'carried')
               UNION ALL
               SELECT debit, amount_e4 FROM ledger_transfers
               WHERE at >= $1 AND debit IN ('suspense', 'refunding', 'carried')) AS x"
    )
    .bind(at)
    .fetch_optional(c)
    .await)?;
    Ok(sums.unwrap_or_default())
}
