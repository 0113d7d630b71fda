//! Handlers for one meter.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::Deserialize;

use super::{Refusal, Strike};
use crate::faults::{Defect, OneTimeFault};
use crate::handle::{MeterHandle, SiteHandle};
use crate::view::MeterView;

/// Gateway index and unit id.
type At = Path<(usize, u8)>;

#[derive(Deserialize)]
pub(super) struct Broken {
    defect: Defect,
    on: bool,
}

#[derive(Deserialize)]
pub(super) struct Drawn {
    watts: Option<u32>,
}

pub(super) async fn show(State(site): State<SiteHandle>, Path(at): At) -> Result<Json<MeterView>, Refusal> {
    Ok(Json(find(&site, at)?.view()?))
}

pub(super) async fn fault(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(strike): Json<Strike>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.fault(strike.fault, strike.probability)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn heal(State(site): State<SiteHandle>, Path(at): At) -> Result<StatusCode, Refusal> {
    find(&site, at)?.heal()?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn defect(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(broken): Json<Broken>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.defect(broken.defect, broken.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn mishap(
    State(site): State<SiteHandle>,
    Path(at): At,
    Json(mishap): Json<OneTimeFault>,
) -> Result<StatusCode, Refusal> {
    find(&site, at)?.suffer(mishap).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn load(State(site): State<SiteHandle>, Path(at): At, Json(drawn): Json<Drawn>) -> Result<StatusCode, Refusal> {
    find(&site, at)?.draw(drawn.watts).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn find(site: &SiteHandle, (gateway, unit): (usize, u8)) -> Result<MeterHandle, Refusal> {
    site.meter(gateway, unit).ok_or(Refusal::NotFound)
}
