//! The inputs for prices, tiers, day tables and date plans, filled in with values by name.

use leptos::prelude::*;

use crate::i18n::commands::{period, texts};
use crate::i18n::{common, lang};
use model::issue::Fields;
use model::parameters::TierPeriod;

/// A number with at most four decimals.
pub fn decimal(values: Fields<'_>, name: &'static str, label: String, required: bool) -> AnyView {
    hinted_decimal(values, name, label, "", required)
}

/// As [`decimal`], with a hint below it where there is one.
pub fn hinted_decimal(values: Fields<'_>, name: &'static str, label: String, hint: &'static str, required: bool) -> AnyView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                class="input"
                name=name
                inputmode="decimal"
                autocomplete="off"
                pattern="[0-9０-９]+([.．][0-9０-９]{1,4})?"
                required=required
                value=values(name)
            />
            {(!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> })}
        </label>
    }
    .into_any()
}

/// A choice of one of several words.
pub fn radios(values: Fields<'_>, name: &'static str, label: &'static str, options: &[(&'static str, &'static str)]) -> AnyView {
    let chosen = values(name);
    let options = options.iter().map(|&(value, word)| {
        view! {
            <label class="check">
                <input type="radio" name=name value=value required checked=chosen == value />
                <span>{word}</span>
            </label>
        }
    });
    view! { <fieldset class="radios"><legend>{label}</legend>{options.collect_view()}</fieldset> }.into_any()
}

/// The tier periods to choose from.
pub fn periods() -> [(&'static str, &'static str); 3] {
    TierPeriod::ALL.map(|one| (one.as_str(), period(one, lang())))
}

/// A row of a day table: from when, which rate. The names begin with `prefix`.
pub fn slot(values: Fields<'_>, prefix: &str, n: usize) -> AnyView {
    let t = texts(lang());
    let (from, of) = (format!("{prefix}from{n}"), format!("{prefix}rate{n}"));
    let (value, chosen) = (values(&from), values(&of));
    let rates = (1..=4).map(|one: u8| {
        let code = one.to_string();
        let selected = chosen == code;
        view! { <option value=code selected=selected>{common::rate(one, lang())}</option> }
    });
    view! {
        <li>
            <input class="input" type="time" name=from aria-label=format!("{} {n}", t.from) value=value />
            <select name=of aria-label=format!("{} {n}", t.rate)><option value="">"—"</option>{rates.collect_view()}</select>
        </li>
    }
    .into_any()
}

/// A day of the year, by the names of its fields.
pub fn day(values: Fields<'_>, month: String, day: String) -> AnyView {
    let t = texts(lang());
    let number = |name: String, label: &'static str| {
        let value = values(&name);
        view! {
            <label class="inline">
                <input class="input narrow" inputmode="numeric" maxlength="2" pattern="[0-9０-９]{1,2}" autocomplete="off" name=name
                    value=value />
                <span>{label}</span>
            </label>
        }
    };
    view! { {number(month, t.month)} {number(day, t.day)} }.into_any()
}

/// Which day table, or none.
pub fn tables(values: Fields<'_>, name: String) -> AnyView {
    let t = texts(lang());
    let chosen = values(&name);
    let options = ["1", "2"].map(|one| view! { <option value=one selected=chosen == one>{t.table}" "{one}</option> });
    view! { <select name=name aria-label=t.table><option value="">{t.unused}</option>{options}</select> }.into_any()
}

/// A row of a date plan: from which day, which table.
pub fn season(values: Fields<'_>, n: usize) -> AnyView {
    view! { <li>{day(values, format!("month{n}"), format!("day{n}"))} {tables(values, format!("use{n}"))}</li> }.into_any()
}
