//! The life of an account: who lives there and on which meters, how it ends, where its money goes. Everything is bound to the
//! buildings that the operator may see.

mod actions;

use std::sync::Arc;

use async_trait::async_trait;

use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::{ClosingId, MeterId, OrderId, Uuid};

pub use actions::{
    AddMeter, AddResident, BeginReplacement, CloseAccount, CountMeter, DecideClosing, InstallMeter, MoveAccount, Readdress,
    RemoveResident, SwapMeter, WithdrawClosing, add_meter, add_resident, begin_replacement, close_account, count_meter,
    decide_closing, install_meter, move_account, readdress, remove_resident, swap_meter, withdraw_closing,
};
pub use model::console::{
    BalanceTarget, Closing, ClosingKind, ClosingMeter, Counted, Device, Life, OtherMeter, ResidentToAdd, Setting, Stranded,
    WithdrawalRefusal,
};

/// What the server does for the life of accounts.
#[async_trait]
pub trait LifePort: Send + Sync {
    /// What can be done about the account of a meter.
    async fn life(&self, who: &Who, meter: MeterId) -> Result<Life, AppError>;
    /// Lets somebody log in for the account of a meter.
    async fn add_resident(&self, who: &Who, meter: MeterId, newcomer: &ResidentToAdd) -> Result<(), AppError>;
    /// Ends a resident's access to it.
    async fn remove_resident(&self, who: &Who, meter: MeterId, login: &str) -> Result<(), AppError>;
    /// Gives it another meter of its room.
    async fn add_meter(&self, who: &Who, meter: MeterId, other: MeterId) -> Result<(), AppError>;
    async fn close(
        &self,
        who: &Who,
        meter: MeterId,
        goes: &BalanceTarget,
        reason: &str,
        key: Uuid,
    ) -> Result<ClosingId, AppError>;
    /// Moves it to the room of another meter.
    async fn relocate(&self, who: &Who, meter: MeterId, to: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError>;
    /// Begins to replace a meter: its last reading.
    async fn replace(&self, who: &Who, meter: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError>;
    /// Puts a new meter in the place of one that has no account.
    async fn swap(&self, who: &Who, meter: MeterId, device: &Device, reason: &str) -> Result<MeterId, AppError>;
    /// Puts a new meter in the place of one that was read.
    async fn install(&self, who: &Who, closing: ClosingId, device: &Device) -> Result<MeterId, AppError>;
    /// Ends a meter by what a person counted.
    async fn count(&self, who: &Who, closing: ClosingId, meter: MeterId, counted: &Counted) -> Result<(), AppError>;
    /// Decides anew where the money goes.
    async fn decide(&self, who: &Who, closing: ClosingId, goes: &BalanceTarget) -> Result<(), AppError>;
    /// Takes back what was begun, as long as nothing has happened.
    async fn withdraw(&self, who: &Who, closing: ClosingId) -> Result<(), AppError>;
    /// Sends a purchase that could not reach its meter to the account of that number.
    async fn readdress(&self, who: &Who, order: OrderId, number: &str) -> Result<(), AppError>;
    /// A closing, and how far it is.
    async fn closing(&self, who: &Who, id: ClosingId) -> Result<Closing, AppError>;
}

/// The operator of the session, and the port.
#[derive(Clone)]
pub struct Registry {
    pub who: Who,
    /// Whom they ask.
    pub port: Arc<dyn LifePort>,
}

/// The operator of the session, and the port.
///
/// # Errors
/// Where no operator is logged in.
pub fn registry() -> Result<Registry, AppError> {
    Ok(Registry { who: operator()?, port: ports()?.life })
}
