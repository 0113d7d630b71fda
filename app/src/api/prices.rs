//! Price plans: what energy costs, by place.

use async_trait::async_trait;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::form::parse;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::approval::Outcome;
use model::console::{DayCost, PlanPage, PlanVersion, PriceMeters, PriceNow, PriceTrial};
use model::error::AppError;
use model::ids::{MeterId, PlaceId, Uuid};
use model::money::Money;
use model::parameters::TierPeriod;
use model::tariff::{NewVersion, Prices, Tiers, parse_plan, parse_price};
use model::time::{Civil, Date, Timestamp};

#[async_trait]
pub trait PricesPort: Send + Sync {
    async fn prices(&self, who: &Who) -> Result<PricesView, AppError>;
    /// Publishes a version of a plan, from an instant or from now on.
    async fn publish_prices(&self, who: &Who, plan: &str, from: Option<Timestamp>, prices: Prices) -> Result<Outcome, AppError>;
    /// Gives a place a plan, from now on.
    async fn assign_prices(&self, who: &Who, place: PlaceId, plan: Uuid) -> Result<Outcome, AppError>;
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
    /// The places that have this plan, and since when.
    pub places: Vec<(String, Timestamp)>,
}

/// All plans, and where they apply.
#[derive(Clone, Debug, PartialEq)]
pub struct PricesView {
    pub plans: Vec<Plan>,
    /// Places that a plan can be given to, with their full names.
    pub places: Vec<(PlaceId, String)>,
    /// Plans are for all buildings, so that an operator of some buildings may not publish.
    pub may_publish: bool,
    pub now: Timestamp,
}

/// The form of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PriceForm {
    pub plan: String,
    /// `2026-12-01T00:00` in Shanghai; empty for at once.
    pub from: String,
    /// Yuan/kWh of rates 1-4.
    pub spike: String,
    pub peak: String,
    pub flat: String,
    pub valley: String,
    /// `none`, `month`, `year`.
    pub period: String,
    /// kWh at which tier 2 begins.
    pub second: String,
    /// kWh at which tier 3 begins.
    pub third: String,
    /// Yuan/kWh over tier 1.
    pub over2: String,
    pub over3: String,
    /// `00:00=4 07:00=2`.
    pub table1: String,
    pub table2: String,
    /// `01-01=1 07-01=2`.
    pub days: String,
}

impl From<&NewVersion> for PriceForm {
    fn from(new: &NewVersion) -> Self {
        let yuan = |e4: u32| Money(e4.into()).to_string();
        let kwh = |wh: i64| format!("{}.{:03}", wh / 1_000, wh % 1_000);
        let Prices { rates, tiers, tables, plan } = &new.prices;
        let [spike, peak, flat, valley] = rates.map(yuan);
        let [second, third] = tiers.thresholds.map(kwh);
        let [over2, over3] = tiers.surcharges.map(yuan);
        let [table1, table2] = tables.each_ref().map(ToString::to_string);
        let period = match tiers.period {
            TierPeriod::None => "none",
            TierPeriod::Month => "month",
            TierPeriod::Year => "year",
        };
        Self {
            plan: new.plan.clone(),
            from: new.from.map(|at| format!("{}T{}", at.date(), at.clock())).unwrap_or_default(),
            spike,
            peak,
            flat,
            valley,
            period: period.to_owned(),
            second,
            third,
            over2,
            over3,
            table1,
            table2,
            days: plan.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        }
    }
}

