//! What an import of a site workbook has to do: its rows beside what the site has.
//!
//! Rooms are known by building, floor and name, gateways by name, meters by serial number, accounts by room, price plans by name.
//! What the workbook does not name is left alone. The same workbook again changes nothing.

#[cfg(test)]
mod tests;
mod types;

use std::collections::{BTreeSet, HashMap, HashSet};

use model::console::RoomName;
use model::gateway::Dialling;
use model::meter::Wallet;
use model::money::Fen;
use model::person::Role;
use model::site_workbook::{Column, Fault, Sheet};
use model::tariff::Prices;

use crate::serial::Serial;
pub use types::*;

/// Compares the rows with the site. Whether prices may be changed depends on who imports.
///
/// # Errors
/// Every conflict; then nothing may be done.
pub fn plan(rows: &SiteRows, state: &SiteState, changes: PriceChanges) -> Result<SitePlan, Vec<Conflict>> {
    let (plan, conflicts, rooms) = (SitePlan::default(), Vec::new(), HashSet::new());
    let mut planner = Planner { rows, state, changes, plan, conflicts, rooms };
    planner.rooms();
    planner.gateways();
    planner.meters();
    planner.prices();
    planner.accounts();
    if planner.conflicts.is_empty() { Ok(planner.plan) } else { Err(planner.conflicts) }
}

struct Planner<'a> {
    rows: &'a SiteRows,
    state: &'a SiteState,
    changes: PriceChanges,
    plan: SitePlan,
    conflicts: Vec<Conflict>,
    /// Rooms that the workbook adds.
    rooms: HashSet<&'a RoomName>,
}

/// What an import does with a row.
enum RowEffect {
    Created,
    Changed,
    Unchanged,
}

impl<'a> Planner<'a> {
    fn refuse(&mut self, sheet: Sheet, row: u32, column: Column, fault: Fault) {
        self.conflicts.push(Conflict { sheet, row, column, fault });
    }

    fn count(&mut self, sheet: Sheet, effect: RowEffect) {
        let Some(counts) = self.plan.counts.get_mut(sheet as usize) else { return };
        match effect {
            RowEffect::Created => counts.created += 1,
            RowEffect::Changed => counts.changed += 1,
            RowEffect::Unchanged => counts.unchanged += 1,
        }
    }

    fn rooms(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut seen: HashMap<&RoomName, u32> = HashMap::new();
        let mut buildings: HashSet<&str> = HashSet::new();
        let mut floors: HashSet<(&str, &str)> = HashSet::new();
        for Row { number, value: room } in &rows.rooms {
            if let Some(first) = seen.insert(room, *number) {
                self.refuse(Sheet::Rooms, *number, Column::Room, Fault::Repeated(first));
                continue;
            }
            if state.rooms.contains_key(room) {
                self.count(Sheet::Rooms, RowEffect::Unchanged);
                continue;
            }
            if !state.buildings.contains_key(&room.building) && buildings.insert(&room.building) {
                self.plan.buildings.push(room.building.clone());
            }
            let floor = (room.building.clone(), room.floor.clone());
            let is_floor = !room.floor.is_empty() && !state.floors.contains_key(&floor);
            if is_floor && floors.insert((&room.building, &room.floor)) {
                self.plan.floors.push(floor);
            }
            self.rooms.insert(room);
            self.plan.rooms.push(room.clone());
            self.count(Sheet::Rooms, RowEffect::Created);
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
            match state.gateways.get(&row.name) {
                None => {
                    self.plan.new_gateways.push(row.clone());
                    self.count(Sheet::Gateways, RowEffect::Created);
                }
                Some((_, known)) if known == row => self.count(Sheet::Gateways, RowEffect::Unchanged),
                Some((id, _)) => {
                    self.plan.changed_gateways.push((*id, row.clone()));
                    self.count(Sheet::Gateways, RowEffect::Changed);
                }
            }
        }
    }

    /// The other gateway after the import whose registration could be taken for this one's.
    fn clashing(&self, row: &GatewayRow) -> Option<String> {
        let Dialling::DialIn { registration, .. } = &row.reach else { return None };
        let rows: HashMap<&str, &GatewayRow> =
            self.rows.gateways.iter().map(|row| (row.value.name.as_str(), &row.value)).collect();
        let kept = self.state.gateways.values().map(|(_, kept)| kept).filter(|kept| !rows.contains_key(kept.name.as_str()));
        let mut others = kept.chain(rows.values().copied()).filter(|other| other.name != row.name);
        let clashes = |other: &&GatewayRow| match &other.reach {
            Dialling::DialIn { registration: taken, .. } => taken.clashes_with(registration),
            Dialling::Dialled { .. } => false,
        };
        others.find(clashes).map(|other| other.name.clone())
    }

