//! Handlers for one meter.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::Deserialize;

use super::{FaultRequest, Refusal};
use crate::faults::{Defect, OneTimeFault};
use crate::handle::{MeterHandle, SiteHandle};
use crate::view::MeterView;

/// Gateway index and unit id.
type At = Path<(usize, u8)>;

#[derive(Deserialize)]
pub(super) struct DefectRequest {
    defect: Defect,
    on: bool,
}

#[derive(Deserialize)]
pub(super) struct LoadRequest {
    watts: Option<u32>,
}

pub(super) async fn show(State(site): State<SiteHandle>, Path(at): At) -> Result<Json<MeterView>, Refusal> {
    Ok(Json(find(&site, at)?.view()?))
}

pub(super) async fn fault(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(fault): Json<FaultRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.fault(fault.fault, fault.probability)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn heal(State(site): State<SiteHandle>, Path(at): At) -> Result<StatusCode, Refusal> {
    find(&site, at)?.heal()?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn defect(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(request): Json<DefectRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.defect(request.defect, request.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn one_time_fault(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(fault): Json<OneTimeFault>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.inject(fault).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn load(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(request): Json<LoadRequest>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.draw(request.watts).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn find(site: &SiteHandle, (gateway, unit): (usize, u8)) -> Result<MeterHandle, Refusal> {
    site.meter(gateway, unit).ok_or(Refusal::NotFound)
}
