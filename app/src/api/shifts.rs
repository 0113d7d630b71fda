//! Shifts: an operator's cash drawer between opening and closing.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse, yuan, yuan_or_zero};
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::console::REASON_MAX;
use model::error::AppError;
use model::ids::ShiftId;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;

#[async_trait]
pub trait ShiftsPort: Send + Sync {
    /// The operator's own shift, and the newest shifts that they may see.
    async fn shifts(&self, who: &Who) -> Result<Shifts, AppError>;
    /// The operator's own shift; approvers and auditors also see those of operators in their own buildings.
    async fn shift(&self, who: &Who, id: ShiftId) -> Result<Shift, AppError>;
    /// Opens the operator's own drawer with so much change in it.
    async fn open_shift(&self, who: &Who, float: Fen) -> Result<(), AppError>;
    /// Closes a shift with the counted cash.
    async fn close_shift(&self, who: &Who, id: ShiftId, counted: Fen, reason: &str) -> Result<(), AppError>;
}

/// A shift and its takings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    pub id: ShiftId,
    pub operator: String,
    pub opened_at: Timestamp,
    /// Change in the drawer at the opening.
    pub float: Fen,
    pub takings: Vec<Takings>,
    /// Cash that should be in the drawer.
    pub expected: Fen,
    /// `None` while the shift is open.
    pub end: Option<ShiftEnd>,
}

/// How a shift ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftEnd {
    pub at: Timestamp,
    /// Cash in the drawer.
    pub counted: Fen,
    /// Why `counted` differs from what was expected.
    pub reason: String,
}

/// What was taken and paid out over the counter with one tender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takings {
    pub tender: Tender,
    pub sales: i64,
    pub taken: Fen,
    /// Returns and corrections.
    pub payouts: i64,
    pub given: Fen,
}

/// The page of shifts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shifts {
    /// The operator's own.
    pub open: Option<Shift>,
    /// The operator's last shift is closed: nothing can be sold until the next is opened.
    pub closed: bool,
    /// The operator's own, newest first; approvers and auditors also get those of operators in their own buildings.
    pub recent: Vec<Shift>,
}

/// Opens the operator's own drawer; an empty amount is zero.
#[server(name = OpenShift, prefix = "/api", endpoint = "operator/open-shift")]
pub async fn open_shift(float: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.shifts.open_shift(&who, yuan_or_zero(&float)?).await };
    answer(done.await.map(|()| "/shifts".to_owned()), "/shifts")
}

/// Closes a shift with the counted cash.
#[server(name = CloseShift, prefix = "/api", endpoint = "operator/close-shift")]
pub async fn close_shift(id: String, counted: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = format!("/shifts/{id}");
    let done = async {
        let reason = reason.trim();
        if reason.chars().count() > REASON_MAX {
            return at("reason", Err(AppError::Invalid));
        }
        ports.shifts.close_shift(&who, parse(&id)?, yuan(&counted)?, reason).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}