    fn meters(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut seen: HashMap<Serial, u32> = HashMap::new();
        let named: HashSet<Serial> = rows.meters.iter().map(|row| row.value.serial).collect();
        // Addresses of meters that the workbook does not name stay taken.
        let mut taken: HashMap<(&str, u8), (Serial, Option<u32>)> = HashMap::new();
        for (serial, meter) in &state.meters {
            if !named.contains(serial) {
                taken.insert((&meter.row.gateway, meter.row.unit), (*serial, None));
            }
        }
        let gateways: HashSet<&str> = rows.gateways.iter().map(|row| row.value.name.as_str()).collect();
        for Row { number, value: row } in &rows.meters {
            let before = self.conflicts.len();
            if let Some(first) = seen.insert(row.serial, *number) {
                self.refuse(Sheet::Meters, *number, Column::Serial, Fault::Repeated(first));
                continue;
            }
            if !self.has_room(&row.room) {
                self.refuse(Sheet::Meters, *number, Column::Room, Fault::UnknownRoom);
            }
            if !gateways.contains(row.gateway.as_str()) && !state.gateways.contains_key(&row.gateway) {
                self.refuse(Sheet::Meters, *number, Column::Gateway, Fault::UnknownGateway);
            }
            match taken.insert((&row.gateway, row.unit), (row.serial, Some(*number))) {
                Some((_, Some(first))) => self.refuse(Sheet::Meters, *number, Column::Unit, Fault::Repeated(first)),
                Some((serial, None)) => {
                    self.refuse(Sheet::Meters, *number, Column::Unit, Fault::AddressTaken(serial.to_string()));
                }
                None => {}
            }
            let known = state.meters.get(&row.serial);
            if let Some(meter) = known.filter(|meter| meter.has_account) {
                let MeterRow { room, profile, wallet, .. } = &meter.row;
                let moved = [
                    (room != &row.room, Column::Room),
                    (profile != &row.profile, Column::Profile),
                    (wallet != &row.wallet, Column::Wallet),
                ];
                for (_, column) in moved.into_iter().filter(|(differs, _)| *differs) {
                    self.refuse(Sheet::Meters, *number, column, Fault::MeterInUse);
                }
            }
            if self.conflicts.len() > before {
                continue;
            }
            match known {
                None => {
                    self.plan.new_meters.push(row.clone());
                    self.count(Sheet::Meters, RowEffect::Created);
                }
                Some(meter) if &meter.row == row => self.count(Sheet::Meters, RowEffect::Unchanged),
                Some(meter) => {
                    self.plan.changed_meters.push((meter.id, row.clone()));
                    self.count(Sheet::Meters, RowEffect::Changed);
                }
            }
        }
    }

    fn prices(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let mut plans: HashMap<&str, (u32, &Prices)> = HashMap::new();
        let mut places: HashMap<Option<&str>, u32> = HashMap::new();
        for Row { number, value: row } in &rows.prices {
            let place = row.building.as_deref();
            if let Some(first) = places.insert(place, *number) {
                self.refuse(Sheet::Prices, *number, Column::Building, Fault::Repeated(first));
                continue;
            }
            if place.is_some_and(|building| !self.has_building(building)) {
                self.refuse(Sheet::Prices, *number, Column::Building, Fault::UnknownBuilding);
                continue;
            }
            // A plan that applies in several buildings has the same prices in each of its rows.
            let first_row = match plans.get(row.plan.as_str()) {
                Some((first, prices)) if **prices != row.prices => {
                    self.refuse(Sheet::Prices, *number, Column::Plan, Fault::Repeated(*first));
                    continue;
                }
                Some(_) => false,
                None => {
                    plans.insert(&row.plan, (*number, &row.prices));
                    true
                }
            };
            let known = state.plans.get(&row.plan);
            let published = first_row && known.is_none_or(|plan| plan.prices != row.prices);
            let assigned = known.is_none_or(|plan| !plan.applies_to.contains(&row.building));
            if (published || assigned) && self.changes == PriceChanges::NeedApproval {
                let column = if published { Column::Plan } else { Column::Building };
                self.refuse(Sheet::Prices, *number, column, Fault::PricesNeedApproval);
                continue;
            }
            if published {
                self.plan.prices.push((row.plan.clone(), row.prices.clone()));
            }
            if assigned {
                self.plan.assignments.push((row.plan.clone(), row.building.clone()));
            }
            self.count(
                Sheet::Prices,
                match known {
                    None => RowEffect::Created,
                    Some(_) if published || assigned => RowEffect::Changed,
                    Some(_) => RowEffect::Unchanged,
                },
            );
        }
    }

