//! How often meters are read.

use leptos::prelude::*;

use super::{Desk, desk};
use crate::api::answer;
use crate::error::AppError;
use crate::link;
use crate::model::gateway::{Sweep, SweepInterval};

/// Sets how often the site, a gateway or a meter is read; empty `seconds` leave it to the level above.
#[server(name = SetSweep, prefix = "/api", endpoint = "operator/sweep-interval")]
pub async fn set_sweep(of: String, id: String, seconds: String) -> Result<(), AppError> {
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
