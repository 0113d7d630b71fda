//! Why a day cost what it did: by what was charged, or by the parameters that the meter keeps, beside what it took.

use model::console::{DayCharge, DayCost, RoomName};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, MeterId};
use model::meter::Wallet;
use model::money::Money;
use model::time::{Date, HOUR, Timestamp};

use domain::day_cost::ledger_steps;
use domain::price_steps::{period_start, timeline_of_meter};
use domain::tariff::{Line, Passed, Position, Version, charge, period_of};
use store::{Db, consumption, energy, parameters, prices, wallets};

/// Days that a page goes back.
const OLDEST: i64 = 800;

/// Which day of which meter, and for whom.
pub struct DayOf {
    pub meter: MeterId,
    pub room: RoomName,
    pub wallet: Wallet,
    pub day: Date,
    /// The account of a resident and since when it is theirs: they see nothing of what was before. `None` for an operator.
    pub since: Option<(AccountId, Timestamp)>,
}

impl DayOf {
    /// The part of the day that is shown.
    fn span(&self) -> (Timestamp, Timestamp) {
        let start = self.day.start();
        (self.since.map_or(start, |(_, since)| start.max(since)), self.day.plus(1).start())
    }

    /// Whether the account became theirs within the day.
    fn is_cut(&self) -> bool {
        self.span().0 > self.day.start()
    }
}

/// # Errors
/// [`AppError::NotFound`] for a day in the future, long ago, or before the account was theirs.
pub async fn of(db: &Db, today: Date, of: DayOf) -> Result<DayCost, AppError> {
    let is_theirs = of.since.is_none_or(|(_, since)| of.day >= since.date());
    if of.day > today || of.day < today.plus(-OLDEST) || !is_theirs {
        return Err(AppError::NotFound);
    }
    let used = if of.is_cut() {
        let (start, end) = of.span();
        let hours = energy::hours(db, of.meter, start, end).await?;
        hours.into_iter().map(|(_, energy)| energy).reduce(|sum, energy| sum + energy)
    } else {
        energy::daily(db, of.meter, of.day, of.day).await?.first().map(|(_, energy)| *energy)
    };
    let empty = DayCost {
        meter: of.meter,
        room: of.room.clone(),
        wallet: of.wallet,
        day: of.day,
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
    match of.wallet {
        Wallet::Server => charged(db, &of, empty).await,
        Wallet::Meter => metered(db, &of, empty).await,
        Wallet::None => Ok(empty),
    }
}

/// By what was charged.
async fn charged(db: &Db, of: &DayOf, cost: DayCost) -> Result<DayCost, AppError> {
    let (meter, day) = (of.meter, of.day);
    let account = match of.since {
        Some((account, _)) => Some(account),
        None => wallets::account_on(db, meter, day).await?,
    };
    let Some(account) = account else { return Ok(cost) };
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
    Ok(DayCost { lines: rows.into_iter().map(day_charge).collect(), cost_e7, tier, ledger, ..cost })
}

/// A charge as pages show it.
pub(crate) fn day_charge(row: wallets::DayCharge) -> DayCharge {
    DayCharge {
        day: row.day,
        plan: format!("{} {}", row.plan, row.version),
        rate: row.rate,
        tier: row.tier,
        price: Money(row.price_e4),
        energy: row.wh,
        cost: Money(row.cost_e7 / 1_000),
    }
}

/// By the parameters that the meter keeps now, beside what it took.
async fn metered(db: &Db, of: &DayOf, cost: DayCost) -> Result<DayCost, AppError> {
    let (meter, day, (start, end)) = (of.meter, of.day, of.span());
    let took = consumption::taken_between(db, meter, start, end).await?;
    let posted = consumption::posted_between(db, meter, start, end).await?;
    let Some((known, read_at)) = parameters::find(db, meter).await? else { return Ok(DayCost { took, posted, ..cost }) };
    let hours = energy::hours(db, meter, start, end).await?;
    let (versions, period) = (timeline_of_meter(&known), known.tiers.period);
    let tier = match period_start(period, day).map(|first| of.since.map_or(first, |(_, since)| first.max(since.date()))) {
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
    use model::parameters::{Parameters, TierPeriod};
    use model::tariff::{Prices, Tiers, parse_plan};

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
        let versions = [Version { id: Uuid::nil(), from: Timestamp(0), prices }];
        let lines = priced(&versions, Position { period: 202_611, used_wh: 300, carry_e7: 0 }, &hours);
        let seen: Vec<_> = lines.iter().map(|line| (line.rate, line.tier, line.price_e4, line.wh, line.cost_e7)).collect();
        assert_eq!(seen, [(4, 1, 3_000, 700, 2_100_000), (4, 2, 3_500, 100, 350_000), (2, 2, 7_500, 400, 3_000_000)]);
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
