//! Accounts and sales of server wallets: nothing has to reach a meter, so a sale is credited when it is settled.

use crate::orders::order_columns;
use model::error::AppError;
use model::ids::{AccountId, MeterId};
use model::money::Fen;
use model::time::Timestamp;

use super::{lock_or_create, save};
use crate::debits::Debit;
use crate::notifications::{self, Arrival};
use crate::orders::Order;
use crate::prices::Catalogue;
use crate::{Result, StoreError, Tx, emergency_credits, ledger, on};
use domain::ledger::{Account, credit as credited, withdrawal_of_wallet};
use domain::rng::Rng;

/// Gives a wallet to a new account. It opens, and its relay closes, with the next reading.
///
/// # Errors
/// Refused with [`AppError::NoPrices`] where no price plan holds for the meter.
pub(crate) async fn open(tx: &mut Tx, rng: &Rng, at: Timestamp, account: AccountId, meter: MeterId) -> Result<()> {
    if Catalogue::load(tx).await?.timeline(tx, meter).await?.is_empty() {
        return Err(AppError::NoPrices.into());
    }
    let mut row = lock_or_create(tx, at, meter).await?;
    row.account_id = Some(account);
    (row.user_off, row.trip, row.tripped_at, row.over_readings) = (false, None, None, 0);
    (row.started_at, row.started_wh, row.counted_at, row.counted_wh) = (None, None, None, None);
    row.set_position(Default::default());
    save(tx, rng, at, &mut row).await.map(drop)
}

/// Credits a paid order: ledger, order and wallet, in the transaction that settles the payment.
///
/// # Errors
/// [`StoreError::Inconsistent`] if the order is not `paid`.
pub(crate) async fn credit(tx: &mut Tx, rng: &Rng, at: Timestamp, order: &Order) -> Result<Order> {
    let account = order.account_id;
    let mut row = lock_or_create(tx, at, order.meter_id).await?;
    ledger::post(tx, rng, at, &credited(order.id.0, account, order.amount.money())).await?;
    on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET count = count + 1, cumulative_fen = cumulative_fen + $1
         WHERE account_id = $2 AND meter_id = $3 AND to_at IS NULL"
    )
    .bind(order.amount)
    .bind(account)
    .bind(order.meter_id)
    .execute(c)
    .await)?;
    let (balance, _) = ledger::balance(tx, &Account::Wallet(account)).await?.split_fen();
    emergency_credits::repay(tx, at, account, order.meter_id, balance).await?;
    let server_wallet = save(tx, rng, at, &mut row).await?;
    let settled: Option<Order> = on!(tx, |c| {
        sqlx::query_as(concat!(
            "UPDATE orders SET state = 'credited', credited_at = $1, count = $2, remaining_fen = $3
         WHERE id = $4 AND state = 'paid'
         RETURNING",
            order_columns!()
        ))
        .bind(at)
        .bind(i64::from(server_wallet.count))
        .bind(server_wallet.wallet.remaining)
        .bind(order.id)
        .fetch_optional(c)
        .await
    })?;
    let settled = settled.ok_or(StoreError::Inconsistent { table: "orders", column: "state" })?;
    let (meter, count) = (order.meter_id, Some(i64::from(server_wallet.count)));
    let arrival = Arrival { order: order.id, meter, amount: order.amount, balance: server_wallet.wallet.remaining, count };
    notifications::recharged(tx, rng, at, arrival).await?;
    Ok(settled)
}

/// What a wallet holds, and its own hoarding limit; `None` if it has none.
pub(crate) async fn held(tx: &mut Tx, at: Timestamp, meter: MeterId) -> Result<(Fen, Option<Fen>)> {
    let row = lock_or_create(tx, at, meter).await?;
    let server_wallet = super::server_wallet(tx, &row).await?;
    Ok((server_wallet.wallet.remaining, (row.hoarding_fen > Fen::ZERO).then_some(row.hoarding_fen)))
}

/// Takes money back out of a wallet; gives the purchase count that it became and
/// what remains. The caller has checked the account.
///
/// # Errors
/// Refused with [`AppError::ExceedsRemaining`].
pub(crate) async fn debit(tx: &mut Tx, rng: &Rng, at: Timestamp, debit: &Debit) -> Result<(i64, Fen)> {
    let mut row = lock_or_create(tx, at, debit.meter).await?;
    if debit.amount > super::server_wallet(tx, &row).await?.wallet.remaining {
        return Err(AppError::ExceedsRemaining.into());
    }
    ledger::post(tx, rng, at, &withdrawal_of_wallet(debit.of, debit.account, debit.amount.money())).await?;
    on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET count = count + 1, cumulative_fen = cumulative_fen - $1
         WHERE account_id = $2 AND meter_id = $3 AND to_at IS NULL"
    )
    .bind(debit.amount)
    .bind(debit.account)
    .bind(debit.meter)
    .execute(c)
    .await)?;
    let server_wallet = save(tx, rng, at, &mut row).await?;
    Ok((i64::from(server_wallet.count), server_wallet.wallet.remaining))
}
