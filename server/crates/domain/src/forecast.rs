//! How long credit lasts: from a room's own use, by weekday, by season, and without the days on which nobody was there. Pure.
//!
//! Use goes on as it was lately and returns to what is usual; a weekday has its share of a week; and where the same weeks of
//! the year before are recorded, half of their change is expected again. The constants are those with the smallest error on four
//! years of a real household, which the test at the bottom measures.

use std::cmp::Ordering;

use model::energy::Energy;
use model::forecast::Forecast;
use model::time::{DAY, Date, HOUR, Timestamp};

/// Days before today that make the pattern.
pub const PATTERN_DAYS: i64 = 84;
/// Days before today that are worth reading: the pattern, and the same weeks a year ago.
pub const RECORDED_DAYS: i64 = YEAR + PATTERN_DAYS;
/// Whole weeks, so that weekdays fall together.
const YEAR: i64 = 364;
/// Days on either side that a season is the mean of.
const SEASON_SPAN: i64 = 14;
/// The least and the most that a season changes use by.
const SEASON_BOUNDS: (f64, f64) = (0.6, 1.5);
/// A day with less than this share of the median is one on which nobody was there.
const AWAY: f64 = 0.35;
/// Fewer days at home than this are no pattern of their own.
const FEWEST_AT_HOME: usize = 7;
/// After how many days a day counts half: for what is usual, for what was lately, and for weekdays.
const USUAL_HALF_LIFE: f64 = 30.0;
const LATELY_HALF_LIFE: f64 = 2.0;
const WEEKDAY_HALF_LIFE: f64 = 40.0;
/// How much of the distance between lately and usual remains after a day.
const PERSISTENCE: f64 = 0.7;
/// A weekday is taken for usual until so many weeks have shown it.
const WEEKDAY_PRIOR: f64 = 6.0;
/// The range covers four of five cases when use strays by so many mean deviations on the first day. Over more days more and more
/// of it cancels, but for what is common to them.
const RANGE: f64 = 2.0;
const COMMON: f64 = 0.4;
/// Beyond this a forecast says nothing.
const FARTHEST: i64 = 200;
/// Until when a night lasts.
const MORNING: i64 = 6 * HOUR;

/// What a room is expected to use.
#[derive(Clone, Debug)]
pub struct UsePattern {
    today: Date,
    /// Days that it was learned from.
    over: usize,
    /// Wh a day.
    usual: f64,
    lately: f64,
    /// Mean deviation from what is usual, as a share of it.
    deviation: f64,
    /// By weekday, from Monday; 1 for a usual day.
    weekdays: [f64; 7],
    /// By days from today; empty where the year before is not recorded.
    seasons: Vec<f64>,
}

impl UsePattern {
    /// Learns from the full days before `today` of what was recorded in [`RECORDED_DAYS`]; `None` without such a day
    /// or without any use in them.
    #[must_use]
    pub fn learn(recorded: &[(Date, Energy)], today: Date) -> Option<Self> {
        let days = full_days(recorded, today);
        let pattern: Vec<DayUse> = days.iter().copied().filter(|day| day.day >= today.plus(-PATTERN_DAYS)).collect();
        let median = median(pattern.iter().map(|day| day.wh).collect())?;
        let at_home: Vec<DayUse> = pattern.iter().copied().filter(|day| day.wh >= AWAY * median).collect();
        let at_home = if at_home.len() < FEWEST_AT_HOME { pattern.clone() } else { at_home };
        let weekdays = weekdays(&at_home, today);
        let level = |days: &[DayUse], half_life| {
            mean(days.iter().map(|day| (day.wh / weekday(&weekdays, day.day), weight(*day, today, half_life))))
        };
        let usual = level(&at_home, USUAL_HALF_LIFE).filter(|usual| *usual > 0.0)?;
        let strays = at_home
            .iter()
            .map(|day| ((day.wh / weekday(&weekdays, day.day) - usual).abs() / usual, weight(*day, today, USUAL_HALF_LIFE)));
        Some(Self {
            today,
            over: pattern.len(),
            usual,
            lately: level(&pattern, LATELY_HALF_LIFE)?,
            deviation: mean(strays)?,
            weekdays,
            seasons: seasons(&days, today),
        })
    }

    /// How long `credit` lasts from `now` on; `None` where there is none.
    #[must_use]
    pub fn lasts(&self, credit: Energy, now: Timestamp) -> Option<Forecast> {
        if credit <= Energy::ZERO {
            return None;
        }
        let days = |deviations: f64| {
            let strays = |day: i64| 1.0 + deviations * self.deviation * (1.0 / (to_f64(day) + 1.0).sqrt()).max(COMMON);
            self.days_until_used(to_f64(credit.0), now, strays)
        };
        let (earliest, latest) = (days(RANGE), days(-RANGE));
        let morning = if now.since(now.date().start()) < MORNING { 0 } else { DAY } + MORNING;
        let night = to_f64(now.date().start().plus(morning).since(now)) / to_f64(DAY);
        Some(Forecast {
            days: whole(days(0.0)),
            earliest: whole(earliest),
            latest: whole(latest),
            over: self.over,
            tonight: earliest < night,
        })
    }

