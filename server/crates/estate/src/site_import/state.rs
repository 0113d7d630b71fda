//! What a site has.

use std::collections::{HashMap, HashSet};

use model::console::RoomName;
use model::defaults::{DefaultValues, DefaultsOf};
use model::friendly::FriendlyHours;
use model::ids::{AccountId, GatewayId, PlaceGroupId, PlaceId, UserId, Uuid};
use model::money::Fen;
use model::person::Role;
use model::place::PlaceKind;
use model::tariff::Prices;
use sqlx::FromRow;

use super::{defaults, instruments, settings};
use domain::serial::Serial;
use domain::site_plan::{
    AccountRow, AccountState, ContactRow, DefaultsRow, FriendlyRow, GatewayRow, GroupRow, InstrumentRow, MeterRow, MeterState,
    PlaceContact, PlaceName, PlanState, PriceRow, Row, SettingsOf, SiteRows, SiteState,
};
use store::JsonText;
use store::meters::{GATEWAYS, GatewayRow as StoredGateway, METERS, MeterRow as StoredMeter};
use store::{Db, Result, StoreError, Tx, on};

#[derive(FromRow)]
struct PlaceRow {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    kind: PlaceKind,
    name: String,
}

/// Reads what the site has, as one state of the database.
///
/// # Errors
/// Where the database cannot be read, or holds a meter without a room.
pub async fn read(db: &Db) -> Result<SiteState> {
    let mut tx = db.begin_reading().await?;
    state(&mut tx).await
}

/// [`read`] in the caller's transaction.
///
/// # Errors
/// As [`read`].
pub async fn state(tx: &mut Tx) -> Result<SiteState> {
    let (mut found, rooms) = places(tx).await?;
    let gateways = gateways(tx).await?;
    meters(tx, &mut found, &rooms, &gateways).await?;
    accounts(tx, &mut found, &rooms).await?;
    let names = gateways.iter().map(|(id, row)| (*id, row.name.clone())).collect();
    instruments::read(tx, &mut found, &names).await?;
    settings::read(tx, &mut found).await?;
    prices(tx, &mut found).await?;
    defaults::read(tx, &mut found).await?;
    found.gateways = gateways.into_iter().map(|(id, row)| (row.name.clone(), (id, row))).collect();
    Ok(found)
}

/// The places, and the name of each room.
async fn places(tx: &mut Tx) -> Result<(SiteState, HashMap<PlaceId, RoomName>)> {
    let rows: Vec<PlaceRow> =
        on!(tx, |c| sqlx::query_as("SELECT id, parent_id, kind, name FROM places ORDER BY sort, name").fetch_all(c).await)?;
    let by_id: HashMap<PlaceId, &PlaceRow> = rows.iter().map(|row| (row.id, row)).collect();
    let parent = |row: &PlaceRow| row.parent_id.and_then(|id| by_id.get(&id)).copied();
    let (mut found, mut names) = (SiteState::default(), HashMap::new());
    for row in &rows {
        match row.kind {
            PlaceKind::Site => found.site = found.site.or(Some(row.id)),
            PlaceKind::Building => {
                found.buildings.insert(row.name.clone(), row.id);
            }
            PlaceKind::Unit => {
                if let Some(building) = parent(row) {
                    found.floors.insert((building.name.clone(), row.name.clone()), row.id);
                }
            }
            PlaceKind::Room => {
                let above = parent(row);
                let floor = above.filter(|above| above.kind == PlaceKind::Unit);
                let building = floor.map_or(above, parent);
                let name = |place: Option<&PlaceRow>| place.map(|place| place.name.clone()).unwrap_or_default();
                let room = RoomName { building: name(building), floor: name(floor), room: row.name.clone() };
                found.rooms.insert(room.clone(), row.id);
                names.insert(row.id, room);
            }
        }
    }
    Ok((found, names))
}

async fn gateways(tx: &mut Tx) -> Result<Vec<(GatewayId, GatewayRow)>> {
    let rows: Vec<StoredGateway> = on!(tx, |c| sqlx::query_as(GATEWAYS).fetch_all(c).await)?;
    rows.into_iter()
        .map(|row| {
            let (reach, interval_s) = (row.reach()?, row.sweep_interval_s);
            Ok((row.id, GatewayRow { name: row.name, reach, framing: row.framing, interval_s, tls_name: row.tls_name }))
        })
        .collect()
}

