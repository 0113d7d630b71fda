//! Whom to trust at a gateway that speaks TLS.

use leptos::prelude::*;

use super::{Desk, desk};
use crate::api::{ApiError, answer};
use crate::link;
use model::error::AppError;
use model::gateway::Trust;

/// Sets the name in a gateway's certificate and the fingerprint of it; empty: its host, and what a known authority signed.
#[server(name = SetTrust, prefix = "/api", endpoint = "operator/gateway-trust")]
pub async fn set_trust(gateway: String, name: String, pin: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async {
        let gateway = gateway.parse().map_err(|_| AppError::Invalid)?;
        let trust = Trust::parse(&name, &pin).ok_or(AppError::Invalid)?;
        port.set_trust(&who, gateway, &trust).await
    };
    answer(done.await.map(|()| link::with("/meters", "asked", "trust")), "/meters")
}
