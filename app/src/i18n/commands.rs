//! Texts of the console's pages for commands: what is sent to meters, and how far each command is.

use super::Lang;
pub use super::catalogue::commands::*;
use super::common;
use model::command::CommandReason;
use model::console::LeftOut;
use model::energy::Energy;
use model::issue::{Issue, Kind, Problem};
use model::money::{Fen, Money};
use model::order::CommandState;
use model::parameters::{Limits, PlanEntry, Slot, TierPeriod, Tiers};
use model::time::Timestamp;

/// What a kind is called.
#[must_use]
pub const fn kind(kind: Kind, lang: Lang) -> &'static str {
    let t = texts(lang).kind_names;
    match kind {
        Kind::Mode => t.mode,
        Kind::Switch => t.switch,
        Kind::Limits => t.limits,
        Kind::Prices => t.prices,
        Kind::Standby => t.standby,
        Kind::Cancel => t.cancel,
        Kind::Tiers => t.tiers,
        Kind::DayTable => t.day_table,
        Kind::DatePlan => t.date_plan,
        Kind::Clock => t.clock,
        Kind::Read => t.read,
    }
}

/// What it is for, in a line.
#[must_use]
pub const fn purpose(kind: Kind, lang: Lang) -> &'static str {
    let t = texts(lang).purpose;
    match kind {
        Kind::Mode => t.mode,
        Kind::Switch => t.switch,
        Kind::Limits => t.limits,
        Kind::Prices => t.prices,
        Kind::Standby => t.standby,
        Kind::Cancel => t.cancel,
        Kind::Tiers => t.tiers,
        Kind::DayTable => t.day_table,
        Kind::DatePlan => t.date_plan,
        Kind::Clock => t.clock,
        Kind::Read => t.read,
    }
}

/// An amount in a meter, with two decimals.
#[must_use]
pub fn amount(fen: u32) -> String {
    Fen(fen.into()).to_string()
}

/// A price or surcharge, yuan/kWh with four decimals.
#[must_use]
pub fn price(e4: u32) -> String {
    Money(e4.into()).to_string()
}

/// Energy of a threshold, kWh.
#[must_use]
pub fn threshold(centi_kwh: u32) -> String {
    Energy(i64::from(centi_kwh).saturating_mul(10)).to_string()
}

/// `尖 0.9000 · 峰 0.7000 · 平 0.5383 · 谷 0.3000 元/kWh`.
#[must_use]
pub fn prices(prices: &[u32; 4], lang: Lang) -> String {
    let parts: Vec<String> = (1..).zip(prices).map(|(n, e4)| format!("{} {}", common::rate(n, lang), price(*e4))).collect();
    format!("{} {}/kWh", parts.join(" · "), common::yuan(lang))
}

/// Limits in a line.
#[must_use]
pub fn limits(limits: &Limits, lang: Lang) -> String {
    let unlimited = || texts(lang).unlimited.to_owned();
    let amount = |fen| format!("{} {}", amount(fen), common::yuan(lang));
    LimitsLine {
        alarm1: amount(limits.alarm1),
        alarm2: amount(limits.alarm2),
        overdraft: amount(limits.overdraft),
        hoarding: if limits.hoarding == 0 { unlimited() } else { amount(limits.hoarding) },
        overload: if limits.overload_w == 0 { unlimited() } else { format!("{} W", limits.overload_w) },
    }
    .text(lang)
}

/// A tier period.
#[must_use]
pub const fn period(period: TierPeriod, lang: Lang) -> &'static str {
    let t = texts(lang);
    match period {
        TierPeriod::None => t.period_none,
        TierPeriod::Month => t.period_month,
        TierPeriod::Year => t.period_year,
    }
}

/// Tiers in a line.
#[must_use]
pub fn tiers(tiers: &Tiers, lang: Lang) -> String {
    if tiers.period == TierPeriod::None {
        return period(tiers.period, lang).to_owned();
    }
    let period = period(tiers.period, lang);
    let ([tier2, tier3], [surcharge2, surcharge3]) = (tiers.thresholds, tiers.surcharges);
    let (tier2, tier3) = (threshold(tier2), threshold(tier3));
    TiersLine { period, tier2, tier3, surcharge2: price(surcharge2), surcharge3: price(surcharge3) }.text(lang)
}

/// A day table in a line.
#[must_use]
pub fn slots(slots: &[Slot], lang: Lang) -> String {
    if slots.is_empty() {
        return texts(lang).flat_day.to_owned();
    }
    let part = |slot: &Slot| format!("{:02}:{:02} {}", slot.hour, slot.minute, common::rate(slot.rate, lang));
    slots.iter().map(part).collect::<Vec<_>>().join(" · ")
}