async fn meters(
    tx: &mut Tx,
    found: &mut SiteState,
    rooms: &HashMap<PlaceId, RoomName>,
    gateways: &[(GatewayId, GatewayRow)],
) -> Result<()> {
    let names: HashMap<GatewayId, &str> = gateways.iter().map(|(id, row)| (*id, row.name.as_str())).collect();
    let rows: Vec<StoredMeter> = on!(tx, |c| sqlx::query_as(METERS).fetch_all(c).await)?;
    let in_use: Vec<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT meter_id FROM account_meters WHERE to_at IS NULL").fetch_all(c).await)?;
    let in_use: HashSet<Uuid> = in_use.into_iter().map(|(meter,)| meter).collect();
    let inconsistent = |column| StoreError::Inconsistent { table: "meters", column };
    for row in rows {
        let serial: Serial = row.serial.parse().map_err(|_| inconsistent("serial"))?;
        let state = MeterState {
            id: row.id,
            row: MeterRow {
                serial,
                room: rooms.get(&row.place_id).cloned().ok_or_else(|| inconsistent("place_id"))?,
                // Behind a gateway that was retired.
                gateway: names.get(&row.gateway_id).copied().unwrap_or_default().to_owned(),
                unit: u8::try_from(row.unit).map_err(|_| inconsistent("unit"))?,
                profile: row.profile,
                wallet: row.wallet,
            },
            has_account: in_use.contains(&row.id.0),
            hoarding: None,
        };
        found.meters.insert(serial, state);
    }
    Ok(())
}

async fn accounts(tx: &mut Tx, found: &mut SiteState, rooms: &HashMap<PlaceId, RoomName>) -> Result<()> {
    let open: Vec<(AccountId, PlaceId)> =
        on!(tx, |c| sqlx::query_as("SELECT id, place_id FROM accounts WHERE closed_at IS NULL").fetch_all(c).await)?;
    let residents: Vec<(AccountId, String, String)> = on!(tx, |c| sqlx::query_as(
        "SELECT r.account_id, u.login, u.name FROM account_residents r JOIN users u ON u.id = r.user_id WHERE r.to_at IS NULL"
    )
    .fetch_all(c)
    .await)?;
    let people: Vec<(String, UserId, Role)> =
        on!(tx, |c| sqlx::query_as("SELECT login, id, role FROM users").fetch_all(c).await)?;
    let mut of: HashMap<AccountId, HashMap<String, String>> = HashMap::new();
    for (account, login, name) in residents {
        of.entry(account).or_default().insert(login, name);
    }
    for (id, place) in open {
        if let Some(room) = rooms.get(&place) {
            let residents = of.remove(&id).unwrap_or_default();
            found.accounts.insert(room.clone(), AccountState { id, residents });
        }
    }
    let former: Vec<(String, PlaceId)> = on!(tx, |c| sqlx::query_as(
        "SELECT u.login, a.place_id FROM account_residents r
         JOIN users u ON u.id = r.user_id JOIN accounts a ON a.id = r.account_id
         WHERE r.to_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM account_residents n WHERE n.user_id = r.user_id AND n.to_at IS NULL)
         ORDER BY r.to_at"
    )
    .fetch_all(c)
    .await)?;
    found.former = former.into_iter().collect();
    found.logins = people.into_iter().map(|(login, id, role)| (login, (id, role))).collect();
    Ok(())
}

async fn prices(tx: &mut Tx, found: &mut SiteState) -> Result<()> {
    let newest: Vec<(Uuid, String, JsonText<Prices>)> = on!(tx, |c| sqlx::query_as(
        "SELECT p.id, p.name, v.prices FROM price_plans p JOIN price_versions v ON v.plan_id = p.id
         WHERE v.effective_at = (SELECT MAX(n.effective_at) FROM price_versions n WHERE n.plan_id = p.id)"
    )
    .fetch_all(c)
    .await)?;
    let of_places: Vec<(Uuid, PlaceId)> = on!(tx, |c| sqlx::query_as(
        "SELECT a.plan_id, a.place_id FROM price_places a
         WHERE a.from_at = (SELECT MAX(n.from_at) FROM price_places n WHERE n.place_id = a.place_id)"
    )
    .fetch_all(c)
    .await)?;
    let of_groups: Vec<(Uuid, PlaceGroupId)> = on!(tx, |c| sqlx::query_as(
        "SELECT a.plan_id, a.group_id FROM price_groups a
         WHERE a.plan_id IS NOT NULL
           AND a.from_at = (SELECT MAX(n.from_at) FROM price_groups n WHERE n.group_id = a.group_id)"
    )
    .fetch_all(c)
    .await)?;
    let names = settings::names(found);
    let of_places = of_places.into_iter().map(|(plan, place)| (plan, DefaultsOf::Place(place)));
    let of_groups = of_groups.into_iter().map(|(plan, group)| (plan, DefaultsOf::Group(group)));
    let mut applies: HashMap<Uuid, HashSet<SettingsOf>> = HashMap::new();
    for (plan, of) in of_places.chain(of_groups) {
        applies.entry(plan).or_default().extend(names.get(&of).cloned());
    }
    for (id, name, JsonText(prices)) in newest {
        let applies_to = applies.remove(&id).unwrap_or_default();
        found.plans.insert(name, PlanState { id, prices, applies_to });
    }
    Ok(())
}

