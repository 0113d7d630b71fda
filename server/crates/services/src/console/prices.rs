//! Price plans, and what a server wallet was charged.

mod meters;
mod plan;
mod steps;

use app::api::prices::{Plan, PricesPort, PricesView};
use async_trait::async_trait;
use model::approval::{Decision, Outcome};
use model::console::{DayCost, PlanPage, PriceMeters, PriceNow, PriceTrial, WalletLimits, WalletView};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{AccountId, MeterId, PlaceGroupId, PlaceId, Uuid};
use model::person::Who;
use model::place::PlaceKind;
use model::tariff::{NewVersion, Prices};
use model::time::{Date, Timestamp};

use super::ConsoleService;
use crate::{Context, day_cost};
use domain::wall_layout::Scope;
pub(crate) use meters::{keep_plan, keeps_plan};
use queries::{PlanPlaces, PricedPlace};
use store::approvals::{self, NewRequest};
use store::prices::{self, Publication};
use store::wallets;

/// Days whose charges a room's page explains.
const DAYS: i64 = 14;

#[async_trait]
impl PricesPort for ConsoleService {
    async fn prices(&self, who: &Who) -> Result<PricesView, AppError> {
        let rows = prices::versions(&self.context.db).await?;
        let of_one = rows.chunk_by(|one, next| one.plan_id == next.plan_id);
        let plan = |rows: &[prices::VersionRow]| {
            let first = rows.first()?;
            let (id, name, versions) = (first.plan_id, first.plan.clone(), plan::versions(rows));
            Some(Plan { id, name, versions, places: Vec::new(), is_elsewhere: false })
        };
        let mut plans: Vec<Plan> = of_one.filter_map(plan).collect();
        let mut places = queries::named_places(&self.context.db, who.user).await?;
        let groups = self.priced_groups(who).await?;
        for (plan, of, _) in queries::assigned_plans(&self.context.db).await? {
            let Some(plan) = plans.iter_mut().find(|one| one.id == plan) else { continue };
            match name_of(of, &places, &groups) {
                Some(name) => plan.places.push((of, name.to_owned())),
                None => plan.is_elsewhere = true,
            }
        }
        let may_publish = queries::scope(&self.context.db, who.user).await? == Scope::All;
        places.retain(|place| may_publish || place.kind != PlaceKind::Site);
        let places = queries::above_rooms(places);
        Ok(PricesView { plans, places, groups, may_publish, now: self.context.now() })
    }

    async fn publish_prices(&self, who: &Who, plan: &str, from: Option<Timestamp>, prices: Prices) -> Result<Outcome, AppError> {
        // Plans are for all buildings.
        self.context.require_whole_site(who).await?;
        let plan = plan.trim().to_owned();
        let new = Publication { plan, effective_at: from, prices };
        prices::check(self.context.now(), &new)?;
        let Publication { plan, effective_at, prices } = new;
        self.decide(who, Decision::Prices { plan, effective_at, prices }).await
    }

    async fn assign_prices(&self, who: &Who, of: DefaultsOf, plan: Option<Uuid>) -> Result<Outcome, AppError> {
        let decision = match (of, plan) {
            (DefaultsOf::Place(place), Some(plan)) => {
                let places = queries::priced_places(&self.context.db, who.user).await?;
                if !places.iter().any(|one| one.id == place) {
                    return Err(AppError::NotFound);
                }
                Decision::PricePlace { place, plan }
            }
            // The plan of a place can only be replaced, not taken away.
            (DefaultsOf::Place(_), None) => return Err(AppError::Invalid),
            (DefaultsOf::Group(group), plan) => {
                // Groups reach across buildings.
                self.context.require_whole_site(who).await?;
                Decision::PriceGroup { group, plan }
            }
        };
        self.decide(who, decision).await
    }

    async fn price_plan(&self, who: &Who, plan: Uuid, year: Option<i64>) -> Result<PlanPage, AppError> {
        self.plan_page(who, plan, year).await
    }

    async fn price_now(&self, who: &Who, meter: MeterId) -> Result<PriceNow, AppError> {
        self.price_of(who, meter).await
    }

