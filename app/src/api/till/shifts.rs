//! Shifts: an operator's cash drawer.

use leptos::prelude::*;

use super::MOST_SAID;
use super::actions::yuan;
use super::{Till, till};
use crate::api::operator::parse;
use crate::api::{ApiError, answer};
use model::error::AppError;
use model::ids::ShiftId;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;

/// A shift as it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    pub id: ShiftId,
    pub operator: String,
    /// When the drawer was opened.
    pub opened_at: Timestamp,
    /// Change that was in it before.
    pub float: Fen,
    /// What went over the counter, by tender.
    pub takings: Vec<Takings>,
    /// What should be in the drawer.
    pub expected: Fen,
    /// How it ended; `None` while it is open.
    pub end: Option<ShiftEnd>,
}

/// How a shift ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftEnd {
    /// When it was counted.
    pub at: Timestamp,
    /// What was in the drawer.
    pub counted: Fen,
    /// Why that differs from what should have been.
    pub reason: String,
}

/// What went over the counter by one tender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takings {
    pub tender: Tender,
    pub sales: i64,
    /// What came in.
    pub taken: Fen,
    /// Returns and corrections.
    pub payouts: i64,
    /// What went out.
    pub given: Fen,
}

/// The page of shifts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shifts {
    /// The operator's open shift.
    pub open: Option<Shift>,
    /// Whether a shift was closed and none is open: nothing can be sold until the next is opened.
    pub closed: bool,
    /// The newest ones: own, and for administrators all.
    pub recent: Vec<Shift>,
}

/// Opens the drawer; an empty amount is none.
#[server(name = OpenShift, prefix = "/api", endpoint = "operator/open-shift")]
pub async fn open_shift(float: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async {
        let float = if float.trim().is_empty() { Fen::ZERO } else { yuan(&float)? };
        port.open_shift(&who, float).await
    };
    answer(done.await.map(|()| "/shifts".to_owned()), "/shifts")
}

/// Closes a shift with what was counted.
#[server(name = CloseShift, prefix = "/api", endpoint = "operator/close-shift")]
pub async fn close_shift(id: String, counted: String, reason: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let page = format!("/shifts/{id}");
    let done = async {
        let reason = reason.trim();
        if reason.chars().count() > MOST_SAID {
            return Err(AppError::Invalid);
        }
        port.close_shift(&who, parse(&id)?, yuan(&counted)?, reason).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}