    /// Days from `now` until `wh` are used, where use strays from the pattern by a factor for each day from today.
    fn days_until_used(&self, mut wh: f64, now: Timestamp, strays: impl Fn(i64) -> f64) -> f64 {
        // What is left of today; the pattern knows no hours.
        let mut share = 1.0 - to_f64(now.since(now.date().start())) / to_f64(DAY);
        let mut lasted = 0.0;
        for day in 0..FARTHEST {
            let used = self.on(day) * strays(day).max(0.1) * share;
            if wh <= used {
                return lasted + share * wh / used;
            }
            (wh, lasted, share) = (wh - used, lasted + share, 1.0);
        }
        lasted
    }

    /// Wh that are expected on a day, counted from today.
    fn on(&self, day: i64) -> f64 {
        let season = usize::try_from(day).ok().and_then(|day| self.seasons.get(day)).copied().unwrap_or(1.0);
        let lately = (self.lately - self.usual) * PERSISTENCE.powf(to_f64(day) + 1.0);
        (self.usual * season + lately).max(0.0) * weekday(&self.weekdays, self.today.plus(day))
    }
}

/// What was used on a full day.
#[derive(Clone, Copy, Debug, PartialEq)]
struct DayUse {
    day: Date,
    wh: f64,
}

/// The full days before `today`. The day on which recording began is not a full one. What a meter used on days without a record
/// comes with its next one, so that one is shared among them.
fn full_days(recorded: &[(Date, Energy)], today: Date) -> Vec<DayUse> {
    let mut recorded: Vec<(Date, Energy)> = recorded.iter().copied().filter(|(day, _)| *day < today).collect();
    recorded.sort_by_key(|(day, _)| *day);
    let Some(began) = recorded.first().map(|(day, _)| *day) else { return Vec::new() };
    let (mut days, mut next) = (Vec::new(), began.plus(1));
    for &(day, energy) in recorded.iter().filter(|(day, _)| *day > began) {
        let among = day.0 - next.0 + 1;
        if among > 0 {
            let wh = to_f64(energy.0.max(0)) / to_f64(among);
            days.extend((next.0..=day.0).map(|day| DayUse { day: Date(day), wh }));
            next = day.plus(1);
        }
    }
    // Nothing was recorded since: the room used nothing, or its meter is lost.
    days.extend((next.0..today.0).map(|day| DayUse { day: Date(day), wh: 0.0 }));
    days
}

/// The share of each weekday; 1 on average.
fn weekdays(days: &[DayUse], today: Date) -> [f64; 7] {
    let Some(usual) = mean(days.iter().map(|day| (day.wh, 1.0))).filter(|usual| *usual > 0.0) else { return [1.0; 7] };
    let mut sums = [(WEEKDAY_PRIOR, WEEKDAY_PRIOR); 7];
    for day in days {
        if let Some((share, weights)) = sums.get_mut(usize::from(day.day.weekday())) {
            let weight = weight(*day, today, WEEKDAY_HALF_LIFE);
            *share += weight * day.wh / usual;
            *weights += weight;
        }
    }
    let shares = sums.map(|(share, weights)| share / weights);
    let average = shares.iter().sum::<f64>() / 7.0;
    shares.map(|share| share / average)
}

fn weekday(weekdays: &[f64; 7], day: Date) -> f64 {
    weekdays.get(usize::from(day.weekday())).copied().unwrap_or(1.0)
}

/// How use changed from these weeks on a year ago, by days from today; half of the change, as years differ.
fn seasons(days: &[DayUse], today: Date) -> Vec<f64> {
    let around = |center: Date| {
        let span = center.plus(-SEASON_SPAN)..=center.plus(SEASON_SPAN);
        let from = days.partition_point(|day| day.day < *span.start());
        let recorded = days.iter().skip(from).take_while(|day| span.contains(&day.day));
        let recorded: Vec<(f64, f64)> = recorded.map(|day| (day.wh, 1.0)).collect();
        if recorded.len() > usize::try_from(SEASON_SPAN).unwrap_or(0) { mean(recorded.into_iter()) } else { None }
    };
    let a_year_ago = today.plus(-YEAR);
    let Some(before) = around(a_year_ago.plus(-SEASON_SPAN)).filter(|before| *before > 0.0) else { return Vec::new() };
    let (least, most) = SEASON_BOUNDS;
    (0..FARTHEST).map_while(|day| around(a_year_ago.plus(day))).map(|then| (then / before).sqrt().clamp(least, most)).collect()
}

/// A day's weight among the days before today: half after `half_life` days.
fn weight(day: DayUse, today: Date, half_life: f64) -> f64 {
    0.5_f64.powf(to_f64(today.0 - 1 - day.day.0) / half_life)
}

/// The mean of values with their weights; `None` of nothing.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weights) = values.fold((0.0, 0.0), |(sum, weights), (value, weight)| (sum + value * weight, weights + weight));
    (weights > 0.0).then(|| sum / weights)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    values.get(values.len() / 2).copied()
}

/// Exact for all energies and days that occur.
const fn to_f64(number: i64) -> f64 {
    number as f64
}

/// Whole days, rounded down; what lacks a second of a day for the sake of rounding is a day.
const fn whole(days: f64) -> i64 {
    (days + 1e-5) as i64
}

#[cfg(test)]
mod tests;