    fn accounts(&mut self) {
        let (rows, state) = (self.rows, self.state);
        let sells = self.selling_meters();
        let mut logins: HashMap<&str, u32> = HashMap::new();
        let mut opened: HashMap<&RoomName, usize> = HashMap::new();
        for Row { number, value: row } in &rows.accounts {
            if let Some(first) = logins.insert(&row.login, *number) {
                self.refuse(Sheet::Accounts, *number, Column::Login, Fault::Repeated(first));
                continue;
            }
            if !self.has_room(&row.room) {
                self.refuse(Sheet::Accounts, *number, Column::Room, Fault::UnknownRoom);
                continue;
            }
            let account = state.accounts.get(&row.room);
            let lives_here = account.is_some_and(|account| account.residents.contains_key(&row.login));
            match state.logins.get(&row.login) {
                Some((_, role)) if *role != Role::Resident => {
                    self.refuse(Sheet::Accounts, *number, Column::Login, Fault::LoginOfOperator);
                    continue;
                }
                Some(_) if !lives_here => {
                    self.refuse(Sheet::Accounts, *number, Column::Login, Fault::LoginOfOther);
                    continue;
                }
                _ => {}
            }
            match account {
                Some(account) => self.at_open_account(account, row),
                None => {
                    let meters = sells.get(&row.room).map(Vec::as_slice).unwrap_or_default();
                    if meters.is_empty() {
                        self.refuse(Sheet::Accounts, *number, Column::Room, Fault::RoomSellsNothing);
                        continue;
                    }
                    if meters.iter().any(|(_, wallet)| *wallet == Wallet::Server) && !self.has_prices(&row.room) {
                        self.refuse(Sheet::Accounts, *number, Column::Room, Fault::NoPrices);
                        continue;
                    }
                    self.count(Sheet::Accounts, RowEffect::Created);
                    match opened.get(&row.room).and_then(|index| self.plan.new_accounts.get_mut(*index)) {
                        Some(account) => {
                            account.opening = Fen(account.opening.0.saturating_add(row.opening.0));
                            account.residents.push(row.clone());
                        }
                        None => {
                            opened.insert(&row.room, self.plan.new_accounts.len());
                            self.plan.new_accounts.push(NewAccount {
                                room: row.room.clone(),
                                meters: meters.iter().map(|(serial, _)| *serial).collect(),
                                residents: vec![row.clone()],
                                opening: row.opening,
                            });
                        }
                    }
                }
            }
        }
    }

    fn at_open_account(&mut self, account: &AccountState, row: &AccountRow) {
        let user = self.state.logins.get(&row.login).map(|(user, _)| *user);
        match (account.residents.get(&row.login), user) {
            (Some(name), _) if name == &row.resident => self.count(Sheet::Accounts, RowEffect::Unchanged),
            (Some(_), Some(user)) => {
                self.plan.renamed.push((user, row.resident.clone()));
                self.count(Sheet::Accounts, RowEffect::Changed);
            }
            _ => {
                self.plan.joining.push((account.id, row.clone()));
                self.count(Sheet::Accounts, RowEffect::Changed);
            }
        }
    }

    /// The meters that sell, by room, as they are after the import.
    fn selling_meters(&self) -> HashMap<&'a RoomName, Vec<(Serial, Wallet)>> {
        let mut after: HashMap<Serial, &'a MeterRow> = self.state.meters.iter().map(|(serial, m)| (*serial, &m.row)).collect();
        after.extend(self.rows.meters.iter().map(|row| (row.value.serial, &row.value)));
        let serials: BTreeSet<Serial> = after.keys().copied().collect();
        let mut sells: HashMap<&RoomName, Vec<(Serial, Wallet)>> = HashMap::new();
        for row in serials.iter().filter_map(|serial| after.get(serial)).filter(|row| row.wallet != Wallet::None) {
            sells.entry(&row.room).or_default().push((row.serial, row.wallet));
        }
        sells
    }

    fn has_room(&self, room: &RoomName) -> bool {
        self.rooms.contains(room) || self.state.rooms.contains_key(room)
    }

    /// Whether a plan applies to a room after the import.
    fn has_prices(&self, room: &RoomName) -> bool {
        let state = self.state;
        let floor = state.floors.get(&(room.building.clone(), room.floor.clone()));
        let own = [floor, state.rooms.get(room)].into_iter().flatten().any(|place| state.priced.contains(place));
        let covers = |building: &Option<String>| building.as_ref().is_none_or(|building| *building == room.building);
        own || state.plans.values().flat_map(|plan| &plan.applies_to).any(covers)
            || self.rows.prices.iter().any(|row| covers(&row.value.building))
    }

    fn has_building(&self, building: &str) -> bool {
        self.state.buildings.contains_key(building) || self.plan.buildings.iter().any(|added| added == building)
    }
}
