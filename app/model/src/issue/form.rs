//! From a form's fields to an issue: everything is bounded by the profile, and what is wrong names its field.

use super::{ENTRIES, Issue, Kind, MAX_PRICE, SLOTS};
use crate::meter::ControlMode;
use crate::parameters::{Limits, PlanEntry, Slot, TierPeriod, Tiers};
use crate::time::{Civil, DAY, Date, MINUTE, Timestamp};
use crate::typed::{self, typed};

/// A switch-over lies at least this far ahead, so that the prices are in the meters before.
const AHEAD: i64 = 5 * MINUTE;
/// And at most this far.
const FAR: i64 = 400 * DAY;

/// A form's fields by name; empty where there is none.
pub type Fields<'a> = &'a dyn Fn(&str) -> String;

/// The field that is wrong, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No meter is selected.
    Nobody,
    /// Not a mode, a switch, a table or a period.
    Choice(&'static str),
    /// Not yuan with at most two decimals, or too much.
    Amount(&'static str),
    /// Alarm 2 is above alarm 1.
    Alarms,
    /// Not watts from 0 to 65535.
    Power,
    /// Not a price above 0 and at most 10 yuan/kWh with at most four decimals.
    Price(&'static str),
    /// Not a time from five minutes to 400 days ahead.
    SwitchOver,
    /// Not kWh with at most two decimals.
    Energy(&'static str),
    /// The second threshold is below the first.
    Thresholds,
    /// Slots do not ascend from 00:00, or a rate or time is none.
    Slots,
    /// An entry of the plan is no day of the year, or names no table.
    Plan,
}

impl Issue {
    /// From the fields of a form.
    ///
    /// # Errors
    /// [`Problem`] names what is wrong first.
    pub fn from_form(kind: Kind, field: Fields<'_>, now: Timestamp) -> Result<Self, Problem> {
        Ok(match kind {
            Kind::Mode => Self::Mode(ControlMode::parse(&field("mode")).ok_or(Problem::Choice("mode"))?),
            Kind::Switch => Self::Switch(match field("on").as_str() {
                "1" => true,
                "0" => false,
                _ => return Err(Problem::Choice("on")),
            }),
            Kind::Limits => Self::Limits(limits(field)?),
            Kind::Prices => Self::Prices(prices(field)?),
            Kind::Standby => Self::Standby { prices: prices(field)?, at: switch_over(&field("at"), now)? },
            Kind::Cancel => Self::Cancel,
            Kind::Tiers => Self::Tiers(tiers(field)?),
            Kind::DayTable => Self::DayTable { table: table(&field("table"))?, slots: slots(field)? },
            Kind::DatePlan => Self::DatePlan(plan(field)?),
            Kind::Clock => Self::Clock,
            Kind::Read => Self::Read,
        })
    }
}

impl Issue {
    /// The same, where it is within the ranges; for what comes from a hidden field and not from a person's form.
    #[must_use]
    pub fn checked(self, now: Timestamp) -> Option<Self> {
        let prices_fit = |prices: &[u32; 4]| prices.iter().all(|price| (1..=MAX_PRICE).contains(price));
        let amount = |amount: u32| i32::try_from(amount).is_ok();
        let fits = match &self {
            Self::Limits(l) => l.alarm2 <= l.alarm1 && [l.alarm1, l.overdraft, l.hoarding].into_iter().all(amount),
            Self::Prices(prices) => prices_fit(prices),
            Self::Standby { prices, at } => prices_fit(prices) && (MINUTE..=FAR).contains(&at.since(now)),
            Self::Tiers(t) => {
                let [second, third] = t.thresholds;
                second <= third && t.surcharges.iter().all(|price| *price <= MAX_PRICE)
            }
            Self::DayTable { table, slots } => matches!(table, 1 | 2) && slots_fit(slots),
            Self::DatePlan(entries) => entries.len() <= ENTRIES && entries.iter().all(entry_fits) && ascend(entries),
            Self::Mode(_) | Self::Switch(_) | Self::Cancel | Self::Clock | Self::Read => true,
        };
        fits.then_some(self)
    }
}

fn starts(slot: &Slot) -> u16 {
    u16::from(slot.hour) * 60 + u16::from(slot.minute)
}

/// Slots ascend from 00:00.
fn slots_fit(slots: &[Slot]) -> bool {
    let each = slots.iter().all(|slot| (1..=4).contains(&slot.rate) && slot.hour < 24 && slot.minute < 60);
    let from_midnight = slots.first().is_none_or(|slot| starts(slot) == 0);
    let ascending = slots.iter().zip(slots.iter().skip(1)).all(|(one, next)| starts(one) < starts(next));
    slots.len() <= SLOTS && each && from_midnight && ascending
}

/// A leap year has every day that there is.
fn entry_fits(entry: &PlanEntry) -> bool {
    Date::from_ymd(2028, entry.month, entry.day).is_some() && matches!(entry.table, 1 | 2)
}

fn ascend(entries: &[PlanEntry]) -> bool {
    let day = |entry: &PlanEntry| (entry.month, entry.day);
    entries.iter().zip(entries.iter().skip(1)).all(|(one, next)| day(one) < day(next))
}

fn limits(field: Fields<'_>) -> Result<Limits, Problem> {
    let amount = |name: &'static str| {
        let fen = typed::yuan(&field(name)).map_err(|_| Problem::Amount(name))?;
        i32::try_from(fen.0).ok().and_then(|fen| u32::try_from(fen).ok()).ok_or(Problem::Amount(name))
    };
    let limits = Limits {
        alarm1: amount("alarm1")?,
        alarm2: amount("alarm2")?,
        overdraft: amount("overdraft")?,
        hoarding: amount("hoarding")?,
        overload_w: typed::parse(&field("overload_w")).map_err(|_| Problem::Power)?,
    };
    if limits.alarm2 <= limits.alarm1 { Ok(limits) } else { Err(Problem::Alarms) }
}

/// The fields of the prices, by rate.
pub const PRICES: [&str; 4] = ["price1", "price2", "price3", "price4"];

pub(crate) fn prices(field: Fields<'_>) -> Result<[u32; 4], Problem> {
    let mut prices = [0; 4];
    for (price, name) in prices.iter_mut().zip(PRICES) {
        *price = decimal(&field(name), 4).filter(|price| (1..=MAX_PRICE).contains(price)).ok_or(Problem::Price(name))?;
    }
    Ok(prices)
}

/// `2026-12-01T00:00`, Shanghai time, as browsers send it.
fn switch_over(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let at = instant(text).ok_or(Problem::SwitchOver)?;
    if (AHEAD..=FAR).contains(&at.since(now)) { Ok(at) } else { Err(Problem::SwitchOver) }
}

pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let text = typed(text);
    let (day, time) = text.split_once('T')?;
    let mut day = day.splitn(3, '-');
    let mut time = time.splitn(3, ':');
    let civil = Civil {
        year: day.next()?.parse().ok()?,
        month: day.next()?.parse().ok()?,
        day: day.next()?.parse().ok()?,
        hour: time.next()?.parse().ok()?,
        minute: time.next()?.parse().ok()?,
        second: 0,
    };
    civil.timestamp()
}

pub(crate) fn tiers(field: Fields<'_>) -> Result<Tiers, Problem> {
    let period = TierPeriod::parse(&field("period")).ok_or(Problem::Choice("period"))?;
    if period == TierPeriod::None {
        return Ok(Tiers::default());
    }
    let energy = |name: &'static str| decimal(&field(name), 2).ok_or(Problem::Energy(name));
    let price = |name: &'static str| decimal(&field(name), 4).filter(|price| *price <= MAX_PRICE).ok_or(Problem::Price(name));
    let thresholds = [energy("threshold2")?, energy("threshold3")?];
    let surcharges = [price("surcharge2")?, price("surcharge3")?];
    let [second, third] = thresholds;
    if second <= third { Ok(Tiers { period, thresholds, surcharges }) } else { Err(Problem::Thresholds) }
}

fn table(text: &str) -> Result<u8, Problem> {
    text.parse().ok().filter(|table| matches!(table, 1 | 2)).ok_or(Problem::Choice("table"))
}

/// `rate1` and `from1` to 14; a row without a time is unused.
pub(crate) fn slots(field: Fields<'_>) -> Result<Vec<Slot>, Problem> {
    let mut slots = Vec::new();
    for n in 1..=SLOTS {
        let from = typed(&field(&format!("from{n}")));
        if from.is_empty() {
            continue;
        }
        let (hour, minute) = from.split_once(':').ok_or(Problem::Slots)?;
        let number = |text: &str, below: u8| text.parse::<u8>().ok().filter(|number| *number < below).ok_or(Problem::Slots);
        let rate = field(&format!("rate{n}")).parse().ok().filter(|rate| (1..=4).contains(rate)).ok_or(Problem::Slots)?;
        slots.push(Slot { rate, hour: number(hour, 24)?, minute: number(minute, 60)? });
    }
    if slots_fit(&slots) { Ok(slots) } else { Err(Problem::Slots) }
}

/// `month1`, `day1`, `use1` to 4; a row without a month is unused.
pub(crate) fn plan(field: Fields<'_>) -> Result<Vec<PlanEntry>, Problem> {
    let mut entries = Vec::new();
    for n in 1..=ENTRIES {
        let month = field(&format!("month{n}"));
        if month.trim().is_empty() {
            continue;
        }
        let number = |text: &str| typed::parse::<u8>(text).map_err(|_| Problem::Plan);
        let (day, table) = (number(&field(&format!("day{n}")))?, number(&field(&format!("use{n}")))?);
        entries.push(PlanEntry { month: number(&month)?, day, table });
    }
    if entries.iter().all(entry_fits) && ascend(&entries) { Ok(entries) } else { Err(Problem::Plan) }
}

/// Digits with at most `places` decimals, in units of the last place.
pub(crate) fn decimal(text: &str, places: usize) -> Option<u32> {
    let text = typed(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > places || !digits(whole) || !digits(decimals) || text.ends_with('.') {
        return None;
    }
    format!("{whole}{decimals:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: Kind, fields: &[(&str, &str)]) -> Result<Issue, Problem> {
        let field =
            |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()).unwrap_or_default();
        // 2026-11-24 00:26:40 in Shanghai.
        Issue::from_form(kind, &field, Timestamp(1_795_451_200_000))
    }

    #[test]
    fn limits_are_bounded() {
        let with = |alarm2: &str, power: &str| {
            made(
                Kind::Limits,
                &[("alarm1", "20"), ("alarm2", alarm2), ("overdraft", "0"), ("hoarding", "500.5"), ("overload_w", power)],
            )
        };
        let limits = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 50_050, overload_w: 1_800 };
        assert_eq!(with("5", "1800"), Ok(Issue::Limits(limits)));
        assert_eq!(with("20.01", "1800"), Err(Problem::Alarms));
        assert_eq!(with("-1", "1800"), Err(Problem::Amount("alarm2")));
        assert_eq!(with("99999999", "1800"), Err(Problem::Amount("alarm2")));
        assert_eq!(with("5", "70000"), Err(Problem::Power));
    }

    #[test]
    fn prices_are_believable_and_switch_ahead() {
        let with = |price: &str, at: &str| {
            made(Kind::Standby, &[("price1", "1"), ("price2", price), ("price3", "0.5383"), ("price4", "10"), ("at", at)])
        };
        let at = Civil { year: 2026, month: 12, day: 1, hour: 0, minute: 0, second: 0 }.timestamp().unwrap();
        assert_eq!(with("0.8", "2026-12-01T00:00"), Ok(Issue::Standby { prices: [10_000, 8_000, 5_383, 100_000], at }));
        for price in ["0", "10.0001", "0.53831", "1.", ".5", "1e1", "-1", "99999999999"] {
            assert_eq!(with(price, "2026-12-01T00:00"), Err(Problem::Price("price2")), "{price}");
        }
        for at in ["", "2026-11-24T00:30", "2026-11-23T00:00", "2028-12-01T00:00", "2026-13-01T00:00", "2026-12-01"] {
            assert_eq!(with("0.8", at), Err(Problem::SwitchOver), "{at}");
        }
    }

    #[test]
    fn tables_ascend_from_midnight_and_plans_through_the_year() {
        let slots = |rows: &[(&'static str, &'static str)]| {
            let mut fields = vec![("table", "1")];
            let names = [("rate1", "from1"), ("rate2", "from2"), ("rate3", "from3")];
            for ((rate, from), (r, f)) in rows.iter().zip(names) {
                fields.extend([(r, *rate), (f, *from)]);
            }
            made(Kind::DayTable, &fields)
        };
        assert!(slots(&[("4", "00:00"), ("2", "08:30")]).is_ok());
        assert_eq!(slots(&[]), Ok(Issue::DayTable { table: 1, slots: Vec::new() }));
        for bad in [&[("4", "00:01")][..], &[("4", "00:00"), ("2", "00:00")], &[("5", "00:00")], &[("4", "24:00")], &[("4", "x")]]
        {
            assert_eq!(slots(bad), Err(Problem::Slots), "{bad:?}");
        }
        let plan = |month: &str, day: &str| {
            made(
                Kind::DatePlan,
                &[("month1", "3"), ("day1", "1"), ("use1", "1"), ("month2", month), ("day2", day), ("use2", "2")],
            )
        };
        assert!(plan("7", "1").is_ok());
        assert_eq!(plan("2", "1"), Err(Problem::Plan));
        assert_eq!(plan("4", "31"), Err(Problem::Plan));
    }

    #[test]
    fn tiers_do_not_fall() {
        let with = |third: &str| {
            let fields = [
                ("period", "month"),
                ("threshold2", "100"),
                ("threshold3", third),
                ("surcharge2", "0.05"),
                ("surcharge3", "0.3"),
            ];
            made(Kind::Tiers, &fields)
        };
        let tiers = Tiers { period: TierPeriod::Month, thresholds: [10_000, 20_050], surcharges: [500, 3_000] };
        assert_eq!(with("200.5"), Ok(Issue::Tiers(tiers)));
        assert_eq!(with("99"), Err(Problem::Thresholds));
        assert_eq!(made(Kind::Tiers, &[("period", "none")]), Ok(Issue::Tiers(Tiers::default())));
    }
}