/// The rows of the site's workbook, in the order of rooms. Passwords and opening balances are not in it.
#[must_use]
pub fn rows(state: &SiteState) -> SiteRows {
    fn numbered<T>(values: Vec<T>) -> Vec<Row<T>> {
        (2..).zip(values).map(|(number, value)| Row { number, value }).collect()
    }
    let mut rooms: Vec<RoomName> = state.rooms.keys().cloned().collect();
    rooms.sort();
    let mut gateways: Vec<GatewayRow> = state.gateways.values().map(|(_, row)| row.clone()).collect();
    gateways.sort_by(|a, b| a.name.cmp(&b.name));
    let mut meters: Vec<MeterRow> = state.meters.values().map(|meter| meter.row.clone()).collect();
    meters.sort_by(|a, b| (&a.room, a.serial).cmp(&(&b.room, b.serial)));
    let mut prices: Vec<PriceRow> = Vec::new();
    for (plan, known) in &state.plans {
        let row = |of: &SettingsOf| PriceRow { plan: plan.clone(), of: of.clone(), prices: known.prices.clone() };
        prices.extend(known.applies_to.iter().map(row));
    }
    prices.sort_by(|a, b| (&a.plan, &a.of).cmp(&(&b.plan, &b.of)));
    let mut accounts: Vec<AccountRow> = Vec::new();
    for (room, account) in &state.accounts {
        let row = |(login, resident): (&String, &String)| AccountRow {
            room: room.clone(),
            resident: resident.clone(),
            login: login.clone(),
            password: None,
            opening: Fen::ZERO,
        };
        accounts.extend(account.residents.iter().map(row));
    }
    accounts.sort_by(|a, b| (&a.room, &a.login).cmp(&(&b.room, &b.login)));
    let rows = state.instruments.values().flat_map(|instrument| instrument.rows.values());
    let mut instruments: Vec<InstrumentRow> = rows.cloned().collect();
    instruments.sort_by(|a, b| (&a.device.number, a.position).cmp(&(&b.device.number, b.position)));
    let row = |(of, hours): (&SettingsOf, &FriendlyHours)| FriendlyRow { of: of.clone(), hours: hours.clone() };
    let mut friendly: Vec<FriendlyRow> = state.friendly_hours.iter().map(row).collect();
    friendly.sort_by(|a, b| a.of.cmp(&b.of));
    let row = |(of, contact): (&SettingsOf, &PlaceContact)| ContactRow { of: of.clone(), contact: contact.clone() };
    let mut contacts: Vec<ContactRow> = state.contacts.iter().map(row).collect();
    contacts.sort_by(|a, b| a.of.cmp(&b.of));
    let row = |(place, values): (&Option<PlaceName>, &DefaultValues)| DefaultsRow { place: place.clone(), values: *values };
    let mut defaults: Vec<DefaultsRow> = state.defaults.iter().map(row).collect();
    defaults.sort_by(|a, b| a.place.cmp(&b.place));
    let names = settings::names(state);
    let mut groups: Vec<GroupRow> = Vec::new();
    for group in state.groups.keys() {
        let places = state.group_places.get(group).into_iter().flatten();
        let members = places.filter_map(|place| names.get(&DefaultsOf::Place(*place)).cloned());
        // A group of the whole site has no row for that.
        let mut members: Vec<Option<SettingsOf>> = members.filter(|of| *of != SettingsOf::Site).map(Some).collect();
        if members.is_empty() {
            members.push(None);
        }
        groups.extend(members.into_iter().map(|member| GroupRow { group: group.clone(), member }));
    }
    groups.sort();
    SiteRows {
        rooms: numbered(rooms),
        gateways: numbered(gateways),
        meters: numbered(meters),
        prices: numbered(prices),
        accounts: numbered(accounts),
        instruments: numbered(instruments),
        friendly_hours: numbered(friendly),
        contacts: numbered(contacts),
        defaults: numbered(defaults),
        groups: numbered(groups),
    }
}
