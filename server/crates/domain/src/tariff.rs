//! The cost of the energy between two readings: pure, and exact to the last unit however the time between them is split.
//!
//! Energy is split at price versions, Shanghai midnights and slot edges (by the meter's own rate registers where it has them, by
//! time where not) and at tier thresholds. Costs are kept in 1e-7 yuan (Wh times 0.0001 yuan/kWh); what is below the ledger's
//! 0.0001 yuan is carried to the next charge, never dropped.

use model::energy::Energy;
use model::money::Money;
use model::parameters::TierPeriod;
use model::tariff::Prices;
use model::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Rate registers whose sum differs from the total by more than this are ignored: each may lag by its last step of 10 Wh.
const REGISTER_SLACK_WH: i64 = 50;
/// 1e-7 yuan in 0.0001 yuan.
const E7_PER_E4: i64 = 1_000;

/// Prices that are in force from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub id: Uuid,
    /// The first of a list also applies before.
    pub from: Timestamp,
    pub prices: Prices,
}

/// Energy that passed between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The earlier reading.
    pub from: Timestamp,
    /// The later one.
    pub to: Timestamp,
    pub energy: Energy,
    /// Of it, by the meter's own registers, in rates 1-4.
    pub rates: Option<[Energy; 4]>,
}

/// The state that is carried from one charge to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The tier period: a year, or a year and month (202611); 0 before any.
    pub period: i64,
    /// Consumption in it, Wh.
    pub used_wh: i64,
    /// The remainder below 0.0001 yuan, in 1e-7 yuan.
    pub carry_e7: i64,
}

/// Energy at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub day: Date,
    /// The price version.
    pub version: Uuid,
    /// 1-4.
    pub rate: u8,
    /// 1-3.
    pub tier: u8,
    /// Surcharge included, 0.0001 yuan/kWh.
    pub price_e4: i64,
    pub wh: i64,
    /// 1e-7 yuan.
    pub cost_e7: i64,
}

/// The charge for a reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// In whole 0.0001 yuan.
    pub amount: Money,
    /// In order of time.
    pub lines: Vec<Line>,
}

/// Charges energy by versions that ascend in time, and updates `position`; `None` without versions.
#[must_use]
pub fn charge(position: &mut Position, versions: &[Version], passed: &Passed) -> Option<Charge> {
    let segments = segments(versions, passed)?;
    let streams = streams(passed, &segments);
    let mut lines: Vec<Line> = Vec::new();
    let mut shares: Vec<Share> = streams.iter().map(|&(rate, energy)| Share::new(&segments, rate, energy)).collect();
    for segment in &segments {
        for (share, &(rate, _)) in shares.iter_mut().zip(&streams) {
            let wh = share.next(segment);
            climb(position, segment, rate.unwrap_or(segment.rate), wh, &mut lines);
        }
    }
    let due = position.carry_e7 + lines.iter().map(|line| line.cost_e7).sum::<i64>();
    // Negative after a correction: the next charges compensate it first.
    let amount = (due / E7_PER_E4).max(0);
    position.carry_e7 = due - amount * E7_PER_E4;
    Some(Charge { amount: Money(amount), lines })
}

/// A time span with one version, one day and one rate.
struct Segment<'a> {
    version: &'a Version,
    from: Timestamp,
    ms: i64,
    rate: u8,
}

fn segments<'a>(versions: &'a [Version], passed: &Passed) -> Option<Vec<Segment<'a>>> {
    let mut segments = Vec::new();
    let mut at = passed.from;
    loop {
        let upcoming = versions.iter().position(|version| version.from > at).unwrap_or(versions.len());
        let version = versions.get(upcoming.saturating_sub(1))?;
        let change = versions.get(upcoming.max(1)).map_or(passed.to, |next| next.from);
        let end = version.prices.next_edge(at).min(change).min(passed.to);
        segments.push(Segment { version, from: at, ms: end.since(at).max(0), rate: version.prices.rate(at) });
        if end >= passed.to {
            return Some(segments);
        }
        at = end;
    }
}

