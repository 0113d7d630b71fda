//! The account lifecycle: residents and meters of an account, closures, moves and meter replacements.

mod actions;

use async_trait::async_trait;

use crate::ports::Who;
use model::console::{BalanceTarget, Closing, Counted, Device, Lifecycle, ResidentToAdd};
use model::error::AppError;
use model::ids::{ClosingId, MeterId, OrderId, Uuid};

pub use actions::*;

/// `meter` stands for the account that it belongs to. A *closing* is a closure, a move or a meter replacement.
#[async_trait]
pub trait AccountLifecyclePort: Send + Sync {
    /// What can be done about the account of a meter.
    async fn lifecycle(&self, who: &Who, meter: MeterId) -> Result<Lifecycle, AppError>;
    async fn add_resident(&self, who: &Who, meter: MeterId, resident: &ResidentToAdd) -> Result<(), AppError>;
    /// Makes a link by which a resident of the account chooses a password, and gives its code; only its hash is stored.
    async fn invite_resident(&self, who: &Who, meter: MeterId, login: &str) -> Result<String, AppError>;
    async fn remove_resident(&self, who: &Who, meter: MeterId, login: &str) -> Result<(), AppError>;
    /// Adds another meter of the room to the account.
    async fn add_meter(&self, who: &Who, meter: MeterId, other: MeterId) -> Result<(), AppError>;
    /// Begins to close the account; its balance goes to `target`.
    async fn close_account(
        &self,
        who: &Who,
        meter: MeterId,
        target: &BalanceTarget,
        reason: &str,
        key: Uuid,
    ) -> Result<ClosingId, AppError>;
    /// Begins to move the account to the room of another meter.
    async fn move_account(&self, who: &Who, meter: MeterId, to: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError>;
    /// Begins to replace a meter with its final reading.
    async fn begin_replacement(&self, who: &Who, meter: MeterId, reason: &str, key: Uuid) -> Result<ClosingId, AppError>;
    /// Replaces a meter that has no account.
    async fn swap_meter(&self, who: &Who, meter: MeterId, device: &Device, reason: &str) -> Result<MeterId, AppError>;
    /// Installs the new meter of a replacement whose final reading has arrived.
    async fn install_meter(&self, who: &Who, closing: ClosingId, device: &Device) -> Result<MeterId, AppError>;
    /// Ends a meter that cannot be read, with what a person read off it.
    async fn count_meter(&self, who: &Who, closing: ClosingId, meter: MeterId, counted: &Counted) -> Result<(), AppError>;
    /// Changes where the balance of a closing goes.
    async fn decide_closing(&self, who: &Who, closing: ClosingId, target: &BalanceTarget) -> Result<(), AppError>;
    /// Withdraws a closing that has had no effect yet.
    async fn withdraw_closing(&self, who: &Who, closing: ClosingId) -> Result<(), AppError>;
    /// Assigns an undeliverable purchase to the account of that number.
    async fn reassign_order(&self, who: &Who, order: OrderId, number: &str) -> Result<(), AppError>;
    async fn closing(&self, who: &Who, id: ClosingId) -> Result<Closing, AppError>;
}
