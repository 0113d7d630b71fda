//! The instruments of a site, as its workbook has them, and those of an import.

use std::collections::{BTreeMap, HashMap};

use model::error::AppError;
use model::ids::{CircuitId, GatewayId, InstrumentId, PlaceId};
use model::instrument::{CircuitSettings, CountStep, InstrumentSettings, Ratio};
use sqlx::FromRow;

use super::job::Job;
use crate::instruments;
use domain::site_plan::{InstrumentDevice, InstrumentRow, InstrumentState, PlaceName, SitePlan, SiteState};
use store::{Result, StoreError, Tx, on};

#[derive(FromRow)]
struct StoredCircuit {
    instrument_id: InstrumentId,
    number: String,
    instrument: String,
    place_id: PlaceId,
    gateway_id: GatewayId,
    unit: i64,
    profile: String,
    start_register: Option<i64>,
    step_mwh: Option<CountStep>,
    pt_ratio: Ratio,
    interval_s: i64,
    position: i64,
    name: String,
    ct_ratio: Ratio,
    master: Option<String>,
    master_position: Option<i64>,
    feeds_place_id: Option<PlaceId>,
}

/// Reads the instruments in service; one at a room, or that feeds one, is left alone by imports and not in the workbook.
pub async fn read(tx: &mut Tx, found: &mut SiteState, gateways: &HashMap<GatewayId, String>) -> Result<()> {
    let rows: Vec<StoredCircuit> = on!(tx, |c| sqlx::query_as(
        "SELECT i.id AS instrument_id, i.number, i.name AS instrument, i.place_id, i.gateway_id, i.unit, i.profile,
                i.start_register, i.step_mwh, i.pt_ratio, i.interval_s, c.position, c.name, c.ct_ratio, c.feeds_place_id,
                m.number AS master, p.position AS master_position
         FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         LEFT JOIN circuits p ON p.id = c.parent_id LEFT JOIN instruments m ON m.id = p.instrument_id AND m.retired_at IS NULL
         WHERE i.retired_at IS NULL ORDER BY i.number, c.position"
    )
    .fetch_all(c)
    .await)?;
    let places = names(found);
    let inconsistent = |column| StoreError::Inconsistent { table: "instruments", column };
    let mut all: HashMap<String, InstrumentState> = HashMap::new();
    for row in rows {
        let feeds = row.feeds_place_id.map(|place| places.get(&place).cloned());
        let (Some(place), None | Some(Some(_))) = (places.get(&row.place_id), &feeds) else { continue };
        let device = InstrumentDevice {
            number: row.number.clone(),
            name: row.instrument,
            place: place.clone(),
            gateway: gateways.get(&row.gateway_id).cloned().unwrap_or_default(),
            unit: u8::try_from(row.unit).map_err(|_| inconsistent("unit"))?,
            profile: row.profile,
            start: row.start_register.map(u16::try_from).transpose().map_err(|_| inconsistent("start_register"))?,
            step: row.step_mwh,
            pt: row.pt_ratio,
            interval_s: u32::try_from(row.interval_s).map_err(|_| inconsistent("interval_s"))?,
        };
        let position = u8::try_from(row.position).map_err(|_| inconsistent("position"))?;
        let of_master = row.master_position.and_then(|position| u8::try_from(position).ok());
        let circuit = InstrumentRow {
            device,
            position,
            name: row.name,
            ct: row.ct_ratio,
            master: row.master.zip(of_master),
            feeds: feeds.flatten().flatten(),
        };
        let state = all.entry(row.number).or_insert(InstrumentState { id: row.instrument_id, rows: BTreeMap::new() });
        state.rows.insert(position, circuit);
    }
    found.instruments = all;
    Ok(())
}

