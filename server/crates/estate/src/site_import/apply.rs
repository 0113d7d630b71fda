//! Does what a plan says.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use model::audit::AuditAction;
use model::console::RoomName;
use model::error::AppError;
use model::ids::{GatewayId, MeterId, PlaceId, UserId};
use model::order::Tender;
use model::person::Who;
use model::place::PlaceKind;
use model::site_workbook::Sheet;
use model::time::Timestamp;

use super::state;
use crate::gateways;
use crate::places::{self, NewPlace};
use domain::order::Limits;
use domain::rng::Rng;
use domain::serial::Serial;
use domain::site_plan::{AccountRow, Conflict, NewAccount, PriceChanges, SitePlan, SiteRows, SiteState, plan};
use store::accounts::{self, NewResident, OpenAccount};
use store::approvals;
use store::audit::{self, Entry};
use store::bulk::Bulk;
use store::meters;
use store::orders::{self, NewOrder};
use store::prices::{self, Publication};
use store::{Db, Result, StoreError, Tx, on};

static METERS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new("INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, wallet, created_at)", 8, "")
});
static PLACES: LazyLock<Bulk> = LazyLock::new(|| Bulk::new("INSERT INTO places (id, parent_id, kind, name, sort)", 5, ""));

/// How an import reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportWay {
    /// Prices wait for another person there, where there is one.
    Page,
    /// Whoever has the machine decides alone.
    CommandLine,
}

/// What is imported, and in whose name.
pub struct Import<'a> {
    pub rows: &'a SiteRows,
    /// The name of the site's root, where there is none yet.
    pub site: &'a str,
    /// Argon2id hashes of the first passwords, by login name; without one a resident cannot log in yet.
    pub password_hashes: &'a HashMap<String, String>,
    pub who: &'a Who,
    pub way: ImportWay,
    pub limits: &'a Limits,
    /// Hears which sheet is stored next.
    pub progress: &'a (dyn Fn(Sheet) + Sync),
}

/// What importing these rows would do.
///
/// # Errors
/// As [`apply`].
pub async fn dry_run(
    db: &Db,
    at: Timestamp,
    rows: &SiteRows,
    (way, who): (ImportWay, UserId),
) -> Result<std::result::Result<SitePlan, Vec<Conflict>>> {
    let mut tx = db.begin_reading().await?;
    let changes = price_changes(&mut tx, at, way, who).await?;
    Ok(plan(rows, &state(&mut tx).await?, changes))
}

async fn price_changes(tx: &mut Tx, at: Timestamp, way: ImportWay, who: UserId) -> Result<PriceChanges> {
    let waits = way == ImportWay::Page && approvals::waits_for_another_within(tx, at, who).await?;
    Ok(if waits { PriceChanges::NeedApproval } else { PriceChanges::Allowed })
}

/// Imports in one transaction, by a plan made in it, so that nothing changes between plan and deed.
///
/// # Errors
/// Where the database fails. What conflicts with the site is the inner error; in both cases nothing was changed.
pub async fn apply(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    import: &Import<'_>,
) -> Result<std::result::Result<SitePlan, Vec<Conflict>>> {
    let mut tx = db.begin().await?;
    // Before the meters: none is placed behind a gateway that is being retired.
    gateways::lock_all(&mut tx).await?;
    let mut site = state(&mut tx).await?;
    let changes = price_changes(&mut tx, at, import.way, import.who.user).await?;
    let mut planned = plan(import.rows, &site, changes);
    // On PostgreSQL an account may have been opened meanwhile on a meter that changes.
    let changing: BTreeSet<MeterId> = planned.iter().flat_map(|plan| plan.changed_meters.iter().map(|(id, _)| *id)).collect();
    if !changing.is_empty() {
        for meter in changing {
            meters::lock(&mut tx, meter).await?;
        }
        site = state(&mut tx).await?;
        planned = plan(import.rows, &site, changes);
    }
    let planned = match planned {
        Ok(planned) => planned,
        Err(conflicts) => return Ok(Err(conflicts)),
    };
    let mut job = Job { tx: &mut tx, rng, at, import, site: &mut site, meters: HashMap::new() };
    (import.progress)(Sheet::Rooms);
    job.places(&planned).await?;
    (import.progress)(Sheet::Gateways);
    job.gateways(&planned).await?;
    (import.progress)(Sheet::Meters);
    job.meters(&planned).await?;
    (import.progress)(Sheet::Prices);
    job.prices(&planned).await?;
    (import.progress)(Sheet::Accounts);
    job.accounts(&planned).await?;
    job.record(&planned).await?;
    tx.commit().await?;
    Ok(Ok(planned))
}

struct Job<'a> {
    tx: &'a mut Tx,
    rng: &'a Rng,
    at: Timestamp,
    import: &'a Import<'a>,
    /// What the site has; grows with what is added.
    site: &'a mut SiteState,
    /// Meters that were added.
    meters: HashMap<Serial, MeterId>,
}

type Place = (PlaceId, PlaceId, PlaceKind, String, i64);

