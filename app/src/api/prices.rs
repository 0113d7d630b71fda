//! Price plans: what energy costs, by place.

use std::collections::BTreeMap;

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::places::place_or_room;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, now, operator, ports};
use model::approval::Outcome;
use model::console::{DayCost, PlanPage, PlanVersion, PriceMeters, PriceNow, PriceTrial};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{MeterId, PlaceGroupId, PlaceId, Uuid};
use model::tariff::{NewVersion, Prices, parse_version};
use model::time::{Date, Timestamp};

#[async_trait]
pub trait PricesPort: Send + Sync {
    async fn prices(&self, who: &Who) -> Result<PricesView, AppError>;
    /// Publishes a version of a plan, from an instant or from now on.
    async fn publish_prices(&self, who: &Who, plan: &str, from: Option<Timestamp>, prices: Prices) -> Result<Outcome, AppError>;
    /// Gives a place or group a plan, from now on; `None` takes it from a group.
    async fn assign_prices(&self, who: &Who, of: DefaultsOf, plan: Option<Uuid>) -> Result<Outcome, AppError>;
    /// A plan with a year of its calendar; `None`: the present year.
    async fn price_plan(&self, who: &Who, plan: Uuid, year: Option<i64>) -> Result<PlanPage, AppError>;
    /// What a kWh costs at a meter now, step by step.
    async fn price_now(&self, who: &Who, meter: MeterId) -> Result<PriceNow, AppError>;
    /// Why a day cost what it did.
    async fn day_cost(&self, who: &Who, meter: MeterId, day: Date) -> Result<DayCost, AppError>;
    /// The meters with their own wallet to which a plan applies and that keep other values, by pages.
    async fn price_meters(&self, who: &Who, plan: Uuid, page: i64) -> Result<PriceMeters, AppError>;
    /// What a version would cost and change; publishes nothing.
    async fn try_prices(&self, who: &Who, new: &NewVersion) -> Result<PriceTrial, AppError>;
}

/// A plan with all of its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub id: Uuid,
    pub name: String,
    /// Newest first; at least one.
    pub versions: Vec<PlanVersion>,
    /// The places and groups that have this plan, with their names.
    pub places: Vec<(DefaultsOf, String)>,
    /// Whether places or groups have it that the operator may not see.
    pub is_elsewhere: bool,
}

/// All plans, and where they apply.
#[derive(Clone, Debug, PartialEq)]
pub struct PricesView {
    pub plans: Vec<Plan>,
    /// Places above rooms that a plan can be given to, with their full names.
    pub places: Vec<(PlaceId, String)>,
    /// Groups that a plan can be given to: none for an operator of some buildings, because groups may reach across buildings.
    pub groups: Vec<(PlaceGroupId, String)>,
    /// Plans are for all buildings, so that an operator of some buildings may not publish.
    pub may_publish: bool,
    pub now: Timestamp,
}

/// Publishes a version, from the fields that [`parse_version`] reads; a new name makes a new plan.
#[server(name = PublishPrices, prefix = "/api", endpoint = "operator/publish-prices")]
pub async fn publish_prices(form: BTreeMap<String, String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let preview = form.iter().fold("/prices/preview".to_owned(), |page, (name, value)| link::with(&page, name, value));
    let done = async {
        match parse_version(&|name| form.get(name).cloned().unwrap_or_default(), now()) {
            Ok(NewVersion { plan, from, prices }) => {
                let outcome = ports.prices.publish_prices(&who, &plan, from, prices).await?;
                Ok(outcome.page(&link::with("/prices?done=published", "plan", &plan)))
            }
            // The preview says what is wrong; the instant may have passed meanwhile.
            Err(_) => Ok(preview.clone()),
        }
    };
    answer(done.await, &preview)
}

/// Gives a place or group a plan, from now on; without a plan, takes it from a group.
#[server(name = AssignPrices, prefix = "/api", endpoint = "operator/assign-prices")]
pub async fn assign_prices(place: String, room: Option<String>, plan: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let is_room = room.as_deref().is_some_and(|room| !room.trim().is_empty());
        let of = match place.parse() {
            Ok(group @ DefaultsOf::Group(_)) if !is_room => group,
            _ => DefaultsOf::Place(place_or_room(&ports, &who, &place, room).await?),
        };
        let plan = if plan.is_empty() { None } else { Some(parse(&plan)?) };
        let outcome = ports.prices.assign_prices(&who, of, plan).await?;
        Ok(outcome.page(&link::with("/prices?done=assigned", "of", &of.to_string())))
    };
    answer(done.await, "/prices")
}
