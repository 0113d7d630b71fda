//! The instruments of a workbook, a row for each circuit.

use std::collections::{HashMap, HashSet};

use model::instrument::DEEPEST;
use model::site_workbook::{Column, Fault, RowEffect, Sheet};

use super::{InstrumentDevice, InstrumentRow, PlaceName, Planner, Row, cells};

/// A circuit by the number of its instrument.
type CircuitKey<'a> = (&'a str, u8);

/// The circuits as they are after an import.
struct CircuitsAfter<'a> {
    rows: HashMap<CircuitKey<'a>, &'a InstrumentRow>,
    /// Those that feed a place.
    feeding: HashMap<&'a PlaceName, Vec<CircuitKey<'a>>>,
}

fn key(row: &InstrumentRow) -> CircuitKey<'_> {
    (&row.device.number, row.position)
}

impl<'a> Planner<'a> {
    pub(super) fn instruments(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut devices: HashMap<&str, (&InstrumentDevice, u32)> = HashMap::new();
        let mut seen: HashMap<CircuitKey<'_>, u32> = HashMap::new();
        let after = self.circuits_after();
        let named: HashSet<CircuitKey<'_>> = rows.instruments.iter().map(|row| key(&row.value)).collect();
        let mut taken = self.kept_addresses();
        taken.extend(self.meters_after());
        for Row { number, value: row } in &rows.instruments {
            let before = self.conflicts.len();
            if let Some(first) = seen.insert((&row.device.number, row.position), *number) {
                self.refuse(Sheet::Instruments, *number, Column::Circuit, Fault::Repeated(first));
                continue;
            }
            match devices.get(&*row.device.number) {
                Some((device, first)) if **device != row.device => {
                    self.refuse(Sheet::Instruments, *number, Column::Number, Fault::InstrumentDiffers(*first));
                }
                Some(_) => {}
                None => {
                    devices.insert(&row.device.number, (&row.device, *number));
                    self.device_is_somewhere(*number, &row.device);
                    self.profile_has_all_circuits(*number, &row.device, &named);
                    if let Some(other) = taken.insert((&row.device.gateway, row.device.unit), row.device.number.clone()) {
                        self.refuse(Sheet::Instruments, *number, Column::Unit, Fault::AddressTaken(other));
                    }
                }
            }
            self.circuit_is_fed(*number, row, &after);
            if self.conflicts.len() > before {
                continue;
            }
            let (at, subject) = ((Sheet::Instruments, *number), || format!("{} · {}", row.device.number, row.name));
            let known = state.instruments.get(&row.device.number);
            let circuit = known.and_then(|known| known.rows.get(&row.position));
            if circuit == Some(row) {
                self.note(at, RowEffect::Unchanged, || (subject(), Vec::new()));
                continue;
            }
            self.plan.circuits.push((known.map(|known| known.id), row));
            match circuit {
                None => self.note(at, RowEffect::Created, || (subject(), Vec::new())),
                Some(circuit) => {
                    let changes = || cells::differences(cells::instrument(circuit), cells::instrument(row));
                    self.note(at, RowEffect::Changed, || (subject(), changes()));
                }
            }
        }
    }

    /// The addresses of instruments that the workbook does not name, with their numbers.
    pub(super) fn kept_addresses(&self) -> HashMap<(&'a str, u8), String> {
        let state = self.state;
        let named: HashSet<&str> = self.rows.instruments.iter().map(|row| &*row.value.device.number).collect();
        let kept = state.instruments.iter().filter(|(number, _)| !named.contains(number.as_str()));
        let devices = kept.filter_map(|(number, known)| known.rows.values().next().map(|row| (number, &row.device)));
        devices.map(|(number, device)| ((&*device.gateway, device.unit), number.clone())).collect()
    }

