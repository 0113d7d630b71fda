//! A payer: orders, opens the sandbox's cashier, and pays.

use std::net::Ipv4Addr;
use std::sync::Arc;

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use model::ids::{AccountId, MeterId, UserId};
use model::money::Fen;
use model::order::Tender;
use payments::{Cashier, Device, Payer, Payments};
use sandbox::{Keys, Sandbox};
use store::orders::NewOrder;

use crate::Outcome;

/// A phone on this machine.
const PHONE: Payer<'static> = Payer { ip: "127.0.0.1", device: Device::Phone, id: None };

/// A room that buys.
#[derive(Clone, Copy)]
pub struct Room {
    pub account: AccountId,
    pub meter: MeterId,
    pub resident: UserId,
}

/// A sandbox on a free port that notifies each payment once.
pub async fn sandbox() -> Outcome<Sandbox> {
    let config = sandbox::Config {
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        keys: Keys::generate()?,
        speed: 1,
        clock: Arc::new(SystemClock),
        rng: Rng::from_system(),
    };
    Ok(sandbox::start(config).await?)
}

/// Orders and opens the cashier; gives the number of the trade.
pub async fn order(payments: &Payments, http: &reqwest::Client, rng: &Rng, room: Room, fen: i64) -> Outcome<String> {
    let top_up = NewOrder {
        key: rng.id(SystemClock.now()),
        account: room.account,
        meter: room.meter,
        tender: Tender::Alipay,
        amount: Fen(fen),
        by: room.resident,
        ip: String::new(),
    };
    let order = payments.create_order(&top_up).await?;
    let started = payments.resume(order.id, &PHONE).await?;
    let Cashier::Address(address) = started.cashier else { return Err("no address to pay at".into()) };
    http.get(address).send().await?;
    Ok(format!("D{}N1", started.order.number))
}
