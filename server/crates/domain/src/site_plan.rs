//! What an import of a site workbook has to do: its rows beside what the site has.
//!
//! Rooms are known by building, floor and name, gateways by name, meters by serial number, accounts by room, price plans by name.
//! What the workbook does not name is left alone. The same workbook again changes nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::console::RoomName;
use model::ids::{AccountId, GatewayId, MeterId, PlaceId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::person::Role;
use model::site_workbook::{Column, Counts, Fault, Sheet};
use model::tariff::Prices;

use crate::framing::Framing;
use crate::serial::Serial;

/// A row of a sheet with its number in the file, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    pub number: u32,
    pub value: T,
}

/// The rows of a workbook, each by itself right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRows {
    pub rooms: Vec<Row<RoomName>>,
    pub gateways: Vec<Row<GatewayRow>>,
    pub meters: Vec<Row<MeterRow>>,
    pub prices: Vec<Row<PriceRow>>,
    pub accounts: Vec<Row<AccountRow>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRow {
    pub name: String,
    pub host: String,
    pub port: u16,
    pub framing: Framing,
    /// `None`: the site's.
    pub interval_s: Option<i64>,
    pub tls_name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRow {
    pub serial: Serial,
    pub room: RoomName,
    /// The gateway's name.
    pub gateway: String,
    /// Unit id, 1-247.
    pub unit: u8,
    /// The profile's name.
    pub profile: String,
    pub wallet: Wallet,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    pub plan: String,
    /// `None`: the whole site.
    pub building: Option<String>,
    pub prices: Prices,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub room: RoomName,
    pub resident: String,
    pub login: String,
    /// `None`: the resident cannot log in before a password is set.
    pub password: Option<String>,
    /// What the resident had in the older system; added up over the residents of a room.
    pub opening: Fen,
}

/// What the site has.
#[derive(Clone, Debug, Default)]
pub struct SiteState {
    pub site: Option<PlaceId>,
    pub buildings: HashMap<String, PlaceId>,
    /// By building and floor; a room without a floor is below its building.
    pub floors: HashMap<(String, String), PlaceId>,
    pub rooms: HashMap<RoomName, PlaceId>,
    pub gateways: HashMap<String, (GatewayId, GatewayRow)>,
    pub meters: HashMap<Serial, MeterState>,
    pub accounts: HashMap<RoomName, AccountState>,
    /// All login names, with the role of the person.
    pub logins: HashMap<String, (UserId, Role)>,
    /// The newest prices of each plan, and the places where it applies now: `None` for the whole site.
    pub plans: HashMap<String, PlanState>,
    /// Floors and rooms that have a price plan of their own.
    pub priced: HashSet<PlaceId>,
}

#[derive(Clone, Debug)]
pub struct MeterState {
    pub id: MeterId,
    pub row: MeterRow,
    pub has_account: bool,
}

#[derive(Clone, Debug)]
pub struct AccountState {
    pub id: AccountId,
    /// Login and name.
    pub residents: HashMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct PlanState {
    pub id: Uuid,
    pub prices: Prices,
    pub applies_to: HashSet<Option<String>>,
}

/// What is done, in this order: places, gateways, meters, prices, accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SitePlan {
    pub buildings: Vec<String>,
    /// Building and floor.
    pub floors: Vec<(String, String)>,
    pub rooms: Vec<RoomName>,
    pub new_gateways: Vec<GatewayRow>,
    pub changed_gateways: Vec<(GatewayId, GatewayRow)>,
    pub new_meters: Vec<MeterRow>,
    pub changed_meters: Vec<(MeterId, MeterRow)>,
    /// A plan's name and its next prices.
    pub prices: Vec<(String, Prices)>,
    /// A plan's name and the building where it applies from now on.
    pub assignments: Vec<(String, Option<String>)>,
    pub new_accounts: Vec<NewAccount>,
    /// Residents who join an open account.
    pub joining: Vec<(AccountId, AccountRow)>,
    pub renamed: Vec<(UserId, String)>,
    /// In the order of [`Sheet::ALL`].
    pub counts: [Counts; Sheet::ALL.len()],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    pub room: RoomName,
    /// The serial numbers of its meters that sell; the first takes the opening amount.
    pub meters: Vec<Serial>,
    /// At least one.
    pub residents: Vec<AccountRow>,
    pub opening: Fen,
}

/// A row that does not fit what the site has or what other rows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub sheet: Sheet,
    pub row: u32,
    pub column: Column,
    pub fault: Fault,
}

/// Compares the rows with the site.
///
/// # Errors
/// Every conflict; then nothing may be done.
pub fn plan(rows: &SiteRows, state: &SiteState) -> Result<SitePlan, Vec<Conflict>> {
    let mut planner = Planner { rows, state, plan: SitePlan::default(), conflicts: Vec::new(), rooms: HashSet::new() };
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
    plan: SitePlan,
    conflicts: Vec<Conflict>,
    /// Rooms that the workbook adds.
    rooms: HashSet<&'a RoomName>,
}

/// What became of a row.
enum Effect {
    Created,
    Changed,
    Unchanged,
}

impl<'a> Planner<'a> {
    fn refuse(&mut self, sheet: Sheet, row: u32, column: Column, fault: Fault) {
        self.conflicts.push(Conflict { sheet, row, column, fault });
    }

    fn count(&mut self, sheet: Sheet, effect: Effect) {
        let Some(counts) = self.plan.counts.get_mut(sheet as usize) else { return };
        match effect {
            Effect::Created => counts.created += 1,
            Effect::Changed => counts.changed += 1,
            Effect::Unchanged => counts.unchanged += 1,
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
                self.count(Sheet::Rooms, Effect::Unchanged);
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
            self.count(Sheet::Rooms, Effect::Created);
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
            match state.gateways.get(&row.name) {
                None => {
                    self.plan.new_gateways.push(row.clone());
                    self.count(Sheet::Gateways, Effect::Created);
                }
                Some((_, known)) if known == row => self.count(Sheet::Gateways, Effect::Unchanged),
                Some((id, _)) => {
                    self.plan.changed_gateways.push((*id, row.clone()));
                    self.count(Sheet::Gateways, Effect::Changed);
                }
            }
        }
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
                    self.count(Sheet::Meters, Effect::Created);
                }
                Some(meter) if &meter.row == row => self.count(Sheet::Meters, Effect::Unchanged),
                Some(meter) => {
                    self.plan.changed_meters.push((meter.id, row.clone()));
                    self.count(Sheet::Meters, Effect::Changed);
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
            if published {
                self.plan.prices.push((row.plan.clone(), row.prices.clone()));
            }
            let assigned = known.is_none_or(|plan| !plan.applies_to.contains(&row.building));
            if assigned {
                self.plan.assignments.push((row.plan.clone(), row.building.clone()));
            }
            self.count(
                Sheet::Prices,
                match known {
                    None => Effect::Created,
                    Some(_) if published || assigned => Effect::Changed,
                    Some(_) => Effect::Unchanged,
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
                Some((_, Role::Operator | Role::Admin)) => {
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
                    self.count(Sheet::Accounts, Effect::Created);
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
            (Some(name), _) if name == &row.resident => self.count(Sheet::Accounts, Effect::Unchanged),
            (Some(_), Some(user)) => {
                self.plan.renamed.push((user, row.resident.clone()));
                self.count(Sheet::Accounts, Effect::Changed);
            }
            _ => {
                self.plan.joining.push((account.id, row.clone()));
                self.count(Sheet::Accounts, Effect::Changed);
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

#[cfg(test)]
mod tests;