/// A date plan in a line.
#[must_use]
pub fn plan(entries: &[PlanEntry], lang: Lang) -> String {
    if entries.is_empty() {
        return texts(lang).flat_year.to_owned();
    }
    let part = |entry: &PlanEntry| {
        let (month, day) = (format!("{:02}", entry.month), format!("{:02}", entry.day));
        PlanPart { month, day, table: entry.table }.text(lang)
    };
    entries.iter().map(part).collect::<Vec<_>>().join(" · ")
}

/// An instant in full, as one writes it down.
fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
}

/// How far a command is; a step that is still ahead does not carry the name of its end.
#[must_use]
pub const fn state(state: CommandState, lang: Lang) -> &'static str {
    let t = texts(lang);
    match state {
        CommandState::Queued => t.waiting,
        CommandState::Sending => t.sending,
        CommandState::Done => t.done,
        CommandState::Failed | CommandState::Case => t.failed,
        CommandState::Superseded => t.dropped,
    }
}

/// An issued command with its values, in a line.
#[must_use]
pub fn summary(issue: &Issue, lang: Lang) -> String {
    let t = texts(lang);
    let name = kind(issue.kind(), lang);
    let values = match issue {
        Issue::Mode(mode) => common::mode(*mode, lang).to_owned(),
        Issue::Switch(true) => t.on.to_owned(),
        Issue::Switch(false) => t.off.to_owned(),
        Issue::Limits(values) => limits(values, lang),
        Issue::Prices(values) => prices(values, lang),
        Issue::Standby { prices: values, at } => StandbyLine { at: instant(*at), prices: prices(values, lang) }.text(lang),
        Issue::Tiers(values) => tiers(values, lang),
        Issue::DayTable { table, slots: values } => DayTableLine { table, slots: slots(values, lang) }.text(lang),
        Issue::DatePlan(entries) => plan(entries, lang),
        Issue::Cancel | Issue::Clock | Issue::Read => return name.to_owned(),
    };
    Labelled { label: name, value: values }.text(lang)
}

/// What it will do to those meters.
#[must_use]
pub fn consequence(issue: &Issue, meters: usize, lang: Lang) -> String {
    let t = texts(lang).consequence;
    match issue {
        Issue::Mode(mode) => {
            let whom = if meters == 1 { texts(lang).this_room.to_owned() } else { many(meters, lang) };
            return super::room::consequence(*mode, &whom, lang);
        }
        Issue::Switch(true) => t.switch_on,
        Issue::Switch(false) => t.switch_off,
        Issue::Limits(_) => t.limits,
        Issue::Prices(_) => t.prices,
        Issue::Standby { .. } => t.standby,
        Issue::Cancel => t.cancel,
        Issue::Tiers(_) => t.tiers,
        Issue::DayTable { .. } => t.day_table,
        Issue::DatePlan(_) => t.date_plan,
        Issue::Clock => t.clock,
        Issue::Read => t.read,
    }
    .to_owned()
}

/// `12 块电表`, `12 meters`.
#[must_use]
pub fn many(meters: usize, lang: Lang) -> String {
    MeterCount { count: meters }.text(lang)
}

/// Why a meter is left out.
#[must_use]
pub const fn left_out(why: LeftOut, lang: Lang) -> &'static str {
    let t = texts(lang).left_out_reason;
    match why {
        LeftOut::Lost => t.lost,
        LeftOut::Ability => t.ability,
        LeftOut::NotOpen => t.not_open,
    }
}

/// What is wrong with a form, and the remedy.
#[must_use]
pub const fn problem(problem: Problem, lang: Lang) -> &'static str {
    let t = texts(lang).problem;
    match problem {
        Problem::Nobody => t.nobody,
        Problem::Choice(_) => t.choice,
        Problem::Amount(_) => t.amount,
        Problem::Alarms => t.alarms,
        Problem::Power => t.power,
        Problem::Price(_) => t.price,
        Problem::SwitchOver => t.switch_over,
        Problem::Energy(_) => t.energy,
        Problem::Thresholds => t.thresholds,
        Problem::Slots => t.slots,
        Problem::Plan => t.plan,
    }
}

/// Why a command waits, failed, or was given up; the stored word for reasons without a text.
#[must_use]
pub fn reason(reason: CommandReason, lang: Lang) -> String {
    let word = reason.as_str();
    texts(lang).note.get(word).unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_the_values_of_the_command() {
        let limits = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 0, overload_w: 1_800 };
        assert_eq!(
            summary(&Issue::Limits(limits), Lang::Zh),
            "限值：报警一 20.00 元 · 报警二 5.00 元 · 透支 0.00 元 · 囤积 不限 · 过载 1800 W"
        );
        assert_eq!(
            summary(&Issue::Prices([9_000, 7_000, 5_383, 3_000]), Lang::En),
            "Prices, effective immediately: Super-peak 0.9000 · Peak 0.7000 · Standard 0.5383 · Off-peak 0.3000 yuan/kWh"
        );
        assert_eq!(summary(&Issue::Clock, Lang::Zh), "校时");
    }
}
