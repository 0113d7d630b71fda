//! What an import of a site workbook has to do: its rows beside what the site has.
//!
//! Rooms are known by building, floor and name, meters by serial number, accounts by room; gateways, price plans and groups by
//! name.
//! What the workbook does not name is left alone. The same workbook again changes nothing.

mod accounts;
mod cells;
mod defaults;
mod groups;
mod instruments;
mod meters;
mod partial;
mod prices;
mod settings;
#[cfg(test)]
mod tests;
mod types;

use std::collections::{HashMap, HashSet};

use model::console::RoomName;
use model::gateway::Dialling;
use model::site_workbook::{CellChange, Column, Fault, RowChange, RowEffect, Sheet};

use partial::Uncertain;
pub use types::*;

/// Compares the rows with the site. `partial` is what is known of rows that are not among them because something is wrong there.
///
/// # Errors
/// Every conflict; then nothing may be done.
pub fn plan<'a>(
    rows: &'a SiteRows,
    partial: &'a PartialRows,
    state: &'a SiteState,
    rules: &'a Rules,
) -> Result<SitePlan<'a>, Vec<Conflict>> {
    let gateways = rows.gateways.iter().map(|row| (row.value.name.as_str(), &row.value)).collect();
    let mut planner = Planner {
        rows,
        partial,
        uncertain: Uncertain::of(partial),
        state,
        rules,
        plan: SitePlan::default(),
        conflicts: Vec::new(),
        rooms: HashSet::new(),
        buildings: HashSet::new(),
        groups: HashSet::new(),
        gateways,
    };
    planner.rooms();
    planner.groups();
    planner.gateways();
    planner.meters();
    planner.prices();
    planner.accounts();
    planner.instruments();
    planner.friendly_hours();
    planner.contacts();
    planner.defaults();
    if planner.conflicts.is_empty() { Ok(planner.plan) } else { Err(planner.conflicts) }
}

struct Planner<'a> {
    rows: &'a SiteRows,
    partial: &'a PartialRows,
    uncertain: Uncertain<'a>,
    state: &'a SiteState,
    rules: &'a Rules,
    plan: SitePlan<'a>,
    conflicts: Vec<Conflict>,
    /// Rooms that the workbook adds, and buildings.
    rooms: HashSet<&'a RoomName>,
    buildings: HashSet<&'a str>,
    /// Groups that it adds.
    groups: HashSet<&'a str>,
    /// The gateways of the workbook.
    gateways: HashMap<&'a str, &'a GatewayRow>,
}

impl<'a> Planner<'a> {
    fn refuse(&mut self, sheet: Sheet, row: u32, column: Column, fault: Fault) {
        self.conflicts.push(Conflict { sheet, row, column, fault });
    }

    /// Counts a row, and lists it where few like it are listed.
    fn note(&mut self, (sheet, row): (Sheet, u32), effect: RowEffect, described: impl FnOnce() -> (String, Vec<CellChange>)) {
        let Outcome { counts, rows } = &mut self.plan.outcome;
        let Some(counts) = counts.get_mut(sheet as usize) else { return };
        counts.add(effect);
        if counts.of(effect) as usize <= self.rules.listed {
            let (subject, changes) = described();
            rows.push(RowChange { sheet, row, effect, subject, changes });
        }
    }

    fn rooms(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut seen: HashMap<&RoomName, u32> = HashMap::with_capacity(rows.rooms.len());
        let mut floors: HashSet<(&str, &str)> = HashSet::new();
        let known: HashSet<(&str, &str)> = state.floors.keys().map(|(building, floor)| (&**building, &**floor)).collect();
        for Row { number, value: room } in &rows.rooms {
            let described = || (room.to_string(), Vec::new());
            if let Some(first) = seen.insert(room, *number) {
                self.refuse(Sheet::Rooms, *number, Column::Room, Fault::Repeated(first));
                continue;
            }
            if state.rooms.contains_key(room) {
                self.note((Sheet::Rooms, *number), RowEffect::Unchanged, described);
                continue;
            }
            let (building, floor) = (room.building.as_str(), room.floor.as_str());
            if !state.buildings.contains_key(building) && self.buildings.insert(building) {
                self.plan.buildings.push(building);
            }
            if !floor.is_empty() && !known.contains(&(building, floor)) && floors.insert((building, floor)) {
                self.plan.floors.push((building, floor));
            }
            self.rooms.insert(room);
            self.plan.rooms.push(room);
            self.note((Sheet::Rooms, *number), RowEffect::Created, described);
        }
    }

    fn gateways(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut seen: HashMap<&str, u32> = HashMap::new();
        for Row { number, value: row } in &rows.gateways {
            if let Some(first) = seen.insert(&row.name, *number) {
                self.refuse(Sheet::Gateways, *number, Column::Gateway, Fault::Repeated(first));
                continue;
            }
            if let Some(other) = self.clashing(row) {
                self.refuse(Sheet::Gateways, *number, Column::Registration, Fault::RegistrationTaken(other));
                continue;
            }
            let at = (Sheet::Gateways, *number);
            match state.gateways.get(&row.name) {
                None => {
                    self.plan.new_gateways.push(row);
                    self.note(at, RowEffect::Created, || (row.name.clone(), Vec::new()));
                }
                Some((_, known)) if known == row => {
                    self.note(at, RowEffect::Unchanged, || (row.name.clone(), Vec::new()));
                }
                Some((id, known)) => {
                    self.plan.changed_gateways.push((*id, row));
                    let changes = || cells::differences(cells::gateway(known), cells::gateway(row));
                    self.note(at, RowEffect::Changed, || (row.name.clone(), changes()));
                }
            }
        }
    }

    /// The other gateway after the import whose registration could be taken for this one's.
    fn clashing(&self, row: &GatewayRow) -> Option<String> {
        let Dialling::DialIn { registration, .. } = &row.reach else { return None };
        let kept = self.state.gateways.values().map(|(_, kept)| kept);
        let kept = kept.filter(|kept| !self.gateways.contains_key(kept.name.as_str()));
        let mut others = kept.chain(self.gateways.values().copied()).filter(|other| other.name != row.name);
        let clashes = |other: &&GatewayRow| match &other.reach {
            Dialling::DialIn { registration: taken, .. } => taken.clashes_with(registration),
            Dialling::Dialled { .. } => false,
        };
        others.find(clashes).map(|other| other.name.clone())
    }

    fn has_room(&self, room: &RoomName) -> bool {
        self.rooms.contains(room) || self.state.rooms.contains_key(room) || self.uncertain.may_have_room(room)
    }

    fn has_gateway(&self, name: &str) -> bool {
        self.gateways.contains_key(name) || self.state.gateways.contains_key(name) || self.uncertain.may_have_gateway(name)
    }

    fn has_building(&self, building: &str) -> bool {
        self.state.buildings.contains_key(building)
            || self.buildings.contains(building)
            || self.uncertain.may_have_building(building)
    }
}
