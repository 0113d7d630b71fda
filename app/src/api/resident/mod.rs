//! The resident's pages: always of the one room that is theirs.

mod actions;
mod schedule;
mod usage;
mod views;

use async_trait::async_trait;

pub use actions::{
    ChangeChannel, Pay, Switch, TakeEmergencyCredit, TopUp, change_channel, pay, switch, take_emergency_credit, top_up,
};
pub(in crate::api) use actions::{to_cashier, top_up_fields};
pub use schedule::{AddSchedule, LastSwitchView, RemoveSchedule, ScheduleView, add_schedule, remove_schedule};
pub use usage::{UnusualDay, Usage, UsageQuery};
pub use views::*;

use crate::ports::{Visit, Who, ports, resident, visit};
use model::account_record::AccountRecordQuery;
use model::console::DayCost;
use model::error::AppError;
use model::friendly::EmergencyCredit;
use model::ids::{CommandId, OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::switch_schedule::SwitchTimes;
use model::time::Date;
use serde::Deserialize;

/// The OAuth `state` of a payer's sign-in: a secret that is valid once, for one session.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SignInState(pub String);

/// Every method is bound to the resident's current account: what belongs to another is [`AppError::NotFound`], and without an
/// account it is [`AppError::AccountNotOpen`]. Orders that they made for another room are theirs too.
#[async_trait]
pub trait ResidentPort: Send + Sync {
    async fn home(&self, who: &Who) -> Result<Home, AppError>;
    /// The days of a period, the hours of one of them, and what they are compared with.
    async fn usage(&self, who: &Who, query: UsageQuery) -> Result<Usage, AppError>;
    /// Only the days of a period.
    async fn used_days(&self, who: &Who, query: UsageQuery) -> Result<Vec<Used<Date>>, AppError>;
    /// Why a day cost what it did; a day before the account was theirs is [`AppError::NotFound`].
    async fn day_cost(&self, who: &Who, day: Date) -> Result<DayCost, AppError>;
    /// The limits and channels of a top-up.
    async fn top_up_offer(&self, who: &Who) -> Result<TopUpOffer, AppError>;
    /// Creates an order; the same key gives the same order.
    async fn top_up(&self, who: &Who, key: Uuid, amount: Fen, tender: Tender) -> Result<OrderId, AppError>;
    /// Starts paying an order with this browser.
    async fn pay(&self, who: &Who, order: OrderId, visit: &Visit) -> Result<Cashier, AppError>;
    /// Gives an unpaid order up for a new one of the same amount through another channel; returns the new one.
    async fn change_channel(&self, who: &Who, order: OrderId, tender: Tender) -> Result<OrderId, AppError>;
    /// The page between this site and the cashier; starts nothing.
    async fn cashier(&self, who: &Who, order: OrderId, visit: &Visit) -> Result<CashierView, AppError>;
    /// Handles the payer's return from a channel's sign-in; returns the order that is to be paid.
    async fn signed_in(&self, who: &Who, visit: &Visit, state: &SignInState, code: &str) -> Result<OrderId, AppError>;
    /// Handles the payer's return from the channel's cashier with the number of an attempt: queries the channel, because the
    /// return itself proves no payment. Returns the order.
    async fn returned(&self, who: &Who, out_trade_no: &str) -> Result<OrderId, AppError>;
    async fn order(&self, who: &Who, order: OrderId) -> Result<OrderView, AppError>;
    async fn switch_offer(&self, who: &Who) -> Result<SwitchOffer, AppError>;
    /// Requests a switch; the same key gives the same command.
    async fn switch(&self, who: &Who, key: Uuid, on: bool) -> Result<CommandId, AppError>;
    /// Has the room switched off and on at these times; the same id adds one schedule.
    async fn add_schedule(&self, who: &Who, id: Uuid, times: SwitchTimes) -> Result<(), AppError>;
    async fn remove_schedule(&self, who: &Who, id: Uuid) -> Result<(), AppError>;
    async fn emergency_credit(&self, who: &Who) -> Result<EmergencyCredit, AppError>;
    /// Takes the emergency credit; a second request takes no more.
    async fn take_emergency_credit(&self, who: &Who) -> Result<(), AppError>;
    async fn command(&self, who: &Who, command: CommandId) -> Result<CommandView, AppError>;
    /// A page of what has happened to the account, newest first.
    async fn records(&self, who: &Who, query: AccountRecordQuery) -> Result<Records, AppError>;
    async fn me(&self, who: &Who) -> Result<Me, AppError>;
    /// The last account of a resident who has no room now.
    async fn past_account(&self, who: &Who) -> Result<Option<PastAccount>, AppError>;
}

/// The page between this site and the cashier.
pub async fn cashier(id: OrderId) -> Result<CashierView, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.resident.cashier(&who, id, &visit()).await
}

macro_rules! reads {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        $(#[$doc])*
        pub async fn $name($($arg: $type),*) -> Result<$out, AppError> {
            let (ports, who) = (ports()?, resident()?);
            ports.resident.$name(&who, $($arg),*).await
        }
    )*};
}

reads! {
    home() -> Home;
    /// The days of a period, the hours of one of them, and what they are compared with.
    usage(query: UsageQuery) -> Usage;
    /// Why a day cost what it did.
    day_cost(day: Date) -> DayCost;
    top_up_offer() -> TopUpOffer;
    past_account() -> Option<PastAccount>;
    order(id: OrderId) -> OrderView;
    switch_offer() -> SwitchOffer;
    emergency_credit() -> EmergencyCredit;
    command(id: CommandId) -> CommandView;
    records(query: AccountRecordQuery) -> Records;
    me() -> Me;
}
