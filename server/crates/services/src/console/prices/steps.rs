//! What a kWh costs now and why.

use model::console::{DayCost, LastCharge, OwnPrices, PlanInForce, PriceNow};
use model::defaults::DefaultsOf;
use model::energy::Energy;
use model::error::AppError;
use model::ids::MeterId;
use model::meter::Wallet;
use model::money::Money;
use model::parameters::Parameters;
use model::person::Who;
use model::tariff::{Prices, in_force};
use model::time::{Date, Timestamp};

use super::super::ConsoleService;
use crate::day_cost::{self, DayOf};
use domain::price_steps::{of_meter, period_start, steps};
use domain::price_year::changes;
use domain::tariff::period_of;
use queries::PlanPlaces;
use store::{meters, parameters, prices, wallets};

/// A plan that applies to a meter, and its prices.
struct Applies {
    plan: PlanInForce,
    prices: Prices,
}

impl ConsoleService {
    pub(super) async fn price_of(&self, who: &Who, meter: MeterId) -> Result<PriceNow, AppError> {
        let room = self.context.room(who, meter).await?;
        let (db, at) = (&self.context.db, self.context.now());
        let applies = self.applies(who, meter, at).await?;
        let latest = self.context.latest(meter);
        let (steps, own) = match room.wallet {
            Wallet::Meter => match parameters::find(db, meter).await? {
                Some((known, read_at)) => {
                    let prices = of_meter(&known, at);
                    // What the meter counted in an earlier period is over by now.
                    let period = period_start(prices.tiers.period, at.date());
                    let counts = latest.observed_at.is_some_and(|seen| period.is_none_or(|first| seen.date() >= first));
                    let used = latest.tier.filter(|_| counts).unwrap_or(Energy::ZERO);
                    let shown = latest.rate.zip(latest.observed_at);
                    let own = own(&known, read_at, shown, applies.as_ref(), at);
                    (Some(steps(&prices, at, used)), Some(own))
                }
                None => (None, None),
            },
            Wallet::Server => {
                let used = match wallets::view(db, meter).await? {
                    Some(view) => applies.as_ref().map(|one| used_now(&one.prices, view.tier_period, view.tier_wh, at)),
                    None => None,
                };
                (applies.as_ref().map(|one| steps(&one.prices, at, used.unwrap_or(Energy::ZERO))), None)
            }
            Wallet::None => (applies.as_ref().map(|one| steps(&one.prices, at, Energy::ZERO)), None),
        };
        let last = match room.wallet {
            Wallet::Server => wallets::last_charge(db, meter).await?,
            _ => None,
        };
        let last = last.map(|(at, line)| LastCharge { at, rate: line.rate, tier: line.tier, price: Money(line.price_e4) });
        let plan = applies.map(|one| one.plan);
        Ok(PriceNow { meter, room: room.name(), wallet: room.wallet, at, steps, plan, own, last })
    }

    /// The plan that applies to a meter, named as far as the operator may see the place.
    async fn applies(&self, who: &Who, meter: MeterId, at: Timestamp) -> Result<Option<Applies>, AppError> {
        let db = &self.context.db;
        let place = meters::find(db, meter).await?.ok_or(AppError::NotFound)?.place_id;
        let given = PlanPlaces::places(db).await?;
        let Some((plan, decides, from)) = given.plan_at(place, at) else { return Ok(None) };
        let rows = prices::versions_of(db, plan).await?;
        let Some((row, next)) = in_force(&rows, at, |row| row.effective_at) else { return Ok(None) };
        let (places, groups) = (queries::named_places(db, who.user).await?, queries::group_names(db).await?);
        let name = |of| super::name_of(of, &places, &groups).map(str::to_owned);
        let given_to = (decides, name(decides).unwrap_or_default());
        let yielding = given.yielding_groups(place, at).into_iter().filter_map(|group| name(DefaultsOf::Group(group)));
        let plan = PlanInForce {
            plan,
            name: row.plan.clone(),
            number: row.number,
            since: row.effective_at.max(from),
            given_to,
            yielding: yielding.collect(),
            next: next.map(|one| (one.number, one.effective_at)),
        };
        Ok(Some(Applies { plan, prices: row.prices().clone() }))
    }

    pub(super) async fn cost_of(&self, who: &Who, meter: MeterId, day: Date) -> Result<DayCost, AppError> {
        let room = self.context.room(who, meter).await?;
        let of = DayOf { meter, room: room.name(), wallet: room.wallet, day, since: None };
        day_cost::of(&self.context.db, self.context.now().date(), of).await
    }
}

/// What a server wallet has used in the present tier period.
fn used_now(prices: &Prices, period: i64, used: Energy, at: Timestamp) -> Energy {
    if period == period_of(prices.tiers.period, at.date()) { used } else { Energy::ZERO }
}

fn own(
    known: &Parameters,
    read_at: Timestamp,
    shown: Option<(u8, Timestamp)>,
    applies: Option<&Applies>,
    at: Timestamp,
) -> OwnPrices {
    let standby = known.switch_over.filter(|switch| *switch > at).map(|switch| (known.standby, switch));
    let differs = applies.map(|one| changes(&of_meter(known, at), &one.prices)).unwrap_or_default();
    OwnPrices { read_at, shown, standby, differs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::parameters::TierPeriod;
    use model::tariff::Tiers;

    #[test]
    fn use_of_an_earlier_tier_period_is_over() {
        let day = Date::from_ymd(2026, 11, 30).unwrap();
        let tiers = Tiers { period: TierPeriod::Month, thresholds: [1_000, 9_000], surcharges: [500, 3_000] };
        let prices = Prices { tiers, ..Prices::flat(5_000) };
        assert_eq!(used_now(&prices, 202_611, Energy(5), day.start()), Energy(5));
        assert_eq!(used_now(&prices, 202_610, Energy(5), day.start()), Energy::ZERO, "the month before is over");
    }
}
