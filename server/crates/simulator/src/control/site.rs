//! Handlers for gateways and the whole site.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};

use super::{FaultRequest, Refusal, SwitchRequest};
use crate::gateway::ChangeError;
use crate::handle::{GatewayHandle, SiteHandle};
use crate::load::mix;
use crate::view::MeterView;

/// One year, s.
const LONGEST: u32 = 366 * 86_400;

#[derive(Deserialize)]
pub(super) struct FaultShare {
    share: f64,
    #[serde(flatten)]
    fault: FaultRequest,
}

#[derive(Deserialize)]
pub(super) struct AdvanceRequest {
    advance_s: u32,
}

#[derive(Deserialize)]
pub(super) struct SingleSlotRequest {
    refuse_ms: Option<u64>,
}

/// Two meters that exchange addresses.
#[derive(Deserialize)]
pub(super) struct SwapRequest {
    units: [u8; 2],
}

#[derive(Serialize)]
pub(super) struct SiteTime {
    epoch_ms: i64,
    shanghai: String,
}

pub(super) async fn list(State(site): State<SiteHandle>) -> Result<Json<Vec<MeterView>>, Refusal> {
    let views: Result<_, ChangeError> = site.meters().iter().map(|meter| meter.view()).collect();
    Ok(Json(views?))
}

/// Meters are chosen by serial number, so that a larger share includes the meters of a smaller one.
pub(super) async fn fault_share(State(site): State<SiteHandle>, Json(share): Json<FaultShare>) -> Result<Json<usize>, Refusal> {
    let mut meters = Vec::new();
    for meter in site.meters() {
        let serial = meter.view()?.serial.bytes();
        meters.push((serial.iter().fold(0, |hash, &byte| mix(hash ^ u64::from(byte))), meter));
    }
    meters.sort_by_key(|(hash, _)| *hash);
    let selected = (meters.len() as f64 * share.share.clamp(0.0, 1.0)).round() as usize;
    for (_, meter) in meters.iter().take(selected) {
        meter.fault(share.fault.fault, share.fault.probability)?;
    }
    Ok(Json(selected))
}

pub(super) async fn heal(State(site): State<SiteHandle>) -> Result<StatusCode, Refusal> {
    for meter in site.meters() {
        meter.heal()?;
    }
    for gateway in (0..).map_while(|index| site.gateway(index)) {
        gateway.heal();
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn gateway_fault(
    State(site): State<SiteHandle>,
    Path(gateway): Path<usize>,
    Json(fault): Json<FaultRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, gateway)?.fault(fault.fault, fault.probability);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn gateway_heal(State(site): State<SiteHandle>, Path(gateway): Path<usize>) -> Result<StatusCode, Refusal> {
    find(&site, gateway)?.heal();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn refuse(
    State(site): State<SiteHandle>,
    Path(gateway): Path<usize>,
    Json(switch): Json<SwitchRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, gateway)?.refuse(switch.on);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn single_slot(
    State(site): State<SiteHandle>,
    Path(gateway): Path<usize>,
    Json(slot): Json<SingleSlotRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, gateway)?.single_slot(slot.refuse_ms.map(Duration::from_millis));
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn swap(
    State(site): State<SiteHandle>,
    Path(gateway): Path<usize>,
    Json(request): Json<SwapRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, gateway)?.swap(request.units);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn time(State(site): State<SiteHandle>) -> Json<SiteTime> {
    let now = site.clock().now();
    Json(SiteTime { epoch_ms: now.0, shanghai: now.to_string() })
}

pub(super) async fn advance(State(site): State<SiteHandle>, Json(by): Json<AdvanceRequest>) -> Result<Json<SiteTime>, Refusal> {
    // Meters simulate every step of the skipped time; a typing error must not keep them busy for hours.
    if by.advance_s > LONGEST {
        return Err(Refusal::AdvanceTooLong);
    }
    site.advance(i64::from(by.advance_s) * 1_000).await?;
    Ok(time(State(site)).await)
}

fn find(site: &SiteHandle, gateway: usize) -> Result<GatewayHandle, Refusal> {
    site.gateway(gateway).ok_or(Refusal::NotFound)
}
