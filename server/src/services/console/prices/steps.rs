//! What a kWh costs now and why, and why a day cost what it did.

use model::console::{DayCharge, DayCost, LastCharge, OwnPrices, PlanInForce, PriceNow};
use model::energy::Energy;
use model::error::AppError;
use model::ids::MeterId;
use model::meter::Wallet;
use model::money::Money;
use model::parameters::Parameters;
use model::person::Who;
use model::tariff::{Prices, in_force};
use model::time::{Date, HOUR, Timestamp};

use super::super::ConsoleService;
use domain::day_cost::ledger_steps;
use domain::price_steps::{of_meter, period_start, steps, timeline_of_meter};
use domain::price_year::changes;
use domain::tariff::{Line, Passed, Position, Version, charge, period_of};
use queries::PlanPlaces;
use store::prices;
use store::{consumption, energy, meters, parameters, wallets};

/// Days that a page goes back.
const OLDEST: i64 = 800;

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
        let Some((plan, decides, from)) = PlanPlaces::places(db).await?.plan_at(place, at) else { return Ok(None) };
        let rows = prices::versions_of(db, plan).await?;
        let Some((row, next)) = in_force(&rows, at, |row| row.effective_at) else { return Ok(None) };
        let named = queries::priced_places(db, who.user).await?;
        let place = named.into_iter().find(|place| place.id == decides).map(|place| place.name).unwrap_or_default();
        let plan = PlanInForce {
            plan,
            name: row.plan.clone(),
            number: row.number,
            since: row.effective_at.max(from),
            place,
            next: next.map(|one| (one.number, one.effective_at)),
        };
        Ok(Some(Applies { plan, prices: row.prices().clone() }))
    }

    pub(super) async fn cost_of(&self, who: &Who, meter: MeterId, day: Date) -> Result<DayCost, AppError> {
        let room = self.context.room(who, meter).await?;
        let (db, today) = (&self.context.db, self.context.now().date());
        if day > today || day < today.plus(-OLDEST) {
            return Err(AppError::NotFound);
        }
        let used = energy::daily(db, meter, day, day).await?.first().map(|(_, energy)| *energy);
        let empty = DayCost {
            meter,
            room: room.name(),
            wallet: room.wallet,
            day,
            today,
            energy: used,
            lines: Vec::new(),
            cost_e7: 0,
            tier: None,
            ledger: None,
            took: None,
            posted: Vec::new(),
            read_at: None,
        };
        match room.wallet {
            Wallet::Server => self.charged(meter, empty).await,
            Wallet::Meter => self.metered(meter, empty).await,
            Wallet::None => Ok(empty),
        }
    }

    /// By what was charged.
    async fn charged(&self, meter: MeterId, cost: DayCost) -> Result<DayCost, AppError> {
        let (db, day) = (&self.context.db, cost.day);
        let Some(account) = wallets::account_on(db, meter, day).await? else { return Ok(cost) };
        let rows = wallets::charged_on(db, account, meter, day).await?;
        let books = wallets::day_books(db, account, meter, day, wallets::DAY_CHARGES_MAX).await?;
        let ledger = match books.is_cut {
            true => None,
            false => Some(ledger_steps(day, &books.charges, books.before, books.ledger)),
        };
        // The tiers of the version that charged last on the day.
        let versions = prices::versions(db).await?;
        let version = rows.last().and_then(|row| versions.iter().find(|one| one.plan == row.plan && one.number == row.version));
        let period = version.map_or_else(Default::default, |version| version.prices().tiers.period);
        let tier = match period_start(period, day) {
            Some(first) => Some((period, Energy(wallets::used_before(db, account, meter, first, day).await?))),
            None => None,
        };
        let cost_e7 = rows.iter().map(|row| row.cost_e7).sum();
        let line = |row: wallets::DayCharge| DayCharge {
            day: row.day,
            plan: format!("{} {}", row.plan, row.version),
            rate: row.rate,
            tier: row.tier,
            price: Money(row.price_e4),
            energy: row.wh,
            cost: Money(row.cost_e7 / 1_000),
        };
        Ok(DayCost { lines: rows.into_iter().map(line).collect(), cost_e7, tier, ledger, ..cost })
    }

    /// By the parameters that the meter keeps now, beside what it took.
    async fn metered(&self, meter: MeterId, cost: DayCost) -> Result<DayCost, AppError> {
        let (db, day) = (&self.context.db, cost.day);
        let (start, end) = (day.start(), day.plus(1).start());
        let took = consumption::taken_between(db, meter, start, end).await?;
        let posted = consumption::posted_between(db, meter, start, end).await?;
        let Some((known, read_at)) = parameters::find(db, meter).await? else { return Ok(DayCost { took, posted, ..cost }) };
        let hours = energy::hours(db, meter, start, end).await?;
        let (versions, period) = (timeline_of_meter(&known), known.tiers.period);
        let tier = match period_start(period, day) {
            Some(first) if first < day => {
                let days = energy::daily(db, meter, first, day.plus(-1)).await?;
                Some((period, Energy(days.iter().map(|(_, energy)| energy.0).sum())))
            }
            Some(_) => Some((period, Energy::ZERO)),
            None => None,
        };
        let position = Position { period: period_of(period, day), used_wh: tier.map_or(0, |(_, used)| used.0), carry_e7: 0 };
        let lines = priced(&versions, position, &hours);
        let cost_e7 = lines.iter().map(|line| line.cost_e7).sum();
        let line = |line: &Line| DayCharge {
            day,
            plan: String::new(),
            rate: line.rate.into(),
            tier: line.tier.into(),
            price: Money(line.price_e4),
            energy: Energy(line.wh),
            cost: Money(line.cost_e7 / 1_000),
        };
        let lines = lines.iter().map(line).collect();
        Ok(DayCost { lines, cost_e7, tier, took, posted, read_at: Some(read_at), ..cost })
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

/// The hours of a day by versions of prices, from a position in the tier period; by price.
fn priced(versions: &[Version], mut position: Position, hours: &[(Timestamp, Energy)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for &(from, energy) in hours.iter().filter(|(_, energy)| energy.0 > 0) {
        let passed = Passed { from, to: from.plus(HOUR), energy, rates: None };
        let Some(charge) = charge(&mut position, versions, &passed) else { continue };
        for line in charge.lines {
            let price = |line: &Line| (line.rate, line.tier, line.price_e4);
            match lines.iter_mut().find(|one| price(one) == price(&line)) {
                Some(one) => (one.wh, one.cost_e7) = (one.wh + line.wh, one.cost_e7 + line.cost_e7),
                None => lines.push(line),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;
    use model::parameters::TierPeriod;
    use model::tariff::{Tiers, parse_plan};

    #[test]
    fn the_hours_of_a_day_are_summed_up_by_rate_and_tier() {
        let day = Date::from_ymd(2026, 11, 30).unwrap();
        let prices = Prices {
            rates: [9_000, 7_000, 5_000, 3_000],
            tiers: Tiers { period: TierPeriod::Month, thresholds: [1_000, 9_000], surcharges: [500, 3_000] },
            tables: ["00:00=4 12:00=2".parse().unwrap(), Default::default()],
            plan: parse_plan("01-01=1").unwrap(),
        };
        let hours: Vec<_> = [1, 2, 13].map(|hour| (day.start().plus(hour * HOUR), Energy(400))).to_vec();
        let versions = [Version { id: Uuid::nil(), from: Timestamp(0), prices: prices.clone() }];
        let lines = priced(&versions, Position { period: 202_611, used_wh: 300, carry_e7: 0 }, &hours);
        let seen: Vec<_> = lines.iter().map(|line| (line.rate, line.tier, line.price_e4, line.wh, line.cost_e7)).collect();
        assert_eq!(seen, [(4, 1, 3_000, 700, 2_100_000), (4, 2, 3_500, 100, 350_000), (2, 2, 7_500, 400, 3_000_000)]);
        assert_eq!(used_now(&prices, 202_611, Energy(5), day.start()), Energy(5));
        assert_eq!(used_now(&prices, 202_610, Energy(5), day.start()), Energy::ZERO, "the month before is over");
    }

    #[test]
    fn a_day_has_new_prices_from_the_switch_over_on() {
        let day = Date::from_ymd(2026, 11, 30).unwrap();
        let costs = |switch_over| {
            let known = Parameters { prices: [5_000; 4], standby: [6_000; 4], switch_over, ..Parameters::default() };
            let hours: Vec<_> = [1, 23].map(|hour| (day.start().plus(hour * HOUR), Energy(1_000))).to_vec();
            let lines = priced(&timeline_of_meter(&known), Position::default(), &hours);
            lines.iter().map(|line| (line.price_e4, line.wh)).collect::<Vec<_>>()
        };
        assert_eq!(costs(None), [(5_000, 2_000)]);
        assert_eq!(costs(Some(day.start())), [(6_000, 2_000)]);
        assert_eq!(costs(Some(day.plus(1).start())), [(5_000, 2_000)], "the day before keeps its prices");
        assert_eq!(costs(Some(day.start().plus(12 * HOUR))), [(5_000, 1_000), (6_000, 1_000)]);
    }
}
