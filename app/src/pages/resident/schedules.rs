//! The resident's schedules of the switch: what is set, what became of it, and a form for another one.

use leptos::prelude::*;

use crate::api::resident::{LastSwitchView, ScheduleView, SwitchOffer};
use crate::i18n::switch_schedule::{LastOff, LastOn, NextOff, NextOn, Overnight, SameDay, SetBy, texts};
use crate::i18n::{Lang, common, lang};
use crate::ports::now;
use model::switch_schedule::{SCHEDULES_MAX, SwitchOutcome, SwitchTimes, Weekdays};

#[component]
pub fn Schedules(offer: SwitchOffer) -> impl IntoView {
    let t = texts(lang());
    let lines = offer.schedules.iter().map(line).collect_view();
    let body = if offer.schedules.is_empty() {
        view! { <p class="muted">{t.none}</p> }.into_any()
    } else {
        view! { <ul class="own-sessions">{lines}</ul> }.into_any()
    };
    let is_full = i64::try_from(offer.schedules.len()).is_ok_and(|count| count >= SCHEDULES_MAX);
    let form = if is_full {
        view! { <p class="hint">{t.full}</p> }.into_any()
    } else {
        view! { <Form key=offer.key.to_string() /> }.into_any()
    };
    view! {
        <section class="card stack" aria-labelledby="schedules">
            <h2 id="schedules">{t.title}</h2>
            <p class="hint">{t.lead}</p>
            {body}
            {form}
        </section>
    }
}

fn line(schedule: &ScheduleView) -> impl IntoView + use<> {
    let (t, lang, now) = (texts(lang()), lang(), now());
    let (at, on) = schedule.next;
    let at = common::at(at, now, lang);
    let next = if on { NextOn { at }.text(lang) } else { NextOff { at }.text(lang) };
    let last = schedule.last.map(|last| {
        let see = last.command.map(|command| view! { " " <a href=format!("/switch/{command}")>{t.see}</a> });
        view! { <p class="muted small">{became(last, lang)}{see}</p> }
    });
    let by = schedule.by.clone().map(|name| view! { <p class="muted small">{SetBy { name }.text(lang)}</p> });
    view! {
        <li>
            <div>
                <p>{words(&schedule.times, lang)}</p>
                {by}
                <p class="muted small">{next}</p>
                {last}
            </div>
            <form method="post" action="/api/resident/remove-schedule">
                <input type="hidden" name="id" value=schedule.id.to_string() />
                <button>{t.remove}</button>
            </form>
        </li>
    }
}

/// What became of the last switching.
fn became(last: LastSwitchView, lang: Lang) -> String {
    let at = common::at(last.at, crate::ports::now(), lang);
    let what = if last.on { LastOn { at }.text(lang) } else { LastOff { at }.text(lang) };
    format!("{what} · {}", outcome(last.outcome, lang))
}

const fn outcome(outcome: SwitchOutcome, lang: Lang) -> &'static str {
    let t = texts(lang).outcome;
    match outcome {
        SwitchOutcome::Sent => t.sent,
        SwitchOutcome::Already => t.already,
        SwitchOutcome::Missed => t.missed,
        SwitchOutcome::Arrears => t.arrears,
        SwitchOutcome::Protection => t.protection,
        SwitchOutcome::Operator => t.operator,
        SwitchOutcome::TooOften => t.too_often,
        SwitchOutcome::NotOpen => t.not_open,
    }
}

fn words(times: &SwitchTimes, lang: Lang) -> String {
    let (off, on) = (times.off.to_string(), times.on.to_string());
    let days = days(times.weekdays, lang);
    if times.is_overnight() { Overnight { days, off, on }.text(lang) } else { SameDay { days, off, on }.text(lang) }
}

fn days(weekdays: Weekdays, lang: Lang) -> String {
    let chosen: Vec<&str> = (0..7).filter(|day| weekdays.contains(*day)).map(|day| common::weekday(day, lang)).collect();
    if chosen.len() == 7 { texts(lang).every_day.to_owned() } else { chosen.join(" ") }
}

#[component]
fn Form(key: String) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let weekdays = (0..7_u8).map(|day| {
        view! {
            <label class="check">
                <input type="checkbox" name="weekdays[]" value=day.to_string() checked=true />
                {common::weekday(day, lang)}
            </label>
        }
    });
    view! {
        <form class="stack-tight" method="post" action="/api/resident/add-schedule">
            <input type="hidden" name="key" value=key />
            <div class="pair">
                <div class="field">
                    <label for="off">{t.off_at}</label>
                    <input class="input" id="off" name="off" type="time" required value="23:00" />
                </div>
                <div class="field">
                    <label for="on">{t.on_at}</label>
                    <input class="input" id="on" name="on" type="time" required value="06:30" />
                </div>
            </div>
            <fieldset class="stack-tight">
                <legend>{t.weekdays}</legend>
                <div class="weekdays">{weekdays.collect_view()}</div>
            </fieldset>
            <button class="wide">{t.add}</button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_says_when_the_room_is_off() {
        let times = |days, off: &str, on: &str| {
            SwitchTimes::new(Weekdays::new(days).unwrap(), off.parse().unwrap(), on.parse().unwrap()).unwrap()
        };
        assert_eq!(words(&times(127, "23:00", "06:30"), Lang::En), "Every day: off at 23:00, on at 06:30 the next day");
        assert_eq!(words(&times(3, "08:00", "18:00"), Lang::Zh), "周一 周二：08:00 断电，18:00 恢复");
    }
}
