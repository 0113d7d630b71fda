//! What the resident sees and does: always of the one room that is theirs.

mod actions;
mod views;

use async_trait::async_trait;

pub use actions::{Pay, Switch, TopUp, pay, switch, top_up};
pub use views::*;

use crate::ports::{Visit, Who, ports, resident, visit};
use model::error::AppError;
use model::ids::{CommandId, OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::time::Date;

/// What the server does for the resident's pages. Every function is bound to the resident's current account: what belongs to
/// another is [`AppError::NotFound`], and who has no account gets [`AppError::AccountNotOpen`].
#[async_trait]
pub trait ResidentPort: Send + Sync {
    /// The room at a glance.
    async fn home(&self, who: &Who) -> Result<Home, AppError>;
    /// The last 30 days, and the hours of one of them.
    async fn usage(&self, who: &Who, day: Option<Date>) -> Result<Usage, AppError>;
    /// What a top-up may be.
    async fn offer(&self, who: &Who) -> Result<TopUpOffer, AppError>;
    /// Makes the order of a form; the same key gives the same order.
    async fn top_up(&self, who: &Who, key: Uuid, amount: Fen, tender: Tender) -> Result<OrderId, AppError>;
    /// Starts paying an order with this browser.
    async fn pay(&self, who: &Who, order: OrderId, visit: &Visit) -> Result<Cashier, AppError>;
    /// What the page between us and the cashier shows; starts nothing.
    async fn cashier(&self, who: &Who, order: OrderId, visit: &Visit) -> Result<CashierView, AppError>;
    /// The payer is back from saying who they are to a channel; gives the order that is to be paid.
    async fn signed_in(&self, who: &Who, visit: &Visit, state: &str, code: &str) -> Result<OrderId, AppError>;
    /// How far an order is.
    async fn order(&self, who: &Who, order: OrderId) -> Result<OrderView, AppError>;
    /// The switch before it is used.
    async fn switch_offer(&self, who: &Who) -> Result<SwitchOffer, AppError>;
    /// Decides to switch; the same key gives the same command.
    async fn switch(&self, who: &Who, key: Uuid, on: bool) -> Result<CommandId, AppError>;
    /// How far a switching is.
    async fn command(&self, who: &Who, command: CommandId) -> Result<CommandView, AppError>;
    /// A page of the orders, newest first; pages count from 1.
    async fn records(&self, who: &Who, page: u32) -> Result<Records, AppError>;
    /// Whose room it is.
    async fn me(&self, who: &Who) -> Result<Me, AppError>;
    /// What is left of the last account of somebody who has no room now.
    async fn past(&self, who: &Who) -> Result<Option<PastAccount>, AppError>;
}

/// What the page between us and the cashier shows.
///
/// # Errors
/// As the port; and where no resident is logged in.
pub async fn cashier(id: OrderId) -> Result<CashierView, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.resident.cashier(&who, id, &visit()).await
}

macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// As the port; and where no resident is logged in.
        pub async fn $name($($arg: $type),*) -> Result<$out, AppError> {
            let (ports, who) = (ports()?, resident()?);
            ports.resident.$name(&who, $($arg),*).await
        }
    )*};
}

reads! {
    /// The room at a glance.
    home() -> Home;
    /// The last 30 days, and the hours of one of them.
    usage(day: Option<Date>) -> Usage;
    /// What a top-up may be.
    offer() -> TopUpOffer;
    /// What is left of the last account.
    past() -> Option<PastAccount>;
    /// How far an order is.
    order(id: OrderId) -> OrderView;
    /// The switch before it is used.
    switch_offer() -> SwitchOffer;
    /// How far a switching is.
    command(id: CommandId) -> CommandView;
    /// A page of the orders.
    records(page: u32) -> Records;
    /// Whose room it is.
    me() -> Me;
}
