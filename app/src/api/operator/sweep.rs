//! How often meters are read.

use leptos::prelude::*;

use super::{Desk, desk};
use crate::api::{ApiError, answer};
use crate::link;
use model::error::AppError;
use model::gateway::{Sweep, SweepInterval};

/// Sets how often the site, a gateway or a meter is read; empty `seconds` leave it to the level above.
#[server(name = SetSweep, prefix = "/api", endpoint = "operator/sweep-interval")]
pub async fn set_sweep(of: String, id: String, seconds: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let back = if of == "meter" { format!("/rooms/{id}") } else { "/meters".to_owned() };
    let done = async {
        let of = match of.as_str() {
            "site" => Sweep::Site,
            "gateway" => Sweep::Gateway(id.parse().map_err(|_| AppError::Invalid)?),
            "meter" => Sweep::Meter(id.parse().map_err(|_| AppError::Invalid)?),
            _ => return Err(AppError::Invalid),
        };
        let interval = match seconds.trim() {
            "" => None,
            given => Some(given.parse().ok().and_then(SweepInterval::new).ok_or(AppError::Invalid)?),
        };
        port.set_sweep(&who, of, interval).await
    };
    answer(done.await.map(|()| link::with(&back, "asked", "sweep")), &back)
}