impl Job<'_> {
    async fn places(&mut self, planned: &SitePlan) -> Result<()> {
        let root = match self.site.site {
            Some(root) => root,
            None => {
                let id = PlaceId(self.rng.id(self.at));
                let new = NewPlace { id, parent: None, kind: PlaceKind::Site, name: self.import.site, sort: 1 };
                places::add(self.tx, &new).await?;
                self.site.site = Some(id);
                id
            }
        };
        let mut sort = i64::try_from(self.site.buildings.len() + self.site.floors.len() + self.site.rooms.len()).unwrap_or(0);
        let mut rows: Vec<Place> = Vec::new();
        for name in &planned.buildings {
            let id = PlaceId(self.rng.id(self.at));
            sort += 1;
            rows.push((id, root, PlaceKind::Building, name.clone(), sort));
            self.site.buildings.insert(name.clone(), id);
        }
        for floor in &planned.floors {
            let id = PlaceId(self.rng.id(self.at));
            sort += 1;
            rows.push((id, self.building(&floor.0)?, PlaceKind::Unit, floor.1.clone(), sort));
            self.site.floors.insert(floor.clone(), id);
        }
        for room in &planned.rooms {
            let id = PlaceId(self.rng.id(self.at));
            sort += 1;
            let above = if room.floor.is_empty() {
                self.building(&room.building)?
            } else {
                let floor = self.site.floors.get(&(room.building.clone(), room.floor.clone()));
                *floor.ok_or(StoreError::Inconsistent { table: "places", column: "parent_id" })?
            };
            rows.push((id, above, PlaceKind::Room, room.room.clone(), sort));
            self.site.rooms.insert(room.clone(), id);
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
        Ok(())
    }

    fn building(&self, name: &str) -> Result<PlaceId> {
        self.site.buildings.get(name).copied().ok_or(StoreError::Inconsistent { table: "places", column: "parent_id" })
    }

    fn room(&self, room: &RoomName) -> Result<PlaceId> {
        self.site.rooms.get(room).copied().ok_or(StoreError::Inconsistent { table: "meters", column: "place_id" })
    }

    fn gateway(&self, name: &str) -> Result<GatewayId> {
        let known = self.site.gateways.get(name).map(|(id, _)| *id);
        known.ok_or(StoreError::Inconsistent { table: "meters", column: "gateway_id" })
    }

    async fn gateways(&mut self, planned: &SitePlan) -> Result<()> {
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
            self.site.gateways.insert(row.name.clone(), (id, row.clone()));
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

    async fn meters(&mut self, planned: &SitePlan) -> Result<()> {
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
            self.meters.insert(row.serial, id);
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
        Ok(())
    }

    async fn prices(&mut self, planned: &SitePlan) -> Result<()> {
        let mut plans: HashMap<&str, uuid::Uuid> = self.site.plans.iter().map(|(name, plan)| (name.as_str(), plan.id)).collect();
        for (name, next) in &planned.prices {
            let new = Publication { plan: name.clone(), effective_at: None, prices: next.clone() };
            let id = prices::publish_within(self.tx, self.rng, self.at, Some(self.import.who), &new).await?;
            plans.insert(name, id);
        }
        for (name, building) in &planned.assignments {
            let place = match building {
                Some(building) => self.building(building)?,
                None => self.site.site.ok_or(StoreError::Inconsistent { table: "places", column: "parent_id" })?,
            };
            let plan = *plans.get(name.as_str()).ok_or(AppError::NotFound)?;
            prices::assign_within(self.tx, self.at, Some(self.import.who), place, plan).await?;
        }
        Ok(())
    }

    async fn accounts(&mut self, planned: &SitePlan) -> Result<()> {
        for new in &planned.new_accounts {
            self.account(new).await?;
        }
        for (account, row) in &planned.joining {
            accounts::join(self.tx, self.rng, self.at, *account, &self.resident(row)).await?;
        }
        for (user, name) in &planned.renamed {
            on!(self.tx, |c| sqlx::query("UPDATE users SET name = $2 WHERE id = $1").bind(user).bind(name).execute(c).await)?;
        }
        Ok(())
    }

    async fn account(&mut self, new: &NewAccount) -> Result<()> {
        let (Some((first, also)), Some((resident, housemates))) = (new.meters.split_first(), new.residents.split_first()) else {
            return Err(AppError::Invalid.into());
        };
        let by = self.import.who.user;
        let (meter, ip) = (self.meter(*first)?, self.import.who.ip.clone());
        let open = OpenAccount {
            number: None,
            meter,
            also: also.iter().map(|serial| self.meter(*serial)).collect::<Result<_>>()?,
            resident: self.resident(resident),
            housemates: housemates.iter().map(|row| self.resident(row)).collect(),
            first: None,
            by,
            ip: ip.clone(),
        };
        let account = accounts::open_within(self.tx, self.rng, self.at, self.import.limits, &open).await?;
        if new.opening.0 > 0 {
            let (key, amount) = (self.rng.id(self.at), new.opening);
            let order = NewOrder { key, account, meter, tender: Tender::TakenOver, amount, by, ip };
            orders::carry(self.tx, self.rng, self.at, &order).await?.ok_or(AppError::AccountNotOpen)?;
        }
        Ok(())
    }

    fn meter(&self, serial: Serial) -> Result<MeterId> {
        let known = self.site.meters.get(&serial).map(|meter| meter.id);
        known.or_else(|| self.meters.get(&serial).copied()).ok_or_else(|| AppError::NotFound.into())
    }

    fn resident(&self, row: &AccountRow) -> NewResident {
        NewResident {
            name: row.resident.clone(),
            login: row.login.clone(),
            password_hash: self.import.password_hashes.get(&row.login).cloned().unwrap_or_default(),
        }
    }

    async fn record(&mut self, planned: &SitePlan) -> Result<()> {
        let user: UserId = self.import.who.user;
        let detail = serde_json::json!({ "counts": planned.counts }).to_string();
        let (actor, ip) = (format!("user:{user}"), self.import.who.ip.as_str());
        let entry = Entry { actor: &actor, ip, action: AuditAction::SiteImport, subject: "site", detail: &detail };
        audit::append(self.tx, self.at, &entry).await
    }
}
