//! A room: all that is known of its meter, and the commands to it.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse, room_page, yuan_or_zero};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{RetiredMeter, Room, WalletLimits};
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::meter::ControlMode;
use model::parameters::Parameters;
use model::time::Timestamp;

#[async_trait]
pub trait RoomsPort: Send + Sync {
    async fn room(&self, who: &Who, meter: MeterId) -> Result<Room, AppError>;
    /// A meter out of service, with its history.
    async fn retired_meter(&self, who: &Who, meter: MeterId) -> Result<RetiredMeter, AppError>;
    /// A meter's parameters, and when they were read.
    async fn parameters(&self, who: &Who, meter: MeterId) -> Result<Option<(Parameters, Timestamp)>, AppError>;
    async fn set_mode(&self, who: &Who, meter: MeterId, mode: ControlMode, key: Uuid) -> Result<(), AppError>;
    /// Sets the limits of a server wallet.
    async fn set_limits(&self, who: &Who, meter: MeterId, limits: &WalletLimits) -> Result<(), AppError>;
    /// Reads a meter before its turn.
    async fn read_now(&self, who: &Who, meter: MeterId) -> Result<(), AppError>;
}

#[server(name = SetMode, prefix = "/api", endpoint = "operator/mode")]
pub async fn set_mode(meter: String, mode: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let mode = ControlMode::parse(&mode).ok_or(AppError::Invalid)?;
        ports.rooms.set_mode(&who, parse(&meter)?, mode, parse(&key)?).await
    };
    answer(done.await.map(|()| room_page(&meter)), &room_page(&meter))
}

/// Sets the limits of a server wallet. An empty hoarding limit is the site's; an empty power limit is none.
#[server(name = SetLimits, prefix = "/api", endpoint = "operator/limits")]
pub async fn set_limits(
    meter: String,
    alarm1: String,
    alarm2: String,
    overdraft: String,
    hoarding: String,
    overload_w: String,
    malignant_w: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let watts = |field, text: &str| if text.trim().is_empty() { Ok(0) } else { at(field, parse(text)) };
        let amount = |field, text: &str| at(field, yuan_or_zero(text));
        let limits = WalletLimits {
            alarm1: amount("alarm1", &alarm1)?,
            alarm2: amount("alarm2", &alarm2)?,
            overdraft: amount("overdraft", &overdraft)?,
            hoarding: amount("hoarding", &hoarding)?,
            overload_w: watts("overload_w", &overload_w)?,
            malignant_w: watts("malignant_w", &malignant_w)?,
        };
        ports.rooms.set_limits(&who, parse(&meter)?, &limits).await
    };
    answer(done.await.map(|()| room_page(&meter)), &room_page(&meter))
}

/// Reads a meter before its turn; with `checks` it leads back to the checks of the meter instead of its room.
#[server(name = ReadNow, prefix = "/api", endpoint = "operator/read-now")]
pub async fn read_now(meter: String, #[server(default)] checks: Option<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = if checks.is_some() { format!("/meters/{meter}/commissioning") } else { room_page(&meter) };
    let done = async { ports.rooms.read_now(&who, parse(&meter)?).await }.await;
    answer(done.map(|()| link::with(&page, "done", "read")), &page)
}