    fn circuits_after(&self) -> CircuitsAfter<'a> {
        let known = self.state.instruments.values().flat_map(|known| known.rows.values());
        let rows = known.chain(self.rows.instruments.iter().map(|row| &row.value));
        let rows: HashMap<_, _> = rows.map(|row| (key(row), row)).collect();
        let mut feeding: HashMap<&PlaceName, Vec<CircuitKey<'_>>> = HashMap::new();
        for (key, row) in &rows {
            if let Some(place) = &row.feeds {
                feeding.entry(place).or_default().push(*key);
            }
        }
        CircuitsAfter { rows, feeding }
    }

    /// Another profile may have fewer circuits: all that are there must be named, for each row is checked against its profile.
    fn profile_has_all_circuits(&mut self, number: u32, device: &InstrumentDevice, named: &HashSet<CircuitKey<'a>>) {
        let Some(known) = self.state.instruments.get(&device.number) else { return };
        let changed = known.rows.iter().filter(|(_, row)| row.device.profile != device.profile);
        let missing = changed.map(|(position, _)| *position).find(|position| !named.contains(&(&*device.number, *position)));
        // It may be in one of the rows with a fault.
        if let Some(position) = missing.filter(|_| self.partial.instruments == 0) {
            self.refuse(Sheet::Instruments, number, Column::Profile, Fault::CircuitMissing(position.into()));
        }
    }

    /// The addresses of meters as they are after the import, with their serial numbers.
    fn meters_after(&self) -> Vec<((&'a str, u8), String)> {
        let named: HashSet<_> = self.rows.meters.iter().map(|row| row.value.serial).collect();
        let known = self.state.meters.iter().filter(|(serial, _)| !named.contains(serial)).map(|(_, meter)| &meter.row);
        let rows = known.chain(self.rows.meters.iter().map(|row| &row.value));
        rows.map(|row| ((&*row.gateway, row.unit), row.serial.to_string())).collect()
    }

    fn device_is_somewhere(&mut self, number: u32, device: &InstrumentDevice) {
        if !self.has_gateway(&device.gateway) {
            self.refuse(Sheet::Instruments, number, Column::Gateway, Fault::UnknownGateway);
        }
        if let Some(place) = &device.place {
            self.place_is_there((Sheet::Instruments, number), place, [Column::Building, Column::Floor]);
        }
    }

    pub(super) fn place_is_there(&mut self, (sheet, number): (Sheet, u32), place: &PlaceName, [building, floor]: [Column; 2]) {
        if !self.has_building(&place.building) {
            self.refuse(sheet, number, building, Fault::UnknownBuilding);
        } else if place.floor.as_ref().is_some_and(|floor| !self.has_floor(&place.building, floor)) {
            self.refuse(sheet, number, floor, Fault::UnknownFloor);
        }
    }

    fn has_floor(&self, building: &str, floor: &str) -> bool {
        self.state.floors.contains_key(&(building.to_owned(), floor.to_owned()))
            || self.plan.floors.iter().any(|(one, other)| (*one, *other) == (building, floor))
            || self.uncertain.may_have_building(building)
    }

    /// What feeds a circuit, and what it feeds, is there and in its building.
    fn circuit_is_fed(&mut self, number: u32, row: &InstrumentRow, after: &CircuitsAfter<'a>) {
        let building = |place: &Option<PlaceName>| place.as_ref().map(|place| place.building.clone());
        let own = building(&row.device.place);
        if let Some(place) = &row.feeds {
            self.place_is_there((Sheet::Instruments, number), place, [Column::FeedsBuilding, Column::FeedsFloor]);
            if own.as_ref().is_some_and(|own| *own != place.building) {
                self.refuse(Sheet::Instruments, number, Column::FeedsBuilding, Fault::OtherBuilding);
            }
            let mut feeding = after.feeding.get(place).into_iter().flatten();
            if let Some((other, circuit)) = feeding.find(|other| **other != key(row)) {
                let column = if place.floor.is_some() { Column::FeedsFloor } else { Column::FeedsBuilding };
                self.refuse(Sheet::Instruments, number, column, Fault::FedTwice(format!("{other}/{circuit}")));
            }
        }
        let master = |row: &InstrumentRow| {
            let (number, circuit) = row.master.as_ref()?;
            Some(after.rows.get(&(number.as_str(), *circuit)).copied())
        };
        let fault = match master(row) {
            None => return,
            // It may be in one of the rows with a fault.
            Some(None) if self.partial.instruments > 0 => return,
            Some(None) => Some(Fault::UnknownMaster),
            Some(Some(first)) => {
                let of_master = building(&first.device.place);
                let mut above = Some(first);
                for _ in 0..DEEPEST {
                    let Some(next) = above else { break };
                    if next.device.number == row.device.number && next.position == row.position {
                        break;
                    }
                    above = master(next).flatten();
                }
                if above.is_some() {
                    Some(Fault::FeedsItself)
                } else {
                    (of_master.is_some() && of_master != own).then_some(Fault::OtherBuilding)
                }
            }
        };
        if let Some(fault) = fault {
            self.refuse(Sheet::Instruments, number, Column::Master, fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::ids::{GatewayId, InstrumentId, PlaceId, Uuid};
    use model::instrument::Ratio;
    use model::money::Fen;

    use super::*;
    use crate::site_plan::{GatewayRow, InstrumentState, PartialRows, PriceChanges, Rules, SiteRows, SiteState, plan};

    const RULES: Rules = Rules { prices: PriceChanges::Allowed, hoarding: Fen::ZERO, listed: 9 };

    /// A site with a building and a gateway.
    fn state() -> SiteState {
        let reach = model::gateway::Dialling::Dialled {
            host: model::gateway::Host::parse("h").unwrap(),
            port: std::num::NonZeroU16::MIN,
        };
        let gateway = GatewayRow { name: "G".into(), reach, framing: Default::default(), interval_s: None, tls_name: None };
        let mut state = SiteState::default();
        state.buildings.extend(["A", "B"].map(|name| (name.to_owned(), PlaceId(Uuid::nil()))));
        state.gateways.insert("G".into(), (GatewayId(Uuid::nil()), gateway));
        state
    }

    fn circuit(number: &str, position: u8, unit: u8, master: Option<(&str, u8)>) -> InstrumentRow {
        let device = InstrumentDevice {
            number: number.into(),
            name: number.into(),
            place: Some(PlaceName { building: "A".into(), floor: None }),
            gateway: "G".into(),
            unit,
            profile: "multi-12-u32".into(),
            start: None,
            step: None,
            pt: Ratio::ONE,
            interval_s: 900,
        };
        let master = master.map(|(number, position)| (number.to_owned(), position));
        InstrumentRow { device, position, name: position.to_string(), ct: Ratio::ONE, master, feeds: None }
    }

    fn rows(instruments: Vec<InstrumentRow>) -> SiteRows {
        let instruments = (2..).zip(instruments).map(|(number, value)| Row { number, value }).collect();
        SiteRows { instruments, ..SiteRows::default() }
    }

    /// Row, column and fault of each conflict.
    fn conflicts(instruments: Vec<InstrumentRow>) -> Vec<(u32, Column, Fault)> {
        let (rows, state, partial) = (rows(instruments), state(), PartialRows::default());
        let found = plan(&rows, &partial, &state, &RULES).err().unwrap_or_default();
        found.into_iter().map(|conflict| (conflict.row, conflict.column, conflict.fault)).collect()
    }

    #[test]
    fn circuits_are_new_changed_or_as_they_were() {
        let rows = rows(vec![circuit("M", 1, 7, None), circuit("S", 1, 8, Some(("M", 1))), circuit("S", 2, 8, Some(("M", 1)))]);
        let (mut site, partial) = (state(), PartialRows::default());
        let planned = plan(&rows, &partial, &site, &RULES).unwrap();
        assert_eq!(planned.circuits.iter().map(|(known, _)| *known).collect::<Vec<_>>(), [None; 3]);
        let id = InstrumentId(Uuid::from_u128(1));
        for row in &rows.instruments {
            let known = site.instruments.entry(row.value.device.number.clone());
            let known = known.or_insert(InstrumentState { id, rows: BTreeMap::new() });
            known.rows.insert(row.value.position, row.value.clone());
        }
        assert_eq!(plan(&rows, &partial, &site, &RULES).unwrap().circuits, []);
        let mut other = rows.clone();
        other.instruments[1].value.ct = Ratio::new(40).unwrap();
        let planned = plan(&other, &partial, &site, &RULES).unwrap();
        assert_eq!(planned.circuits, [(Some(id), &other.instruments[1].value)]);
        assert_eq!(planned.outcome.rows[1].changes.len(), 1, "{:?}", planned.outcome.rows);
    }

    #[test]
    fn a_profile_changes_with_all_circuits() {
        let mut site = state();
        let known = BTreeMap::from([1, 12].map(|position| (position, circuit("M", position, 7, None))));
        site.instruments.insert("M".into(), InstrumentState { id: InstrumentId(Uuid::nil()), rows: known });
        let mut other = circuit("M", 1, 7, None);
        other.device.profile = "energy-u32".into();
        let found = plan(&rows(vec![other]), &PartialRows::default(), &site, &RULES).err().unwrap();
        assert_eq!((found[0].column, &found[0].fault, found.len()), (Column::Profile, &Fault::CircuitMissing(12), 1));
    }

    #[test]
    fn each_conflict_is_named() {
        let twice = conflicts(vec![circuit("M", 1, 7, None), circuit("M", 1, 7, None)]);
        assert_eq!(twice, [(3, Column::Circuit, Fault::Repeated(2))]);
        let differs = conflicts(vec![circuit("M", 1, 7, None), circuit("M", 2, 9, None)]);
        assert_eq!(differs, [(3, Column::Number, Fault::InstrumentDiffers(2))]);
        let taken = conflicts(vec![circuit("M", 1, 7, None), circuit("S", 1, 7, None)]);
        assert_eq!(taken, [(3, Column::Unit, Fault::AddressTaken("M".into()))]);
        let unknown = conflicts(vec![circuit("S", 1, 7, Some(("M", 1)))]);
        assert_eq!(unknown, [(2, Column::Master, Fault::UnknownMaster)]);
        let ring = conflicts(vec![circuit("M", 1, 7, Some(("S", 1))), circuit("S", 1, 8, Some(("M", 1)))]);
        assert_eq!(ring, [(2, Column::Master, Fault::FeedsItself), (3, Column::Master, Fault::FeedsItself)]);
        let feeding = |number, unit, floor: Option<&str>| {
            let feeds = Some(PlaceName { building: "A".into(), floor: floor.map(str::to_owned) });
            InstrumentRow { feeds, ..circuit(number, 1, unit, None) }
        };
        let fed_twice = conflicts(vec![feeding("M", 7, None), feeding("S", 8, None)]);
        let by = |circuit: &str| Fault::FedTwice(circuit.into());
        assert_eq!(fed_twice, [(2, Column::FeedsBuilding, by("S/1")), (3, Column::FeedsBuilding, by("M/1"))]);
        let elsewhere =
            |building: &str, floor: Option<&str>| Some(PlaceName { building: building.into(), floor: floor.map(str::to_owned) });
        let mut other = circuit("M", 1, 7, None);
        other.feeds = elsewhere("B", None);
        assert_eq!(conflicts(vec![other.clone()]), [(2, Column::FeedsBuilding, Fault::OtherBuilding)]);
        other.feeds = elsewhere("A", Some("9"));
        assert_eq!(conflicts(vec![other.clone()]), [(2, Column::FeedsFloor, Fault::UnknownFloor)]);
        other.feeds = None;
        other.device.gateway = "none".into();
        other.device.place = elsewhere("C", None);
        let places = [(2, Column::Gateway, Fault::UnknownGateway), (2, Column::Building, Fault::UnknownBuilding)];
        assert_eq!(conflicts(vec![other]), places);
    }
}
