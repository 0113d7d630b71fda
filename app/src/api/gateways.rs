//! Gateways and meters: the lists, how often they are read, and gateway certificates.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, room_page};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{GatewayLine, MeterLine, MeterQuery, Page};
use model::error::AppError;
use model::gateway::{Sweep, SweepInterval, Trust};
use model::ids::GatewayId;

#[async_trait]
pub trait GatewaysPort: Send + Sync {
    async fn meters(&self, who: &Who, query: &MeterQuery) -> Result<Page<MeterLine>, AppError>;
    async fn gateways(&self, who: &Who) -> Result<Vec<GatewayLine>, AppError>;
    /// Connects to a gateway at once instead of at its next attempt.
    async fn retry_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError>;
    /// How often the site is read; `None`: as configured.
    async fn site_sweep(&self) -> Result<Option<SweepInterval>, AppError>;
    /// Sets how often something is read; `None` leaves it to the level above. The site and gateways are for administrators.
    async fn set_sweep(&self, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<(), AppError>;
    /// Sets which certificate a gateway that speaks TLS must present. For administrators.
    async fn set_trust(&self, who: &Who, gateway: GatewayId, trust: &Trust) -> Result<(), AppError>;
}

/// Connects to a gateway at once.
#[server(name = RetryGateway, prefix = "/api", endpoint = "operator/retry-gateway")]
pub async fn retry_gateway(gateway: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.gateways.retry_gateway(&who, parse::<GatewayId>(&gateway)?).await }.await;
    answer(done.map(|()| link::with("/meters", "done", "retry")), "/meters")
}

/// Sets how often the site, a gateway or a meter is read; empty `seconds` leave it to the level above.
#[server(name = SetSweep, prefix = "/api", endpoint = "operator/sweep-interval")]
pub async fn set_sweep(of: String, id: String, seconds: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = if of == "meter" { room_page(&id) } else { "/meters".to_owned() };
    let done = async {
        let of = match of.as_str() {
            "site" => Sweep::Site,
            "gateway" => Sweep::Gateway(parse(&id)?),
            "meter" => Sweep::Meter(parse(&id)?),
            _ => return Err(AppError::Invalid),
        };
        let interval = match seconds.trim() {
            "" => None,
            given => Some(given.parse().ok().and_then(SweepInterval::new).ok_or(AppError::Invalid)?),
        };
        ports.gateways.set_sweep(&who, of, interval).await
    };
    answer(done.await.map(|()| link::with(&back, "done", "sweep")), &back)
}

/// Sets the name in a gateway's certificate and its fingerprint. Empty: the gateway's host,
/// and any certificate that a known authority signed.
#[server(name = SetTrust, prefix = "/api", endpoint = "operator/gateway-trust")]
pub async fn set_trust(gateway: String, name: String, pin: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let trust = Trust::parse(&name, &pin).ok_or(AppError::Invalid)?;
        ports.gateways.set_trust(&who, parse(&gateway)?, &trust).await
    };
    answer(done.await.map(|()| link::with("/meters", "done", "trust")), "/meters")
}