/// Energy by rate if the rate registers are plausible. Energy that they do not show yet, or all
/// of it, has no rate and is split by time. So is what a meter counted in a rate that the plan does not have in this time:
/// its day tables or its clock are not the plan's, and what was published is charged.
fn streams(passed: &Passed, segments: &[Segment<'_>]) -> Vec<(Option<u8>, i64)> {
    let by_time = vec![(None, passed.energy.0)];
    let Some(rates) = passed.rates else { return by_time };
    let lag = passed.energy.0 - rates.iter().map(|rate| rate.0).sum::<i64>();
    if rates.iter().any(|rate| rate.0 < 0) || lag.abs() > REGISTER_SLACK_WH {
        return by_time;
    }
    let has = |rate: &u8| segments.iter().any(|segment| segment.rate == *rate);
    let mut streams: Vec<_> = (1..).zip(rates).map(|(rate, energy)| (Some(rate).filter(has), energy.0)).collect();
    if lag < 0 {
        // The registers are ahead of the total: the excess is taken from the largest.
        match streams.iter_mut().max_by_key(|stream| stream.1) {
            Some(largest) if largest.1 + lag >= 0 => largest.1 += lag,
            _ => return by_time,
        }
    }
    streams.push((None, lag.max(0)));
    streams.retain(|stream| stream.1 > 0);
    streams
}

/// Spreads the energy of a stream evenly over its segments. Cumulative shares are rounded, so that the parts sum to the whole.
struct Share {
    rate: Option<u8>,
    energy: i64,
    whole_ms: i64,
    passed_ms: i64,
    given: i64,
}

impl Share {
    fn new(segments: &[Segment<'_>], rate: Option<u8>, energy: i64) -> Self {
        let length = |rate: Option<u8>| segments.iter().filter(|s| rate.is_none_or(|r| r == s.rate)).map(|s| s.ms).sum();
        // An interval without a length has no part in any rate: spread over all of it.
        let rate = rate.filter(|_| length(rate) > 0);
        Self { rate, energy, whole_ms: length(rate), passed_ms: 0, given: 0 }
    }

    fn next(&mut self, segment: &Segment<'_>) -> i64 {
        if self.rate.is_some_and(|rate| rate != segment.rate) {
            return 0;
        }
        self.passed_ms += segment.ms;
        let until = if self.passed_ms >= self.whole_ms {
            self.energy
        } else {
            i64::try_from(i128::from(self.energy) * i128::from(self.passed_ms) / i128::from(self.whole_ms)).unwrap_or(self.energy)
        };
        let part = until - self.given;
        self.given = until;
        part
    }
}

/// Prices energy of one rate on one day, tier by tier.
fn climb(position: &mut Position, segment: &Segment<'_>, rate: u8, mut wh: i64, lines: &mut Vec<Line>) {
    let (day, prices) = (segment.from.date(), &segment.version.prices);
    let period = period_of(prices.tiers.period, day);
    if period != 0 && period != position.period {
        (position.period, position.used_wh) = (period, 0);
    }
    while wh > 0 {
        let [second, third] = prices.tiers.thresholds;
        let [over2, over3] = prices.tiers.surcharges;
        let (tier, over, room) = match position.used_wh {
            _ if period == 0 => (1, 0, wh),
            used if used < second => (1, 0, second - used),
            used if used < third => (2, over2, third - used),
            _ => (3, over3, wh),
        };
        let part = wh.min(room);
        let price = prices.rates.get(usize::from(rate).wrapping_sub(1)).copied().unwrap_or(0);
        let price_e4 = i64::from(price) + i64::from(over);
        let line = Line { day, version: segment.version.id, rate, tier, price_e4, wh: part, cost_e7: part * price_e4 };
        let same = |l: &&mut Line| (l.day, l.version, l.rate, l.tier) == (line.day, line.version, line.rate, line.tier);
        match lines.iter_mut().rev().find(same) {
            Some(one) => (one.wh, one.cost_e7) = (one.wh + line.wh, one.cost_e7 + line.cost_e7),
            None => lines.push(line),
        }
        if period != 0 {
            position.used_wh += part;
        }
        wh -= part;
    }
}

/// The tier period of a day as in [`Position::period`].
#[must_use]
pub fn period_of(period: TierPeriod, day: Date) -> i64 {
    let (year, month, _) = day.ymd();
    match period {
        TierPeriod::None => 0,
        TierPeriod::Month => year * 100 + i64::from(month),
        TierPeriod::Year => year,
    }
}

#[cfg(test)]
#[path = "tariff/tests.rs"]
mod tests;
