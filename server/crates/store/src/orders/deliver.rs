//! Brings a paid order on its way: the posting, and the command or the credit that delivers it.

use domain::command_args::CommandArgs;
use domain::ledger::payment;
use domain::money_rule::MoneyOperation;
use domain::rng::Rng;
use model::error::AppError;
use model::ids::{CommandId, UserId};
use model::meter::Wallet;
use model::time::Timestamp;

use super::{DeliveryTarget, Order, delivery_target, undeliverable};
use crate::commands::{self, NewCommand};
use crate::one_trip::OneTrip;
use crate::{Result, Tx, ledger, wallets};

/// Posts the payment of an order that has just become `paid`, and brings it where it can go, or has it wait for a person.
pub(super) async fn deliver(tx: &mut Tx, rng: &Rng, at: Timestamp, order: Order, by: Option<UserId>) -> Result<Order> {
    let way = delivery_target(tx, &order).await?;
    deliver_by(tx, rng, at, &way, order, by).await
}

/// [`deliver`] by a way that is known: credits to the server wallet, or stores the command that will bring it into the meter.
pub(crate) async fn deliver_by(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    way: &DeliveryTarget,
    order: Order,
    by: Option<UserId>,
) -> Result<Order> {
    let mut trip = OneTrip::of(tx);
    add_delivery(&mut trip, rng, at, way, &order, by)?;
    trip.run(tx).await?;
    match *way {
        DeliveryTarget::Nowhere => undeliverable::hold(tx, rng, at, order.id).await,
        DeliveryTarget::Here(_) | DeliveryTarget::Moved(..) => finish_delivery(tx, rng, at, way, order).await,
    }
}

/// Adds the posting of an order that has just become `paid` and, where the wallet is not on the server, its command: what is
/// written without looking anything up. [`finish_delivery`] follows.
pub(crate) fn add_delivery(
    trip: &mut OneTrip,
    rng: &Rng,
    at: Timestamp,
    way: &DeliveryTarget,
    order: &Order,
    by: Option<UserId>,
) -> Result<()> {
    ledger::add_post(trip, rng, at, &payment(order.id.0, order.tender, order.account_id, order.amount.money()));
    if matches!(way, DeliveryTarget::Here(wallet) if *wallet != Wallet::Server) {
        commands::add_command(trip, at, &credit_command(rng, at, order, by)?);
    }
    Ok(())
}

/// What [`add_delivery`] leaves: the credit to a server wallet, or the way into another meter. An order that can go nowhere is
/// left as it is.
pub(crate) async fn finish_delivery(tx: &mut Tx, rng: &Rng, at: Timestamp, way: &DeliveryTarget, order: Order) -> Result<Order> {
    match *way {
        DeliveryTarget::Here(Wallet::Server) => wallets::credit(tx, rng, at, &order).await,
        DeliveryTarget::Moved(account, meter) => undeliverable::send(tx, rng, at, &order, account, meter).await,
        DeliveryTarget::Here(_) | DeliveryTarget::Nowhere => Ok(order),
    }
}

/// Credits a paid order to the server wallet, or stores the command that will bring it into the meter.
pub(super) async fn credit(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    order: Order,
    wallet: Wallet,
    by: Option<UserId>,
) -> Result<Order> {
    if wallet == Wallet::Server {
        return wallets::credit(tx, rng, at, &order).await;
    }
    commands::enqueue(tx, at, &credit_command(rng, at, &order, by)?).await?;
    Ok(order)
}

fn credit_command(rng: &Rng, at: Timestamp, order: &Order, by: Option<UserId>) -> Result<NewCommand> {
    let number = u64::try_from(order.number).map_err(|_| AppError::Invalid)?;
    let amount = u32::try_from(order.amount.0).map_err(|_| AppError::AmountOutOfRange)?;
    Ok(NewCommand {
        id: CommandId(rng.id(at)),
        meter: order.meter_id,
        account: Some(order.account_id),
        order: Some(order.id),
        args: CommandArgs::Money(MoneyOperation::Credit { order: number, amount }),
        by,
    })
}
