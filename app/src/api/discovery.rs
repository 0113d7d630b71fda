//! Discovery: looking for meters behind a gateway, and placing what was found.

use async_trait::async_trait;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::form::parse;
use super::{ApiError, answer, refuse};
use crate::i18n::{Lang, lang, site_workbook};
use crate::link;
use crate::ports::{Who, operator, ports, reply};
use model::error::AppError;
use model::gateway::scan::{Scan, ScanMatch, ScanState};
use model::ids::GatewayId;
use model::site_workbook::{Column, Fault};

/// The most meters that are placed at once.
const MOST: usize = 250;

/// A scan with what is needed to place what it found.
#[derive(Clone, Debug)]
pub struct ScanView {
    pub gateway: GatewayId,
    pub name: String,
    /// `None` before the first since the server started.
    pub scan: Option<Scan>,
    /// The names of all meter profiles; none where nothing can be placed, as a running scan is sent every second.
    pub profiles: Vec<String>,
    /// All rooms, as the form names them; none as above.
    pub rooms: Vec<String>,
}

impl ScanView {
    /// Whether the scan is over and found something new.
    #[must_use]
    pub fn may_place(&self) -> bool {
        let is_new = |scan: &Scan| scan.found.iter().any(|one| one.standing == ScanMatch::New);
        self.scan.as_ref().is_some_and(|scan| scan.state != ScanState::Running && is_new(scan))
    }
}

/// A meter to place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    pub serial: String,
    pub unit: String,
    pub profile: String,
    /// As [`ScanView::rooms`] names it; empty: the meter is left alone.
    pub room: String,
}

/// What is in the way of a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementFault {
    /// Which of the meters; `None` where it is none of them.
    pub meter: Option<usize>,
    pub column: Option<Column>,
    pub fault: Fault,
}

#[async_trait]
pub trait DiscoveryPort: Send + Sync {
    async fn scan(&self, who: &Who, gateway: GatewayId) -> Result<ScanView, AppError>;
    async fn start_scan(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError>;
    async fn stop_scan(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError>;
    /// A workbook of the new meters that were found, without their rooms: XLSX, to fill in and import.
    async fn found_workbook(&self, who: &Who, gateway: GatewayId, lang: Lang) -> Result<Vec<u8>, AppError>;
    /// Registers meters, all or none.
    async fn place(&self, who: &Who, gateway: GatewayId, meters: &[Placement]) -> Result<Result<u32, PlacementFault>, AppError>;
}

fn page(gateway: &str) -> String {
    format!("/gateways/{gateway}/scan")
}

/// Starts a scan.
#[server(name = StartScan, prefix = "/api", endpoint = "operator/gateways/scan")]
pub async fn start_scan(gateway: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = page(&gateway);
    let done = async { ports.discovery.start_scan(&who, parse(&gateway)?).await }.await;
    answer(done.map(|()| back.clone()), &back)
}

/// Stops a scan; what was found stays.
#[server(name = StopScan, prefix = "/api", endpoint = "operator/gateways/stop-scan")]
pub async fn stop_scan(gateway: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = page(&gateway);
    let done = async { ports.discovery.stop_scan(&who, parse(&gateway)?).await }.await;
    answer(done.map(|()| back.clone()), &back)
}

/// Registers the meters that a room was chosen for.
#[server(name = PlaceMeters, prefix = "/api", endpoint = "operator/gateways/place")]
pub async fn place_meters(gateway: String, #[server(default)] meters: Vec<Placement>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = page(&gateway);
    let is_chosen = |(_, meter): &(usize, Placement)| !meter.room.trim().is_empty();
    let (lines, chosen): (Vec<usize>, Vec<Placement>) = meters.into_iter().enumerate().filter(is_chosen).unzip();
    let placed = async {
        if chosen.is_empty() || chosen.len() > MOST {
            return Err(AppError::Invalid);
        }
        ports.discovery.place(&who, parse(&gateway)?, &chosen).await
    };
    match placed.await {
        Ok(Ok(count)) => answer(Ok(link::with(&back, "placed", &count.to_string())), &back),
        Ok(Err(found)) => {
            let line = found.meter.and_then(|meter| lines.get(meter));
            if let Some(line) = line {
                let field = found.column.map_or("room", placement_field);
                let says = site_workbook::placement_fault(&found.fault, found.column, lang());
                reply()?.wrong_field(&format!("meters[{line}][{field}]"), Some(says));
            }
            let serial = found.meter.and_then(|meter| chosen.get(meter)).map(|meter| meter.serial.as_str()).unwrap_or_default();
            let fault = serde_json::to_string(&found.fault).map_err(|_| AppError::Internal)?;
            let column = found.column.map(Column::as_str).unwrap_or_default();
            let said = [("serial", serial), ("column", column), ("fault", &fault)];
            refuse(&said.into_iter().fold(back, |back, (name, value)| link::with(&back, name, value)))
        }
        Err(error) => answer(Err(error), &back),
    }
}

/// The field of a placement that a column of the sheet of meters is filled from.
const fn placement_field(column: Column) -> &'static str {
    match column {
        Column::Serial => "serial",
        Column::Unit => "unit",
        Column::Profile => "profile",
        _ => "room",
    }
}
