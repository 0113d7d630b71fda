//! Commissioning: whether a meter was installed right, and who accepted it.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{Commissioning, Page, UnacceptedMeter};
use model::error::AppError;
use model::ids::MeterId;

/// The page of the meters that nobody has accepted.
const LIST: &str = "/commissioning";
/// The most characters of a comment.
const COMMENT: usize = 200;

#[async_trait]
pub trait CommissioningPort: Send + Sync {
    async fn commissioning(&self, who: &Who, meter: MeterId) -> Result<Commissioning, AppError>;
    /// The meters that nobody has accepted, a page counted from 0.
    async fn unaccepted(&self, who: &Who, page: i64) -> Result<Page<UnacceptedMeter>, AppError>;
    /// Notes that the person accepts the meter; once.
    async fn accept(&self, who: &Who, meter: MeterId, comment: &str) -> Result<(), AppError>;
    /// The same for those of several whose checks are all good; gives how many.
    async fn accept_good(&self, who: &Who, meters: &[MeterId]) -> Result<usize, AppError>;
}

/// Accepts a meter.
#[server(name = AcceptMeter, prefix = "/api", endpoint = "operator/commissioning/accept")]
pub async fn accept_meter(meter: String, comment: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = format!("/meters/{meter}/commissioning");
    let done = async {
        let comment = comment.trim();
        if comment.chars().count() > COMMENT || comment.chars().any(char::is_control) {
            return at("comment", Err(AppError::Invalid));
        }
        ports.commissioning.accept(&who, parse(&meter)?, comment).await
    };
    answer(done.await.map(|()| link::with(&back, "done", "accepted")), &back)
}

/// Accepts those of the meters that a page showed, separated by commas, whose checks are still good.
#[server(name = AcceptGoodMeters, prefix = "/api", endpoint = "operator/commissioning/accept-good")]
pub async fn accept_good_meters(meters: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let most = usize::try_from(Page::<UnacceptedMeter>::SIZE).unwrap_or(0);
        let meters = meters.split(',').take(most).map(parse).collect::<Result<Vec<MeterId>, _>>()?;
        ports.commissioning.accept_good(&who, &meters).await
    };
    answer(done.await.map(|count| link::with(LIST, "accepted", &count.to_string())), LIST)
}
