//! Does what the plan of an import says.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use model::console::RoomName;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{AccountId, GatewayId, MeterId, PlaceGroupId, PlaceId};
use model::order::Tender;
use model::person::Who;
use model::place::PlaceKind;
use model::tariff::Prices;
use model::time::Timestamp;

use super::apply::Import;
use crate::places::{self, NewPlace};
use crate::{gateways, place_groups};
use domain::rng::Rng;
use domain::serial::{AccountNumber, Serial};
use domain::site_plan::{AccountRow, NewAccount, SitePlan, SiteState};
use store::accounts::{self, NewResident, OpenAccount};
use store::bulk::Bulk;
use store::orders::{self, NewOrder};
use store::prices::{self, Publication};
use store::{Result, StoreError, Tx, account_numbers, on, receipts};

static METERS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new("INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, wallet, created_at)", 8, "")
});
static PLACES: LazyLock<Bulk> = LazyLock::new(|| Bulk::new("INSERT INTO places (id, parent_id, kind, name, sort)", 5, ""));

pub struct Job<'a> {
    pub(super) tx: &'a mut Tx,
    pub(super) rng: &'a Rng,
    pub(super) at: Timestamp,
    import: &'a Import<'a>,
    site: &'a SiteState,
    added: Added<'a>,
    /// Accounts that were opened, whose receipts come at the end.
    opened: Vec<AccountId>,
}

/// Accounts whose rows are sealed together.
const SEALED_ACCOUNTS: usize = 200;

/// What was added to the site.
#[derive(Default)]
struct Added<'a> {
    site: Option<PlaceId>,
    buildings: HashMap<&'a str, PlaceId>,
    floors: HashMap<(&'a str, &'a str), PlaceId>,
    rooms: HashMap<&'a RoomName, PlaceId>,
    groups: HashMap<&'a str, PlaceGroupId>,
    gateways: HashMap<&'a str, GatewayId>,
    meters: HashMap<Serial, MeterId>,
}

type Place<'a> = (PlaceId, PlaceId, PlaceKind, &'a str, i64);

