//! What a kWh costs at an instant, step by step, by the same rules as charges.

use model::console::{PriceSteps, TierStep};
use model::energy::Energy;
use model::money::Money;
use model::parameters::{Parameters, TierPeriod};
use model::tariff::{DayTable, Prices, Slot, Tiers};
use model::time::{DAY, Date, Timestamp};
use uuid::Uuid;

use super::tariff::Version;

/// How far ahead another rate is looked for.
const AHEAD: i64 = 2 * DAY;

/// The steps at an instant, for a room that has used `used` in the tier period.
#[must_use]
pub fn steps(prices: &Prices, at: Timestamp, used: Energy) -> PriceSteps {
    let rate = prices.rate(at);
    let tier = tier(&prices.tiers, used);
    let base = prices.price(rate);
    let surcharge = tier.map_or(0, |tier| tier.surcharge);
    PriceSteps {
        season: prices.season(at.date()),
        spans: prices.spans(at.date()),
        rate,
        base,
        until: rate_ends(prices, at),
        tier,
        price: Money(i64::from(base) + i64::from(surcharge)),
    }
}

/// The tier of the next Wh.
fn tier(tiers: &Tiers, used: Energy) -> Option<TierStep> {
    if tiers.period == TierPeriod::None {
        return None;
    }
    let ([second, third], [over2, over3]) = (tiers.thresholds, tiers.surcharges);
    let (tier, surcharge, next) = match used.0 {
        used if used < second => (1, 0, Some(Energy(second))),
        used if used < third => (2, over2, Some(Energy(third))),
        _ => (3, over3, None),
    };
    Some(TierStep { period: tiers.period, used, tier, surcharge, next })
}

fn rate_ends(prices: &Prices, at: Timestamp) -> Option<Timestamp> {
    let rate = prices.rate(at);
    let mut edge = prices.next_edge(at);
    while edge.since(at) <= AHEAD {
        if prices.rate(edge) != rate {
            return Some(edge);
        }
        edge = prices.next_edge(edge);
    }
    None
}

/// The first day of the tier period that holds a day; `None` without tiers.
#[must_use]
pub fn period_start(period: TierPeriod, day: Date) -> Option<Date> {
    let (year, month, _) = day.ymd();
    match period {
        TierPeriod::None => None,
        TierPeriod::Month => Date::from_ymd(year, month, 1),
        TierPeriod::Year => Date::from_ymd(year, 1, 1),
    }
}

/// What a meter's own parameters charge at an instant.
#[must_use]
pub fn of_meter(own: &Parameters, at: Timestamp) -> Prices {
    let table = |slots: &[model::parameters::Slot]| {
        DayTable(slots.iter().map(|slot| Slot { rate: slot.rate, starts: slot.starts() }).collect())
    };
    let [first, second] = &own.day_tables;
    let model::parameters::Tiers { period, thresholds, surcharges } = own.tiers;
    let thresholds = thresholds.map(|centi_kwh| i64::from(centi_kwh) * 10);
    Prices {
        rates: own.prices_at(at),
        tiers: Tiers { period, thresholds, surcharges },
        tables: [table(first), table(second)],
        plan: own.date_plan.clone(),
    }
}

