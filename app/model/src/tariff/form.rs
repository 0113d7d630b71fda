//! From a form's fields to a version of a price plan, within what every meter of the profile takes.

use super::{DayTable, Prices, Slot, Tiers};
use crate::issue::form as fields;
use crate::issue::{ENTRIES, Fields, MAX_PRICE, Problem};
use crate::parameters::{self, PlanEntry};
use crate::time::{DAY, Date, Timestamp};
use crate::typed;

/// The most special periods that the form takes.
pub const SPECIALS: usize = 2;
/// The furthest ahead that a version may come into force, so that a typing error in the year is found.
const AHEAD: i64 = 800 * DAY;
/// Longest name of a plan, characters.
pub const PLAN_NAME_MAX: usize = 60;

/// Whether a plan may have this name.
#[must_use]
pub fn is_plan_name(name: &str) -> bool {
    (1..=PLAN_NAME_MAX).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control)
}

/// What the form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The plan's name; a new one makes a new plan.
    pub plan: String,
    /// `None`: as soon as it is published.
    pub from: Option<Timestamp>,
    pub prices: Prices,
}

/// What is wrong with the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormFault {
    /// The plan's name is empty or too long.
    Name,
    /// Not an instant from now to 800 days ahead.
    From,
    /// Neither one price nor rates were chosen.
    Kind,
    /// A field that commands have as well.
    Field(Problem),
    /// Slots of a day table (1 or 2) do not ascend from 00:00.
    Table(u8),
    /// A special period is no range of days, or there is no season that it interrupts.
    Special,
    /// Seasons and special periods need more changes in a year than a meter keeps.
    Entries,
}

/// Reads the form: `plan`, `from`, `kind` (`flat` with `price`, `rates` with `price1`-`price4`), `period` with `threshold2`,
/// `threshold3`, `surcharge2`, `surcharge3`; `a_from1`, `a_rate1` ... and `b_from1` ... for the day tables; `month1`, `day1`,
/// `use1` ... for the seasons; `s1_month`, `s1_day`, `s1_to_month`, `s1_to_day`, `s1_use` ... for special periods.
///
/// # Errors
/// [`FormFault`] names what is wrong first.
pub fn parse_version(field: Fields<'_>, now: Timestamp) -> Result<NewVersion, FormFault> {
    let plan = field("plan").trim().to_owned();
    if !is_plan_name(&plan) {
        return Err(FormFault::Name);
    }
    let from = match field("from").trim() {
        "" => None,
        text => {
            let at = fields::instant(text).filter(|at| (0..=AHEAD).contains(&at.since(now)));
            Some(at.ok_or(FormFault::From)?)
        }
    };
    let prices = match field("kind").as_str() {
        "flat" => {
            let price = fields::decimal(&field("price"), 4).filter(|price| (1..=MAX_PRICE).contains(price));
            Prices::flat(price.ok_or(FormFault::Field(Problem::Price("price")))?)
        }
        "rates" => rates(field)?,
        _ => return Err(FormFault::Kind),
    };
    let tiers = of_parameters(fields::tiers(field).map_err(FormFault::Field)?);
    Ok(NewVersion { plan, from, prices: Prices { tiers, ..prices } })
}

fn rates(field: Fields<'_>) -> Result<Prices, FormFault> {
    let table = |prefix: &'static str, number: u8| {
        let slots = fields::slots(&|name: &str| field(&format!("{prefix}_{name}"))).map_err(|_| FormFault::Table(number))?;
        Ok(DayTable(slots.iter().map(|slot| Slot { rate: slot.rate, starts: slot.starts() }).collect()))
    };
    let mut plan = fields::plan(field).map_err(FormFault::Field)?;
    for n in 1..=SPECIALS {
        let part = |name: &str| field(&format!("s{n}_{name}"));
        if part("month").trim().is_empty() {
            continue;
        }
        let number = |name: &str| typed::parse::<u8>(&part(name)).map_err(|_| FormFault::Special);
        let (from, to) = ((number("month")?, number("day")?), (number("to_month")?, number("to_day")?));
        plan = with_special(&plan, from, to, number("use")?).ok_or(FormFault::Special)?;
    }
    if plan.len() > ENTRIES {
        return Err(FormFault::Entries);
    }
    Ok(Prices {
        rates: fields::prices(field).map_err(FormFault::Field)?,
        tiers: Tiers::default(),
        tables: [table("a", 1)?, table("b", 2)?],
        plan,
    })
}