impl<'a> Job<'a> {
    pub fn new(tx: &'a mut Tx, (rng, at): (&'a Rng, Timestamp), import: &'a Import<'a>, site: &'a SiteState) -> Self {
        Self { tx, rng, at, import, site, added: Added::default(), opened: Vec::new() }
    }

    pub async fn places(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        let root = match self.site.site {
            Some(root) => root,
            None => {
                let id = PlaceId(self.rng.id(self.at));
                let new = NewPlace { id, parent: None, kind: PlaceKind::Site, name: self.import.site, sort: 1 };
                places::add(self.tx, &new).await?;
                self.added.site = Some(id);
                id
            }
        };
        let mut sort = i64::try_from(self.site.buildings.len() + self.site.floors.len() + self.site.rooms.len()).unwrap_or(0);
        let mut rows: Vec<Place<'a>> = Vec::with_capacity(planned.rooms.len());
        for name in &planned.buildings {
            let id = PlaceId(self.rng.id(self.at));
            sort += 1;
            rows.push((id, root, PlaceKind::Building, name, sort));
            self.added.buildings.insert(name, id);
        }
        for (building, floor) in &planned.floors {
            let id = PlaceId(self.rng.id(self.at));
            sort += 1;
            rows.push((id, self.building(building)?, PlaceKind::Unit, floor, sort));
            self.added.floors.insert((building, floor), id);
        }
        for room in &planned.rooms {
            let id = PlaceId(self.rng.id(self.at));
            sort += 1;
            let above =
                if room.floor.is_empty() { self.building(&room.building)? } else { self.floor(&room.building, &room.floor)? };
            rows.push((id, above, PlaceKind::Room, &room.room, sort));
            self.added.rooms.insert(room, id);
        }
        for (text, rows) in PLACES.pieces(self.tx, &rows) {
            on!(self.tx, |c| {
                let mut query = sqlx::query(text);
                for (id, parent, kind, name, sort) in rows {
                    query = query.bind(id).bind(parent).bind(kind).bind(name).bind(sort);
                }
                query.execute(c).await
            })?;
        }
        self.tx.seal_early().await
    }

    /// The operator in whose name the import runs.
    pub(super) const fn who(&self) -> &'a Who {
        self.import.who
    }

    /// The site's root.
    pub(super) fn site(&self) -> Option<PlaceId> {
        self.site.site.or(self.added.site)
    }

    pub(super) fn floor(&self, building: &str, floor: &str) -> Result<PlaceId> {
        let known = || self.site.floors.get(&(building.to_owned(), floor.to_owned()));
        let found = self.added.floors.get(&(building, floor)).or_else(known);
        found.copied().ok_or(StoreError::Inconsistent { table: "places", column: "parent_id" })
    }

    pub(super) fn building(&self, name: &str) -> Result<PlaceId> {
        let found = self.added.buildings.get(name).or_else(|| self.site.buildings.get(name));
        found.copied().ok_or(StoreError::Inconsistent { table: "places", column: "parent_id" })
    }

    pub(super) fn group(&self, name: &str) -> Result<PlaceGroupId> {
        let found = self.added.groups.get(name).or_else(|| self.site.groups.get(name));
        found.copied().ok_or_else(|| AppError::NotFound.into())
    }

    pub(super) fn room(&self, room: &RoomName) -> Result<PlaceId> {
        let found = self.added.rooms.get(room).or_else(|| self.site.rooms.get(room));
        found.copied().ok_or(StoreError::Inconsistent { table: "meters", column: "place_id" })
    }

    pub(super) fn gateway(&self, name: &str) -> Result<GatewayId> {
        let known = self.site.gateways.get(name).map(|(id, _)| *id);
        known
            .or_else(|| self.added.gateways.get(name).copied())
            .ok_or(StoreError::Inconsistent { table: "meters", column: "gateway_id" })
    }

    /// Creates the planned groups and adds their places. The order of alarms is checked later, with all imported parameters.
    pub async fn groups(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        for name in &planned.groups {
            let id = place_groups::create_within(self.tx, self.rng, self.at, self.import.who, name).await?;
            self.added.groups.insert(name, id);
        }
        let mut places: BTreeMap<&str, Vec<PlaceId>> = BTreeMap::new();
        for (group, member) in &planned.members {
            if let DefaultsOf::Place(place) = self.settings_of(member)? {
                places.entry(group).or_default().push(place);
            }
        }
        for (group, places) in places {
            let id = self.group(group)?;
            place_groups::change_within(self.tx, self.at, id, &places, &[]).await?;
        }
        Ok(())
    }

    pub async fn gateways(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        for row in &planned.new_gateways {
            let id = GatewayId(self.rng.id(self.at));
            let columns = gateways::reach_columns(&row.reach);
            on!(self.tx, |c| sqlx::query(
                "INSERT INTO gateways (id, name, host, port, registration, heartbeat, heartbeat_answer, framing,
                                       sweep_interval_s, tls_name, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            )
            .bind(id)
            .bind(&row.name)
            .bind(&columns.host)
            .bind(columns.port)
            .bind(&columns.registration)
            .bind(&columns.heartbeat)
            .bind(&columns.heartbeat_answer)
            .bind(row.framing)
            .bind(row.interval_s)
            .bind(&row.tls_name)
            .bind(self.at)
            .execute(c)
            .await)?;
            self.added.gateways.insert(&row.name, id);
        }
        for (id, row) in &planned.changed_gateways {
            let columns = gateways::reach_columns(&row.reach);
            on!(self.tx, |c| sqlx::query(
                "UPDATE gateways SET host = $2, port = $3, registration = $4, heartbeat = $5, heartbeat_answer = $6,
                                     framing = $7, sweep_interval_s = $8, tls_name = $9
                 WHERE id = $1"
            )
            .bind(id)
            .bind(&columns.host)
            .bind(columns.port)
            .bind(&columns.registration)
            .bind(&columns.heartbeat)
            .bind(&columns.heartbeat_answer)
            .bind(row.framing)
            .bind(row.interval_s)
            .bind(&row.tls_name)
            .execute(c)
            .await)?;
        }
        Ok(())
    }

    pub async fn meters(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        // Two meters may exchange their addresses: while it is changed, none is in service.
        for (id, _) in &planned.changed_meters {
            on!(self.tx, |c| sqlx::query("UPDATE meters SET retired_at = $2 WHERE id = $1")
                .bind(id)
                .bind(self.at)
                .execute(c)
                .await)?;
        }
        for (id, row) in &planned.changed_meters {
            let (place, gateway) = (self.room(&row.room)?, self.gateway(&row.gateway)?);
            on!(self.tx, |c| sqlx::query(
                "UPDATE meters SET place_id = $2, gateway_id = $3, unit = $4, profile = $5, wallet = $6, retired_at = NULL
                 WHERE id = $1"
            )
            .bind(id)
            .bind(place)
            .bind(gateway)
            .bind(i64::from(row.unit))
            .bind(&row.profile)
            .bind(row.wallet)
            .execute(c)
            .await)?;
        }
        let mut rows = Vec::with_capacity(planned.new_meters.len());
        for row in &planned.new_meters {
            let id = MeterId(self.rng.id(self.at));
            self.added.meters.insert(row.serial, id);
            rows.push((id, self.room(&row.room)?, self.gateway(&row.gateway)?, row.serial.to_string(), row));
        }
        let at = self.at;
        for (text, rows) in METERS.pieces(self.tx, &rows) {
            on!(self.tx, |c| {
                let mut query = sqlx::query(text);
                for (id, place, gateway, serial, row) in rows {
                    query = query.bind(id).bind(place).bind(gateway).bind(i64::from(row.unit)).bind(serial);
                    query = query.bind(&row.profile).bind(row.wallet).bind(at);
                }
                query.execute(c).await
            })?;
        }
        self.tx.seal_early().await
    }

    pub async fn prices(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        let mut plans: HashMap<&str, uuid::Uuid> = self.site.plans.iter().map(|(name, plan)| (name.as_str(), plan.id)).collect();
        for (name, next) in &planned.prices {
            let new = Publication { plan: (*name).to_owned(), effective_at: None, prices: Prices::clone(next) };
            let id = prices::publish_within(self.tx, self.rng, self.at, Some(self.import.who), &new).await?;
            plans.insert(name, id);
        }
        for (name, of) in &planned.assignments {
            let (of, plan) = (self.settings_of(of)?, *plans.get(name).ok_or(AppError::NotFound)?);
            let who = Some(self.import.who);
            match of {
                DefaultsOf::Place(place) => prices::assign_within(self.tx, self.at, who, place, plan).await?,
                DefaultsOf::Group(group) => prices::assign_group_within(self.tx, self.at, who, group, Some(plan)).await?,
            }
        }
        Ok(())
    }

    pub async fn accounts(&mut self, planned: &SitePlan<'a>) -> Result<()> {
        let count = planned.new_accounts.len();
        let mut numbers = account_numbers::take_many(self.tx, self.rng, self.at, count).await?.into_iter();
        for accounts in planned.new_accounts.chunks(SEALED_ACCOUNTS) {
            for (new, number) in accounts.iter().zip(&mut numbers) {
                self.account(new, number).await?;
            }
            self.tx.seal_early().await?;
        }
        for (account, row) in &planned.joining {
            accounts::join(self.tx, self.rng, self.at, *account, &self.resident(row)).await?;
        }
        for (user, name) in &planned.renamed {
            on!(self.tx, |c| sqlx::query("UPDATE users SET name = $2 WHERE id = $1").bind(user).bind(name).execute(c).await)?;
        }
        receipts::issue_openings(self.tx, self.at, self.import.who.user, &self.opened).await
    }

    async fn account(&mut self, new: &NewAccount<'_>, number: AccountNumber) -> Result<()> {
        let (Some((first, also)), Some((resident, housemates))) = (new.meters.split_first(), new.residents.split_first()) else {
            return Err(AppError::Invalid.into());
        };
        let by = self.import.who.user;
        let (meter, ip) = (self.meter(*first)?, self.import.who.ip.clone());
        let open = OpenAccount {
            number: Some(number.to_string()),
            meter,
            also: also.iter().map(|serial| self.meter(*serial)).collect::<Result<_>>()?,
            resident: self.resident(resident.value),
            housemates: housemates.iter().map(|row| self.resident(row.value)).collect(),
            first: None,
            by,
            ip: ip.clone(),
        };
        let account = accounts::open_within(self.tx, self.rng, self.at, self.import.limits, &open).await?;
        self.opened.push(account);
        if new.opening.0 > 0 {
            let (key, amount) = (self.rng.id(self.at), new.opening);
            let order = NewOrder { key, account, meter, tender: Tender::TakenOver, amount, by, ip };
            orders::carry(self.tx, self.rng, self.at, &order).await?.ok_or(AppError::AccountNotOpen)?;
        }
        Ok(())
    }

    fn meter(&self, serial: Serial) -> Result<MeterId> {
        let known = self.site.meters.get(&serial).map(|meter| meter.id);
        known.or_else(|| self.added.meters.get(&serial).copied()).ok_or_else(|| AppError::NotFound.into())
    }

    fn resident(&self, row: &AccountRow) -> NewResident {
        NewResident {
            name: row.resident.clone(),
            login: row.login.clone(),
            password_hash: self.import.password_hashes.get(&row.login).cloned().unwrap_or_default(),
        }
    }
}