    async fn day_cost(&self, who: &Who, meter: MeterId, day: Date) -> Result<DayCost, AppError> {
        self.cost_of(who, meter, day).await
    }

    async fn price_meters(&self, who: &Who, plan: Uuid, page: i64) -> Result<PriceMeters, AppError> {
        self.meters_page(who, plan, page).await
    }

    async fn try_prices(&self, who: &Who, new: &NewVersion) -> Result<PriceTrial, AppError> {
        self.trial(who, new).await
    }
}

impl ConsoleService {
    /// The groups that the operator may give a plan to, by name: all or, as these reach across buildings, none.
    async fn priced_groups(&self, who: &Who) -> Result<Vec<(PlaceGroupId, String)>, AppError> {
        match queries::scope(&self.context.db, who.user).await? {
            Scope::All => Ok(queries::group_names(&self.context.db).await?),
            Scope::Buildings(_) => Ok(Vec::new()),
        }
    }

    /// The price plan that a place or group has itself, and since when.
    pub(super) async fn own_plan(&self, of: DefaultsOf) -> Result<Option<(String, Timestamp)>, AppError> {
        let assigned = queries::assigned_plans(&self.context.db).await?;
        let Some((plan, _, since)) = assigned.into_iter().find(|(_, one, _)| *one == of) else { return Ok(None) };
        let name = prices::names(&self.context.db).await?.into_iter().find(|(id, _)| *id == plan);
        Ok(name.map(|(_, name)| (name, since)))
    }

    /// The name of the price plan in force at a place, and the place or group that decides it.
    pub(super) async fn plan_at(&self, place: PlaceId) -> Result<Option<(String, DefaultsOf)>, AppError> {
        let db = &self.context.db;
        let Some((plan, decides, _)) = PlanPlaces::places(db).await?.plan_at(place, self.context.now()) else { return Ok(None) };
        let name = prices::names(db).await?.into_iter().find(|(id, _)| *id == plan);
        Ok(name.map(|(_, name)| (name, decides)))
    }

    async fn decide(&self, who: &Who, decision: Decision) -> Result<Outcome, AppError> {
        let new = NewRequest { decision, reason: String::new(), who: who.clone() };
        let Context { db, rng, .. } = &self.context;
        Ok(approvals::ask(db, rng, self.context.now(), &self.rules, &new, None).await?)
    }
}

/// The name of a place or group, if it is among these.
fn name_of<'a>(of: DefaultsOf, places: &'a [PricedPlace], groups: &'a [(PlaceGroupId, String)]) -> Option<&'a str> {
    match of {
        DefaultsOf::Place(place) => places.iter().find(|one| one.id == place).map(|one| one.name.as_str()),
        DefaultsOf::Group(group) => groups.iter().find(|(id, _)| *id == group).map(|(_, name)| name.as_str()),
    }
}

/// The server wallet of a room; `None` for a meter wallet.
pub(super) async fn wallet(
    context: &Context,
    meter: MeterId,
    account: Option<AccountId>,
) -> Result<Option<WalletView>, AppError> {
    let Some(view) = wallets::view(&context.db, meter).await? else { return Ok(None) };
    let first = context.now().date().plus(1 - DAYS);
    let lines = match account {
        Some(account) => wallets::day_charges(&context.db, account, meter, first).await?,
        None => Vec::new(),
    };
    let charges = lines.into_iter().map(day_cost::day_charge).collect();
    let limits = WalletLimits {
        alarm1: view.alarm1_fen,
        alarm2: view.alarm2_fen,
        overdraft: view.overdraft_fen,
        hoarding: view.hoarding_fen,
        overload_w: u16::try_from(view.overload_w).unwrap_or(u16::MAX),
        malignant_w: u16::try_from(view.malignant_w).unwrap_or(u16::MAX),
    };
    let (counted_at, tier, uncharged) = (view.counted_at, view.tier_wh, view.uncharged_wh);
    Ok(Some(WalletView { closed: view.closed, counted_at, tier, uncharged, limits, charges }))
}
