//! Accounts that are opened or closed together: at the start and at the end of a term.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{confirmation, parse, reason_of};
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::console::{
    AccountBatchLine, AccountBatchPreview, AccountBatchView, OpeningLine, Page, RoomToClose, RoomToOpen, Target, carried,
};
use model::error::AppError;
use model::ids::AccountBatchId;
use model::money::Fen;
use model::order::Tender;

#[async_trait]
pub trait AccountBatchesPort: Send + Sync {
    /// The rooms whose accounts would be opened, and why others would not.
    async fn preview_openings(&self, who: &Who, wanted: &Openings) -> Result<AccountBatchPreview<RoomToOpen>, AppError>;
    /// Fails with [`AppError::Conflict`] where it no longer means the rooms that the preview sealed.
    async fn open_accounts(&self, who: &Who, id: AccountBatchId, wanted: &Openings, seal: &str) -> Result<(), AppError>;
    /// The rooms whose accounts would be closed, and why others would not.
    async fn preview_closures(&self, who: &Who, target: &Target) -> Result<AccountBatchPreview<RoomToClose>, AppError>;
    /// Fails with [`AppError::Conflict`] where it no longer means the rooms that the preview sealed.
    async fn close_accounts(&self, who: &Who, id: AccountBatchId, wanted: &Closures, seal: &str) -> Result<(), AppError>;
    /// Batches, newest first.
    async fn account_batches(&self, who: &Who, page: i64) -> Result<Page<AccountBatchLine>, AppError>;
    /// A batch and a page of its rooms; a negative page has all of them.
    async fn account_batch(&self, who: &Who, id: AccountBatchId, page: i64) -> Result<AccountBatchView, AppError>;
    /// Withdraws the rooms whose turn has not come.
    async fn cancel_account_batch(&self, who: &Who, id: AccountBatchId) -> Result<(), AppError>;
    /// Has the rooms that were refused tried again.
    async fn retry_account_batch(&self, who: &Who, id: AccountBatchId) -> Result<(), AppError>;
}

/// Rooms whose accounts are to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    /// Places and groups.
    pub target: Target,
    /// Rooms, each with its resident and amount.
    pub lines: Vec<OpeningLine>,
    /// Lines that are not of the form.
    pub wrong: Vec<String>,
    /// What each room takes over, unless its line says otherwise.
    pub amount: Fen,
}

impl Openings {
    /// From form fields: places as for commands, lines of rooms, an amount in yuan.
    ///
    /// # Errors
    /// [`AppError::InvalidAmount`].
    pub fn parse(places: &[String], rooms: &str, amount: &str) -> Result<Self, AppError> {
        let (mut lines, mut wrong) = (Vec::new(), Vec::new());
        for line in rooms.lines().filter(|line| !line.trim().is_empty()) {
            match OpeningLine::parse(line) {
                Ok(parsed) => lines.push(parsed),
                Err(_) => wrong.push(line.trim().to_owned()),
            }
        }
        let named: Vec<&str> = lines.iter().map(|line| line.room.as_str()).collect();
        let target = Target::parse("", places, None, &named.join("\n"), "1");
        Ok(Self { target, lines, wrong, amount: carried(amount)? })
    }

    /// Whether nothing at all was chosen, which for commands means everything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Target { places, groups, shown, .. } = &self.target;
        places.is_empty() && groups.is_empty() && shown.is_empty() && self.lines.is_empty()
    }
}

/// Accounts that are to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closures {
    pub target: Target,
    /// How balances are paid out.
    pub tender: Tender,
    pub reason: String,
}

/// Opens the accounts of a preview.
#[server(name = OpenAccounts, prefix = "/api", endpoint = "operator/accounts/open-many")]
pub async fn open_accounts(
    places: String,
    rooms: String,
    amount: String,
    seal: String,
    key: String,
    #[server(default)] back: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let places: Vec<String> = places.split(',').map(str::to_owned).collect();
        let id: AccountBatchId = parse(&key)?;
        ports.account_batches.open_accounts(&who, id, &Openings::parse(&places, &rooms, &amount)?, &seal).await?;
        Ok(format!("/accounts/batches/{id}"))
    };
    answer(done.await, &confirmation(&back, "/accounts/open-many"))
}

/// Closes the accounts of a preview.
#[server(name = CloseAccounts, prefix = "/api", endpoint = "operator/accounts/close-many")]
pub async fn close_accounts(
    places: String,
    rooms: String,
    tender: String,
    reason: String,
    seal: String,
    key: String,
    #[server(default)] back: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let places: Vec<String> = places.split(',').map(str::to_owned).collect();
        let id: AccountBatchId = parse(&key)?;
        let tender = Tender::parse(&tender).ok_or(AppError::Invalid)?;
        let target = Target::parse("", &places, None, &rooms, "1");
        let wanted = Closures { target, tender, reason: reason_of(&reason)? };
        ports.account_batches.close_accounts(&who, id, &wanted, &seal).await?;
        Ok(format!("/accounts/batches/{id}"))
    };
    answer(done.await, &confirmation(&back, "/accounts/close-many"))
}

/// Withdraws what waits.
#[server(name = CancelAccountBatch, prefix = "/api", endpoint = "operator/accounts/cancel-batch")]
pub async fn cancel_account_batch(batch: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.account_batches.cancel_account_batch(&who, parse(&batch)?).await };
    let page = format!("/accounts/batches/{batch}");
    answer(done.await.map(|()| page.clone()), &page)
}

/// Tries again what was refused.
#[server(name = RetryAccountBatch, prefix = "/api", endpoint = "operator/accounts/retry-batch")]
pub async fn retry_account_batch(batch: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.account_batches.retry_account_batch(&who, parse(&batch)?).await };
    let page = format!("/accounts/batches/{batch}");
    answer(done.await.map(|()| page.clone()), &page)
}
