//! Posting transfers, and reading balances.

use model::money::Money;
use model::time::Timestamp;
use sqlx::FromRow;

use super::one_trip::OneTrip;
use super::{Db, Result, Tx, on, read};
use domain::ledger::{Account, Transfer};
use domain::rng::Rng;

/// What an account has taken and given.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Balance {
    /// The account's code.
    pub account: String,
    /// Sum of what it took.
    pub debits_e4: i64,
    /// Sum of what it gave.
    pub credits_e4: i64,
}

/// Posts one transfer in the caller's transaction; the database moves both balances with it.
///
/// # Errors
/// A duplicate ([`super::StoreError::is_duplicate`]) where this operation was posted before.
pub async fn post(tx: &mut Tx, rng: &Rng, at: Timestamp, transfer: &Transfer) -> Result<()> {
    let mut trip = OneTrip::of(tx);
    add_post(&mut trip, rng, at, transfer);
    trip.run(tx).await?;
    Ok(())
}

/// [`post`] as one statement of several.
pub(super) fn add_post(trip: &mut OneTrip, rng: &Rng, at: Timestamp, transfer: &Transfer) {
    trip.write(
        "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE TRUE",
    )
    .bind(rng.id(at))
    .bind(transfer.operation)
    .bind(transfer.reference)
    .bind(transfer.debit.code())
    .bind(transfer.credit.code())
    .bind(transfer.amount.0)
    .bind(at);
}

/// What an account gave minus what it took: positive for what we owe.
pub async fn credit_balance(db: &Db, account: &Account) -> Result<Money> {
    let balance: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT credits_e4 - debits_e4 FROM ledger_balances WHERE account = $1")
            .bind(account.code())
            .fetch_optional(pool)
            .await)?;
    Ok(Money(balance.map_or(0, |(e4,)| e4)))
}

/// The balance of an account, as the caller's transaction sees it.
pub async fn balance(tx: &mut Tx, account: &Account) -> Result<Money> {
    let balance: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT credits_e4 - debits_e4 FROM ledger_balances WHERE account = $1")
            .bind(account.code())
            .fetch_optional(c)
            .await)?;
    Ok(Money(balance.map_or(0, |(e4,)| e4)))
}

/// All balances, by code.
pub async fn balances(db: &Db) -> Result<Vec<Balance>> {
    read!(db, |pool| sqlx::query_as("SELECT account, debits_e4, credits_e4 FROM ledger_balances ORDER BY account")
        .fetch_all(pool)
        .await)
}

macro_rules! balances_at {
    () => {
        "SELECT account, CAST(SUM(debits) AS BIGINT) AS debits_e4, CAST(SUM(credits) AS BIGINT) AS credits_e4
         FROM (SELECT debit AS account, amount_e4 AS debits, 0 AS credits FROM ledger_transfers WHERE at <= $1
               UNION ALL
               SELECT credit, 0, amount_e4 FROM ledger_transfers WHERE at <= $1) AS sides
         GROUP BY account ORDER BY account"
    };
}

/// What every account took and gave up to an instant, by the transfers alone.
pub async fn balances_at(db: &Db, at: Timestamp) -> Result<Vec<Balance>> {
    read!(db, |pool| sqlx::query_as(balances_at!()).bind(at.0).fetch_all(pool).await)
}

/// The balances as the transfers alone give them; differs from [`balances`] only where something is wrong.
pub async fn recomputed_balances(db: &Db) -> Result<Vec<Balance>> {
    balances_at(db, Timestamp(i64::MAX)).await
}

/// [`balances`] in the caller's transaction.
pub async fn balances_in(tx: &mut Tx) -> Result<Vec<Balance>> {
    on!(tx, |c| sqlx::query_as("SELECT account, debits_e4, credits_e4 FROM ledger_balances ORDER BY account").fetch_all(c).await)
}

/// [`recomputed_balances`] in the caller's transaction.
pub async fn recomputed_in(tx: &mut Tx) -> Result<Vec<Balance>> {
    on!(tx, |c| sqlx::query_as(balances_at!()).bind(i64::MAX).fetch_all(c).await)
}