impl PriceForm {
    /// The fields as a plain form posts them.
    #[must_use]
    pub fn fields(self) -> [(&'static str, String); 14] {
        [
            ("form[plan]", self.plan),
            ("form[from]", self.from),
            ("form[spike]", self.spike),
            ("form[peak]", self.peak),
            ("form[flat]", self.flat),
            ("form[valley]", self.valley),
            ("form[period]", self.period),
            ("form[second]", self.second),
            ("form[third]", self.third),
            ("form[over2]", self.over2),
            ("form[over3]", self.over3),
            ("form[table1]", self.table1),
            ("form[table2]", self.table2),
            ("form[days]", self.days),
        ]
    }

    /// The prices, and the instant from which they apply.
    ///
    /// # Errors
    /// [`AppError::Invalid`] where a field is not of its form; [`AppError::InvalidAmount`] where a price is none.
    pub fn parse(&self) -> Result<(Prices, Option<Timestamp>), AppError> {
        let price = |text: &str| parse_price(text).ok_or(AppError::InvalidAmount);
        let or_zero = |text: &str| if text.trim().is_empty() { Ok(0) } else { price(text) };
        let kwh = |text: &str| or_zero(text).map(|e4| i64::from(e4) / 10);
        let period = match self.period.as_str() {
            "month" => TierPeriod::Month,
            "year" => TierPeriod::Year,
            _ => TierPeriod::None,
        };
        let tiers = Tiers {
            period,
            thresholds: [kwh(&self.second)?, kwh(&self.third)?],
            surcharges: [or_zero(&self.over2)?, or_zero(&self.over3)?],
        };
        let table = |text: &str| text.parse().map_err(|_| AppError::Invalid);
        let prices = Prices {
            rates: [price(&self.spike)?, price(&self.peak)?, price(&self.flat)?, price(&self.valley)?],
            tiers,
            tables: [table(&self.table1)?, table(&self.table2)?],
            plan: parse_plan(&self.days).map_err(|_| AppError::Invalid)?,
        };
        prices.validate().map_err(|_| AppError::Invalid)?;
        let from = self.from.trim();
        let from = if from.is_empty() { None } else { Some(instant(from).ok_or(AppError::Invalid)?) };
        Ok((prices, from))
    }
}

/// Parses `2026-12-01T00:00`, Shanghai time.
fn instant(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let (hour, rest) = time.split_once(':')?;
    let minute = rest.split(':').next()?.parse().ok()?;
    let (year, month, day) = (date.next()?.parse().ok()?, date.next()?.parse().ok()?, date.next()?.parse().ok()?);
    Civil { year, month, day, hour: hour.parse().ok()?, minute, second: 0 }.timestamp()
}

/// Publishes a version; a new name makes a new plan.
#[server(name = PublishPrices, prefix = "/api", endpoint = "operator/publish-prices")]
pub async fn publish_prices(form: PriceForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let (prices, from) = form.parse()?;
        ports.prices.publish_prices(&who, &form.plan, from, prices).await
    };
    answer(done.await.map(|outcome| outcome.page(&link::with("/prices", "done", "published"))), "/prices/new")
}

/// Gives a place a plan, from now on.
#[server(name = AssignPrices, prefix = "/api", endpoint = "operator/assign-prices")]
pub async fn assign_prices(place: String, plan: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.prices.assign_prices(&who, parse(&place)?, parse(&plan)?).await };
    answer(done.await.map(|outcome| outcome.page(&link::with("/prices", "done", "assigned"))), "/prices")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> PriceForm {
        let price = || "0.54".to_owned();
        PriceForm { spike: price(), peak: price(), flat: price(), valley: price(), ..PriceForm::default() }
    }

    #[test]
    fn a_previewed_version_is_posted_unchanged() {
        let tiers = Tiers { period: TierPeriod::Year, thresholds: [240_010, 400_000], surcharges: [500, 3_001] };
        let tables = ["00:00=4 07:30=2", ""].map(|text| text.parse().unwrap());
        let prices = Prices { rates: [12_000, 9_000, 6_001, 3_000], tiers, tables, plan: parse_plan("01-01=1").unwrap() };
        let from = Civil { year: 2026, month: 12, day: 1, hour: 8, minute: 30, second: 0 }.timestamp();
        let new = NewVersion { plan: "rooms".into(), from, prices };
        let form = PriceForm::from(&new);
        assert_eq!((form.plan.as_str(), form.parse()), ("rooms", Ok((new.prices.clone(), from))));
        let fields = form.fields();
        assert!(fields.iter().any(|(name, value)| *name == "form[second]" && value == "240.010"), "{fields:?}");
    }

    #[test]
    fn price_form_is_parsed_or_refused() {
        assert_eq!(form().parse(), Ok((Prices::flat(5_400), None)));
        let stepped = PriceForm {
            from: "2026-12-01T00:00".into(),
            period: "month".into(),
            second: "240".into(),
            third: "400".into(),
            over2: "0.05".into(),
            over3: "0.3".into(),
            ..form()
        };
        let (prices, from) = stepped.parse().unwrap();
        assert_eq!(prices.tiers.thresholds, [240_000, 400_000]);
        assert_eq!(prices.tiers.surcharges, [500, 3_000]);
        assert_eq!(from.unwrap().to_string(), "2026-12-01 00:00:00");
        for (broken, error) in [
            (PriceForm { flat: "".into(), ..form() }, AppError::InvalidAmount),
            (PriceForm { flat: "0.54001".into(), ..form() }, AppError::InvalidAmount),
            (PriceForm { table1: "7".into(), ..form() }, AppError::Invalid),
            (PriceForm { from: "tomorrow".into(), ..form() }, AppError::Invalid),
            (PriceForm { second: "400".into(), third: "240".into(), ..form() }, AppError::Invalid),
        ] {
            assert_eq!(broken.parse(), Err(error));
        }
    }
}
