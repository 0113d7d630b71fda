//! Looking for meters behind a gateway, and placing what was found: through the import of a site, so that the same rules hold.

use app::api::discovery::{DiscoveryPort, Placement, PlacementFault, ScanView};
use async_trait::async_trait;
use model::console::RoomName;
use model::error::AppError;
use model::gateway::scan::{Discovered, ScanMatch};
use model::ids::GatewayId;
use model::permission::Permission;
use model::person::Who;
use model::site_workbook::{Column, Fault};

use super::Context;
use super::console::room_named;
use super::meter_setup::is_asked_by_serial;
use super::site::SiteService;
use app::access::Access;
use app::i18n::Lang;
use domain::site_plan::MeterRow;
use estate::{gateways, meter_setup, places};
use meters::profile::Profiles;

pub struct DiscoveryService {
    context: Context,
    site: SiteService,
    profiles: Profiles,
}

impl DiscoveryService {
    #[must_use]
    pub const fn new(context: Context, site: SiteService, profiles: Profiles) -> Self {
        Self { context, site, profiles }
    }

    /// Who may change gateways of the whole site; gives the gateway's name.
    async fn require(&self, who: &Who, gateway: GatewayId) -> Result<String, AppError> {
        Access::May(Permission::Gateways).check(Some(who))?;
        self.context.require_whole_site(who).await?;
        let stored = gateways::find(&self.context.db, gateway).await?.filter(|stored| stored.retired_at.is_none());
        Ok(stored.ok_or(AppError::NotFound)?.row.name)
    }

    /// The operator's rooms.
    async fn rooms(&self, who: &Who) -> Result<Vec<RoomName>, AppError> {
        let db = &self.context.db;
        let (tree, scope) = (places::tree(db).await?, queries::scope(db, who.user).await?);
        let Some(site) = tree.site() else { return Ok(Vec::new()) };
        let places = tree.below(site.id).into_iter().filter(|place| tree.is_within(&scope, place.id));
        Ok(places.filter_map(|place| tree.room_name(place.id)).collect())
    }
}

#[async_trait]
impl DiscoveryPort for DiscoveryService {
    async fn scan(&self, who: &Who, gateway: GatewayId) -> Result<ScanView, AppError> {
        let name = self.require(who, gateway).await?;
        let scan = self.context.gateway.scan(gateway);
        let mut view = ScanView { gateway, name, scan, profiles: Vec::new(), rooms: Vec::new() };
        if view.may_place() {
            view.profiles = self.profiles.iter().map(|profile| profile.name.clone()).collect();
            view.rooms = self.rooms(who).await?.iter().map(RoomName::to_string).collect();
            view.rooms.sort();
        }
        Ok(view)
    }

    async fn start_scan(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        self.require(who, gateway).await?;
        self.context.gateway.start_scan(gateway).await
    }

    async fn stop_scan(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        self.require(who, gateway).await?;
        self.context.gateway.stop_scan(gateway);
        Ok(())
    }

    async fn found_workbook(&self, who: &Who, gateway: GatewayId, lang: Lang) -> Result<Vec<u8>, AppError> {
        let name = self.require(who, gateway).await?;
        let scan = self.context.gateway.scan(gateway).ok_or(AppError::NotFound)?;
        let row = |found: Discovered| {
            let profile = self.profiles.get(&found.profile?)?;
            let room = RoomName { building: String::new(), floor: String::new(), room: String::new() };
            let (profile, wallet) = (profile.name.clone(), profile.abilities.wallet);
            Some(MeterRow {
                serial: found.serial?.parse().ok()?,
                room,
                gateway: name.clone(),
                unit: found.unit?,
                profile,
                wallet,
            })
        };
        let new = scan.found.into_iter().filter(|found| found.standing == ScanMatch::New);
        self.site.meters_workbook(lang, new.filter_map(row).collect()).await
    }

    async fn place(&self, who: &Who, gateway: GatewayId, meters: &[Placement]) -> Result<Result<u32, PlacementFault>, AppError> {
        let name = self.require(who, gateway).await?;
        Access::May(Permission::Estate).check(Some(who))?;
        let tree = places::tree(&self.context.db).await?;
        let scope = queries::scope(&self.context.db, who.user).await?;
        let mut free = meter_setup::free_units(&self.context.db, gateway).await?.into_iter();
        let mut sheet = COLUMNS.map(Column::as_str).join(",") + "\n";
        for (index, meter) in meters.iter().enumerate() {
            let Ok((_, room)) = room_named(&tree, &scope, &meter.room) else {
                let column = Some(Column::Room);
                return Ok(Err(PlacementFault { meter: Some(index), column, fault: Fault::UnknownRoom }));
            };
            // A meter of DL/T 645 answers to its serial number; its unit number only tells it apart.
            let has_none = meter.unit.trim().is_empty() && is_asked_by_serial(&self.profiles, &meter.profile);
            let unit = if has_none { free.next().map(|unit| unit.to_string()) } else { None };
            let unit = unit.as_ref().unwrap_or(&meter.unit);
            let cells = [&meter.serial, &room.building, &room.floor, &room.room, &name, unit, &meter.profile];
            sheet.push_str(&cells.map(|cell| quoted(cell)).join(","));
            sheet.push('\n');
        }
        let done = self.site.add_meters(who, &sheet).await?;
        if let Some(problem) = done.problems.first() {
            // The first row is the head.
            let meter = problem.row.and_then(|row| (row as usize).checked_sub(2)).filter(|meter| *meter < meters.len());
            let column = problem.column.and_then(|column| COLUMNS.get(column as usize)).copied();
            return Ok(Err(PlacementFault { meter, column, fault: problem.fault.clone() }));
        }
        Ok(Ok(done.counts.iter().map(|counts| counts.created).sum()))
    }
}

/// The sheet of meters, as far as a placement fills it.
const COLUMNS: [Column; 7] =
    [Column::Serial, Column::Building, Column::Floor, Column::Room, Column::Gateway, Column::Unit, Column::Profile];

/// A cell of a CSV file.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.trim().replace('"', "\"\""))
}
