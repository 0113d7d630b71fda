//! The demo's instruments: the main of each dormitory, and in the first one a device with a circuit for each floor, which is
//! below the main.

use std::collections::BTreeSet;

use model::energy::Energy;
use model::ids::{CircuitId, GatewayId, PlaceId};
use model::instrument::{CircuitSettings, InstrumentSettings, Ratio, USUAL_INTERVAL_S};
use model::time::Timestamp;

use super::site::{self, BUILDINGS, Room};
use domain::rng::Rng;
use estate::{instruments, places};
use simulator::{CircuitPlan, InstrumentPlan};
use store::{Db, Result};

/// Units above those of the meters.
const MAIN_UNIT: u8 = 240;
const FLOORS_UNIT: u8 = 241;
const MAIN: &str = "energy-u32";
const FLOORS: &str = "multi-12-u32";
/// Current transformers of 200/5 and 50/5.
const MAIN_RATIO: u32 = 40;
const FLOORS_RATIO: u32 = 10;
/// What is lost on the way to the meters, in thousandths: from the main more, for it feeds the floors' circuits.
const MAIN_LOSS: u32 = 34;
const FLOORS_LOSS: u32 = 9;
/// The building with a circuit for each floor.
const WITH_FLOORS: usize = 0;

fn in_building(rooms: &[Room], building: usize) -> impl Iterator<Item = &Room> {
    rooms.iter().filter(move |room| room.building == building)
}

fn units<'a>(rooms: impl Iterator<Item = &'a Room>) -> Vec<u8> {
    rooms.map(|room| room.plan.unit).collect()
}

fn floors(rooms: &[Room], building: usize) -> BTreeSet<u8> {
    in_building(rooms, building).map(|room| room.floor).collect()
}

/// The instruments behind the gateway of a building.
pub fn behind(rooms: &[Room], building: usize) -> Vec<InstrumentPlan> {
    if building >= BUILDINGS.len() {
        return Vec::new();
    }
    let feeding = |units, loss_permille, ratio| CircuitPlan { units, loss_permille, ratio };
    let main = vec![feeding(units(in_building(rooms, building)), MAIN_LOSS, MAIN_RATIO)];
    let mut plans = vec![InstrumentPlan { unit: MAIN_UNIT, profile: MAIN.into(), circuits: main }];
    if building == WITH_FLOORS {
        let of_floor = |floor| units(in_building(rooms, building).filter(move |room| room.floor == floor));
        let circuits = floors(rooms, building).into_iter().map(|floor| feeding(of_floor(floor), FLOORS_LOSS, FLOORS_RATIO));
        plans.push(InstrumentPlan { unit: FLOORS_UNIT, profile: FLOORS.into(), circuits: circuits.collect() });
    }
    plans
}

/// A circuit that was entered, the place that it feeds, and the counters of the meters there now, 0.01 kWh.
type Fed = (CircuitId, PlaceId, CircuitPlan, i64);

/// Enters the instruments, with a reading at each midnight that agrees with what the meters below them used.
pub async fn seed(db: &Db, rng: &Rng, at: Timestamp, rooms: &[Room]) -> Result<()> {
    let (tree, gateways) = (places::tree(db).await?, store::meters::gateways(db).await?);
    let mut tx = db.begin().await?;
    let mut fed: Vec<Fed> = Vec::new();
    for building in 0..BUILDINGS.len() {
        let name = site::building(building);
        let place = tree.site().and_then(|site| tree.children(site.id).find(|place| place.name == name));
        let gateway = gateways.iter().find(|gateway| gateway.name.starts_with(name));
        let (Some(place), Some(gateway)) = (place, gateway) else { continue };
        let mut main: Option<CircuitId> = None;
        for plan in behind(rooms, building) {
            let is_main = plan.unit == MAIN_UNIT;
            let settings = settings(&plan, (name, place.id), gateway.id);
            let instrument = instruments::add_in(&mut tx, rng, at, &settings).await?;
            for (position, (circuit, floor)) in (1..).zip(plan.circuits.into_iter().zip(floors(rooms, building))) {
                let name = if is_main { settings.name.clone() } else { format!("{floor}层") };
                let of_floor = tree.children(place.id).find(|floor| floor.name == name);
                let below = if is_main { place.id } else { of_floor.unwrap_or(place).id };
                // A main with circuits of its own below it is compared with them.
                let feeds = (!is_main || building != WITH_FLOORS).then_some(below);
                let ct = Ratio::new(circuit.ratio.into()).unwrap_or(Ratio::ONE);
                let settings = CircuitSettings { position, name, ct, parent: main, feeds };
                let id = instruments::put(&mut tx, rng, at, instrument, &settings).await?;
                main = main.or(Some(id));
                let counted = in_building(rooms, building).filter(|room| circuit.units.contains(&room.plan.unit));
                let total = counted.map(|room| i64::from(room.plan.energy)).sum();
                fed.push((id, below, circuit, total));
            }
        }
    }
    tx.commit().await?;
    for fed in fed {
        past(db, fed).await?;
    }
    Ok(())
}

fn settings(plan: &InstrumentPlan, (building, place): (&str, PlaceId), gateway: GatewayId) -> InstrumentSettings {
    InstrumentSettings {
        number: format!("{building}-{}", plan.unit),
        name: format!("{building}{}", if plan.unit == MAIN_UNIT { "总表" } else { "楼层表" }),
        place,
        gateway,
        unit: plan.unit,
        profile: plan.profile.to_string(),
        start: None,
        step: None,
        pt: Ratio::ONE,
        interval_s: USUAL_INTERVAL_S,
    }
}

/// Works back from what the meters show now: by day, what passed.
async fn past(db: &Db, (circuit, place, plan, total): Fed) -> Result<()> {
    let ratio = i64::from(plan.ratio.max(1));
    // As the simulated instrument counts: whole steps of 0.01 kWh.
    let shown = |wh: i64| wh / 10 * (1_000 + i64::from(plan.loss_permille)) / 1_000 / ratio * 10;
    let mut wh = total * 10;
    let mut readings: Vec<(Timestamp, Energy)> = Vec::new();
    for (day, energy) in queries::daily_energy(db, place).await?.into_iter().rev() {
        wh -= energy.0;
        readings.push((day.start(), Energy(shown(wh))));
    }
    readings.reverse();
    metering::instruments::take_over(db, circuit, ratio, &readings).await
}