fn of_parameters(tiers: parameters::Tiers) -> Tiers {
    let thresholds = tiers.thresholds.map(|centi_kwh| i64::from(centi_kwh) * 10);
    Tiers { period: tiers.period, thresholds, surcharges: tiers.surcharges }
}

/// A date plan with a special period: its table from `from` to `to`, both days (month, day) included, and after it the season
/// that it interrupted or that began meanwhile. `None` where a day is none, there is no table, or the plan has no season.
#[must_use]
pub fn with_special(plan: &[PlanEntry], from: (u8, u8), to: (u8, u8), table: u8) -> Option<Vec<PlanEntry>> {
    // A leap year has every day that there is.
    let day = |(month, day): (u8, u8)| Date::from_ymd(2028, month, day);
    let (_, month, resume) = day(to)?.plus(1).ymd();
    let after = (month, resume);
    day(from).filter(|_| matches!(table, 1 | 2) && !plan.is_empty())?;
    let calendar = Prices { plan: plan.to_vec(), ..Prices::default() };
    let season = calendar.season(day(after)?)?;
    let of = |entry: &PlanEntry| (entry.month, entry.day);
    // A period over New Year has its first day after its last.
    let is_inside = |at: (u8, u8)| if from < after { (from..after).contains(&at) } else { at >= from || at < after };
    let mut entries: Vec<PlanEntry> = plan.iter().copied().filter(|entry| !is_inside(of(entry))).collect();
    entries.push(PlanEntry { month: from.0, day: from.1, table });
    if !entries.iter().any(|entry| of(entry) == after) {
        entries.push(PlanEntry { month: after.0, day: after.1, table: season.table });
    }
    entries.sort_unstable();
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::super::parse_plan;
    use super::*;
    use crate::parameters::TierPeriod;
    use crate::time::Civil;

    const NOW: Timestamp = Timestamp(1_795_451_200_000);

    fn made(pairs: &[(&str, &str)]) -> Result<NewVersion, FormFault> {
        let field = |name: &str| {
            let found = pairs.iter().rev().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
        };
        parse_version(&field, NOW)
    }

    fn with<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Result<NewVersion, FormFault> {
        made(&[base, more].concat())
    }

    const FLAT: &[(&str, &str)] = &[("plan", " rooms "), ("kind", "flat"), ("price", "0.54"), ("period", "none")];
    const RATES: &[(&str, &str)] = &[
        ("plan", "rooms"),
        ("kind", "rates"),
        ("price1", "1.2"),
        ("price2", "0.9"),
        ("price3", "0.6"),
        ("price4", "0.3"),
        ("period", "none"),
        ("a_from1", "00:00"),
        ("a_rate1", "4"),
        ("a_from2", "07:00"),
        ("a_rate2", "2"),
        ("month1", "1"),
        ("day1", "1"),
        ("use1", "1"),
    ];

    #[test]
    fn a_flat_price_with_tiers_and_an_instant() {
        let plain = NewVersion { plan: "rooms".into(), from: None, prices: Prices::flat(5_400) };
        assert_eq!(made(FLAT), Ok(plain.clone()));
        let tiers = [
            ("period", "year"),
            ("threshold2", "2400"),
            ("threshold3", "4000.5"),
            ("surcharge2", "0.05"),
            ("surcharge3", "0.3"),
            ("from", "2026-12-01T00:00"),
        ];
        let made = with(FLAT, &tiers).unwrap();
        let wanted = Tiers { period: TierPeriod::Year, thresholds: [2_400_000, 4_000_500], surcharges: [500, 3_000] };
        assert_eq!(made.prices.tiers, wanted);
        assert_eq!(made.from, Civil { year: 2026, month: 12, day: 1, hour: 0, minute: 0, second: 0 }.timestamp());
        assert_eq!(made.prices.validate(), Ok(()));
    }

    #[test]
    fn rates_have_tables_seasons_and_special_periods() {
        let special = [("s1_month", "7"), ("s1_day", "10"), ("s1_to_month", "8"), ("s1_to_day", "31"), ("s1_use", "2")];
        let made = with(RATES, &special).unwrap();
        assert_eq!(made.prices.tables[0].to_string(), "00:00=4 07:00=2");
        assert_eq!(made.prices.plan, parse_plan("01-01=1 07-10=2 09-01=1").unwrap());
        assert_eq!(made.prices.validate(), Ok(()));
    }

    #[test]
    fn a_plan_name_is_measured_in_characters() {
        assert!(is_plan_name(&"价".repeat(PLAN_NAME_MAX)));
        for wrong in ["", " ", "a\nb", &"价".repeat(PLAN_NAME_MAX + 1)] {
            assert!(!is_plan_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn each_fault_names_its_field() {
        let price = |name| FormFault::Field(Problem::Price(name));
        for (base, more, fault) in [
            (FLAT, &[("plan", "")][..], FormFault::Name),
            (FLAT, &[("kind", "")], FormFault::Kind),
            (FLAT, &[("price", "0")], price("price")),
            (FLAT, &[("price", "10.0001")], price("price")),
            (FLAT, &[("from", "2026-01-01T00:00")], FormFault::From),
            (FLAT, &[("from", "2030-01-01T00:00")], FormFault::From),
            (FLAT, &[("period", "week")], FormFault::Field(Problem::Choice("period"))),
            (
                FLAT,
                &[("period", "month"), ("threshold2", "9"), ("threshold3", "8"), ("surcharge2", "0"), ("surcharge3", "0")],
                FormFault::Field(Problem::Thresholds),
            ),
            (RATES, &[("price4", "")], price("price4")),
            (RATES, &[("a_from2", "00:00")], FormFault::Table(1)),
            (RATES, &[("b_from1", "08:00"), ("b_rate1", "1")], FormFault::Table(2)),
            (RATES, &[("day1", "32")], FormFault::Field(Problem::Plan)),
            (
                RATES,
                &[("s1_month", "2"), ("s1_day", "30"), ("s1_to_month", "3"), ("s1_to_day", "1"), ("s1_use", "2")],
                FormFault::Special,
            ),
            (
                RATES,
                &[("s1_month", "2"), ("s1_day", "1"), ("s1_to_month", "3"), ("s1_to_day", "1"), ("s1_use", "")],
                FormFault::Special,
            ),
        ] {
            assert_eq!(with(base, more), Err(fault), "{more:?}");
        }
        let periods = [
            ("s1_month", "5"),
            ("s1_day", "1"),
            ("s1_to_month", "5"),
            ("s1_to_day", "3"),
            ("s1_use", "2"),
            ("s2_month", "10"),
            ("s2_day", "1"),
            ("s2_to_month", "10"),
            ("s2_to_day", "7"),
            ("s2_use", "2"),
        ];
        assert_eq!(with(RATES, &periods), Err(FormFault::Entries), "one season and two periods are five changes");
    }

    #[test]
    fn a_special_period_wraps_over_new_year() {
        let plan = parse_plan("03-01=1 09-01=2").unwrap();
        let text =
            |plan: Option<Vec<PlanEntry>>| plan.map(|plan| plan.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(text(with_special(&plan, (12, 24), (1, 6), 1)).as_deref(), Some("01-07=2 03-01=1 09-01=2 12-24=1"));
        assert_eq!(text(with_special(&plan, (2, 20), (3, 5), 2)).as_deref(), Some("02-20=2 03-06=1 09-01=2"));
        assert_eq!(text(with_special(&plan, (2, 20), (2, 29), 2)).as_deref(), Some("02-20=2 03-01=1 09-01=2"));
        assert_eq!(text(with_special(&plan, (12, 1), (12, 31), 1)).as_deref(), Some("01-01=2 03-01=1 09-01=2 12-01=1"));
        assert_eq!(with_special(&[], (1, 1), (1, 2), 1), None);
        assert_eq!(with_special(&plan, (1, 1), (2, 30), 1), None);
    }
}