/// The names of buildings and floors by id; `None` for the site.
pub(super) fn names(found: &SiteState) -> HashMap<PlaceId, Option<PlaceName>> {
    let building = |(building, id): (&String, &PlaceId)| (*id, Some(PlaceName { building: building.clone(), floor: None }));
    let floor = |((building, floor), id): (&(String, String), &PlaceId)| {
        (*id, Some(PlaceName { building: building.clone(), floor: Some(floor.clone()) }))
    };
    let site = found.site.map(|site| (site, None));
    site.into_iter().chain(found.buildings.iter().map(building)).chain(found.floors.iter().map(floor)).collect()
}

impl<'a> Job<'a> {
    /// First all instruments with their circuits, then what feeds them, for that may be in a later row.
    pub async fn instruments(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        if planned.circuits.is_empty() {
            return Ok(());
        }
        let mut ids: HashMap<&str, InstrumentId> = HashMap::new();
        // Two may exchange their addresses: while they are changed, none is in service.
        for (id, _) in &planned.circuits {
            if let Some(id) = id {
                on!(self.tx, |c| sqlx::query("UPDATE instruments SET retired_at = $2 WHERE id = $1")
                    .bind(id)
                    .bind(self.at)
                    .execute(c)
                    .await)?;
            }
        }
        for (known, row) in &planned.circuits {
            let number = row.device.number.as_str();
            if ids.contains_key(number) {
                continue;
            }
            let settings = self.settings(&row.device)?;
            let id = match known {
                Some(id) => {
                    instruments::check(self.tx, *id, &settings).await?;
                    instruments::write(self.tx, *id, &settings).await?;
                    *id
                }
                None => instruments::add_in(self.tx, self.rng, self.at, &settings).await?,
            };
            ids.insert(number, id);
        }
        for with_master in [false, true] {
            for (_, row) in planned.circuits.iter().filter(|(_, row)| !with_master || row.master.is_some()) {
                let instrument = *ids.get(row.device.number.as_str()).ok_or(AppError::Internal)?;
                let parent = match &row.master {
                    Some(master) if with_master => Some(self.circuit(master).await?),
                    _ => None,
                };
                let feeds = row.feeds.as_ref().map(|place| self.named_place(place)).transpose()?;
                let circuit = CircuitSettings { position: row.position, name: row.name.clone(), ct: row.ct, parent, feeds };
                instruments::put(self.tx, self.rng, self.at, instrument, &circuit).await?;
            }
        }
        instruments::check_tree(self.tx).await
    }

    fn settings(&self, device: &InstrumentDevice) -> Result<InstrumentSettings> {
        Ok(InstrumentSettings {
            number: device.number.clone(),
            name: device.name.clone(),
            place: self.place(device.place.as_ref())?,
            gateway: self.gateway(&device.gateway)?,
            unit: device.unit,
            profile: device.profile.clone(),
            start: device.start,
            step: device.step,
            pt: device.pt,
            interval_s: device.interval_s,
        })
    }

    /// The place of a row; the site where it names none.
    pub(super) fn place(&self, place: Option<&PlaceName>) -> Result<PlaceId> {
        match place {
            Some(place) => self.named_place(place),
            None => self.site().ok_or(StoreError::Inconsistent { table: "places", column: "parent_id" }),
        }
    }

    fn named_place(&self, place: &PlaceName) -> Result<PlaceId> {
        match &place.floor {
            Some(floor) => self.floor(&place.building, floor),
            None => self.building(&place.building),
        }
    }

    async fn circuit(&mut self, (number, position): &(String, u8)) -> Result<CircuitId> {
        let found: Option<(CircuitId,)> = on!(self.tx, |c| sqlx::query_as(
            "SELECT c.id FROM circuits c JOIN instruments i ON i.id = c.instrument_id
             WHERE i.number = $1 AND c.position = $2 AND i.retired_at IS NULL"
        )
        .bind(number)
        .bind(i64::from(*position))
        .fetch_optional(c)
        .await)?;
        found.map(|(id,)| id).ok_or(AppError::NotFound.into())
    }
}
