//! The fields of each command, filled in from the query.

use leptos::prelude::*;

use super::super::parts::param;
use crate::i18n::commands::texts;
use crate::i18n::{common, lang};
use model::issue::{ENTRIES, Kind, PRICES, SLOTS};
use model::meter::ControlMode;

/// The fields of a kind.
pub fn fields(kind: Kind) -> AnyView {
    let t = texts(lang());
    match kind {
        Kind::Mode => {
            let modes = [ControlMode::Prepaid, ControlMode::Guaranteed, ControlMode::ForcedOff];
            radios("mode", t.mode, modes.map(|mode| (mode.as_str(), common::mode(mode, lang()))).to_vec())
        }
        Kind::Switch => radios("on", t.what, vec![("1", t.on), ("0", t.off)]),
        Kind::Limits => view! {
            <div class="field-grid">
                {decimal("alarm1", t.alarm1, "")}
                {decimal("alarm2", t.alarm2, "")}
                {decimal("overdraft", t.overdraft, "")}
                {decimal("hoarding", t.hoarding, t.zero_none)}
                {decimal("overload_w", t.overload, t.zero_none)}
            </div>
        }
        .into_any(),
        Kind::Prices => prices().into_any(),
        Kind::Standby => view! {
            {prices()}
            <label class="field">
                <span>{t.switch_at}</span>
                <input class="input" type="datetime-local" name="at" required value=param("at") />
            </label>
        }
        .into_any(),
        Kind::Tiers => view! {
            {radios("period", t.period, vec![("none", t.period_none), ("month", t.period_month), ("year", t.period_year)])}
            <div class="field-grid">
                {optional("threshold2", t.tier2_from)}
                {optional("surcharge2", t.tier2_more)}
                {optional("threshold3", t.tier3_from)}
                {optional("surcharge3", t.tier3_more)}
            </div>
        }
        .into_any(),
        Kind::DayTable => view! {
            {radios("table", t.table, vec![("1", "1"), ("2", "2")])}
            <ol class="rows">{(1..=SLOTS).map(slot).collect_view()}</ol>
        }
        .into_any(),
        Kind::DatePlan => view! { <ol class="rows">{(1..=ENTRIES).map(entry).collect_view()}</ol> }.into_any(),
        Kind::Cancel | Kind::Clock | Kind::Read => view! { <p class="muted">{t.nothing_to_fill}</p> }.into_any(),
    }
}

fn prices() -> impl IntoView {
    let yuan = common::yuan(lang());
    let inputs = (1..).zip(PRICES).map(|(n, name)| input(name, format!("{} ({yuan}/kWh)", common::rate(n, lang())), "", true));
    view! { <div class="field-grid four">{inputs.collect_view()}</div> }
}

fn decimal(name: &'static str, label: &'static str, hint: &'static str) -> impl IntoView {
    input(name, label.to_owned(), hint, true)
}

fn optional(name: &'static str, label: &'static str) -> impl IntoView {
    input(name, label.to_owned(), "", false)
}

fn input(name: &'static str, label: String, hint: &'static str, required: bool) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                class="input"
                name=name
                inputmode="decimal"
                autocomplete="off"
                pattern="[0-9]+([.][0-9]{1,4})?"
                required=required
                value=param(name)
            />
            {(!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> })}
        </label>
    }
}

fn radios(name: &'static str, label: &'static str, options: Vec<(&'static str, &'static str)>) -> AnyView {
    let chosen = param(name);
    let options = options.into_iter().map(|(value, word)| {
        view! {
            <label class="check">
                <input type="radio" name=name value=value required checked=chosen == value />
                <span>{word}</span>
            </label>
        }
    });
    view! { <fieldset class="radios"><legend>{label}</legend>{options.collect_view()}</fieldset> }.into_any()
}

/// A row of the day table: from when, which rate.
fn slot(n: usize) -> impl IntoView {
    let t = texts(lang());
    let (from, of) = (format!("from{n}"), format!("rate{n}"));
    let chosen = param(&of);
    let first = (n == 1 && param("from1").is_empty()).then(|| "00:00".to_owned());
    let value = first.unwrap_or_else(|| param(&from));
    let rates = (1..=4).map(|one: u8| {
        let code = one.to_string();
        let selected = chosen == code;
        view! { <option value=code selected=selected>{common::rate(one, lang())}</option> }
    });
    view! {
        <li>
            <input class="input" type="time" name=from aria-label=t.from value=value />
            <select name=of aria-label=t.rate><option value="">"—"</option>{rates.collect_view()}</select>
        </li>
    }
}

/// A row of the date plan: from which day, which table.
fn entry(n: usize) -> impl IntoView {
    let t = texts(lang());
    let (month, day, table) = (format!("month{n}"), format!("day{n}"), format!("use{n}"));
    let number = |name: &str, label: &'static str, max: &'static str| {
        view! {
            <label class="inline">
                <input class="input narrow" type="number" min="1" max=max name=name.to_owned() value=param(name) />
                <span>{label}</span>
            </label>
        }
    };
    let chosen = param(&table);
    let tables = ["1", "2"].map(|one| view! { <option value=one selected=chosen == one>{t.table}" "{one}</option> });
    view! {
        <li>
            {number(&month, t.month, "12")}
            {number(&day, t.day, "31")}
            <select name=table aria-label=t.table><option value="">{t.unused}</option>{tables}</select>
        </li>
    }
}