/// The versions that a meter's own parameters charge by: as it is, and from its switch-over on.
#[must_use]
pub fn timeline_of_meter(own: &Parameters) -> Vec<Version> {
    let start = Timestamp(0);
    let version = |from| Version { id: Uuid::nil(), from, prices: of_meter(own, from) };
    [start].into_iter().chain(own.switch_over.filter(|switch| *switch > start)).map(version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariff::{Passed, Position, charge};
    use model::tariff::parse_plan;
    use model::time::{Civil, HOUR};

    fn at(month: u8, day: u8, hour: u8, minute: u8) -> Timestamp {
        Civil { year: 2026, month, day, hour, minute, second: 0 }.timestamp().unwrap()
    }

    fn prices(period: TierPeriod) -> Prices {
        Prices {
            rates: [9_000, 7_000, 5_000, 3_000],
            tiers: Tiers { period, thresholds: [1_000, 2_000], surcharges: [500, 3_000] },
            tables: ["00:00=4 07:00=2 19:00=1 22:00=4".parse().unwrap(), DayTable::default()],
            plan: parse_plan("03-01=1 11-01=2").unwrap(),
        }
    }

    #[test]
    fn steps_name_season_rate_end_and_tier() {
        let steps = |when, used| steps(&prices(TierPeriod::Month), when, Energy(used));
        let summer = steps(at(7, 1, 8, 30), 999);
        assert_eq!(summer.season.unwrap().to_string(), "03-01=1");
        assert_eq!((summer.rate, summer.base, summer.until, summer.price), (2, 7_000, Some(at(7, 1, 19, 0)), Money(7_000)));
        assert_eq!(summer.tier.unwrap().next, Some(Energy(1_000)));
        let night = steps(at(7, 1, 23, 0), 1_000);
        assert_eq!((night.rate, night.until, night.price), (4, Some(at(7, 2, 7, 0)), Money(3_500)), "over midnight");
        let winter = steps(at(1, 1, 8, 0), 2_000);
        assert_eq!(winter.season.unwrap().to_string(), "11-01=2", "the season began in the year before");
        assert_eq!((winter.rate, winter.until, winter.price), (3, None, Money(8_000)), "an empty table is flat");
        assert_eq!(winter.tier.unwrap().next, None);
        assert_eq!(super::steps(&prices(TierPeriod::None), at(7, 1, 8, 0), Energy(9_999)).tier, None);
    }

    #[test]
    fn the_next_wh_is_charged_at_the_price_of_the_steps() {
        let prices = prices(TierPeriod::Month);
        let versions = [Version { id: Uuid::nil(), from: Timestamp(0), prices: prices.clone() }];
        for (when, used) in [(at(1, 31, 23, 0), 1_500), (at(2, 1, 0, 0), 0), (at(6, 5, 12, 0), 1_999), (at(6, 5, 20, 0), 2_000)] {
            let (year, month, _) = when.date().ymd();
            let mut position = Position { period: year * 100 + i64::from(month), used_wh: used, carry_e7: 0 };
            let passed = Passed { from: when, to: when.plus(HOUR), energy: Energy(1), rates: None };
            let line = charge(&mut position, &versions, &passed).unwrap().lines[0];
            let step = steps(&prices, when, Energy(used));
            assert_eq!((line.price_e4, line.rate, line.tier), (step.price.0, step.rate, step.tier.unwrap().tier), "{when}");
        }
    }

    #[test]
    fn tier_periods_begin_with_the_month_or_the_year() {
        let day = |month, day| Date::from_ymd(2028, month, day).unwrap();
        assert_eq!(period_start(TierPeriod::Month, day(2, 29)), Some(day(2, 1)));
        assert_eq!(period_start(TierPeriod::Year, day(2, 29)), Some(day(1, 1)));
        assert_eq!(period_start(TierPeriod::None, day(2, 29)), None);
    }

    #[test]
    fn a_meter_goes_by_its_own_parameters() {
        let slot = |rate, hour| model::parameters::Slot { rate, hour, minute: 0 };
        let own = Parameters {
            prices: [4, 3, 2, 1],
            standby: [40, 30, 20, 10],
            switch_over: Some(at(7, 1, 0, 0)),
            tiers: model::parameters::Tiers { period: TierPeriod::Year, thresholds: [100, 200], surcharges: [5, 6] },
            date_plan: parse_plan("01-01=1").unwrap(),
            day_tables: [vec![slot(4, 0), slot(2, 8)], Vec::new()],
            ..Parameters::default()
        };
        let before = of_meter(&own, at(6, 30, 23, 59));
        assert_eq!((before.rates, before.tiers.thresholds), ([4, 3, 2, 1], [1_000, 2_000]));
        assert_eq!(before.tables[0].to_string(), "00:00=4 08:00=2");
        assert_eq!(of_meter(&own, at(7, 1, 0, 0)).rates, [40, 30, 20, 10]);
    }
}
