//! The fields of each command, filled in from the query.

use leptos::prelude::*;

use super::super::parts::param;
use super::super::price_fields::{decimal, hinted_decimal, periods, radios, season, slot};
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
            radios(&param, "mode", t.mode, &modes.map(|mode| (mode.as_str(), common::mode(mode, lang()))))
        }
        Kind::Switch => radios(&param, "on", t.what, &[("1", t.on), ("0", t.off)]),
        Kind::Limits => view! {
            <div class="field-grid">
                {decimal(&param, "alarm1", t.alarm1.to_owned(), true)}
                {decimal(&param, "alarm2", t.alarm2.to_owned(), true)}
                {decimal(&param, "overdraft", t.overdraft.to_owned(), true)}
                {hinted_decimal(&param, "hoarding", t.hoarding.to_owned(), t.zero_none, true)}
                {hinted_decimal(&param, "overload_w", t.overload.to_owned(), t.zero_none, true)}
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
            {radios(&param, "period", t.period, &periods())}
            <div class="field-grid">
                {decimal(&param, "threshold2", t.tier2_from.to_owned(), false)}
                {decimal(&param, "surcharge2", t.tier2_more.to_owned(), false)}
                {decimal(&param, "threshold3", t.tier3_from.to_owned(), false)}
                {decimal(&param, "surcharge3", t.tier3_more.to_owned(), false)}
            </div>
        }
        .into_any(),
        Kind::DayTable => view! {
            {radios(&param, "table", t.table, &[("1", "1"), ("2", "2")])}
            <ol class="rows">{(1..=SLOTS).map(|n| slot(&slot_value, "", n)).collect_view()}</ol>
        }
        .into_any(),
        Kind::DatePlan => view! { <ol class="rows">{(1..=ENTRIES).map(|n| season(&param, n)).collect_view()}</ol> }.into_any(),
        Kind::Cancel | Kind::Clock | Kind::Read => view! { <p class="muted">{t.nothing_to_fill}</p> }.into_any(),
    }
}

fn prices() -> impl IntoView {
    let yuan = common::yuan(lang());
    let inputs =
        (1..).zip(PRICES).map(|(n, name)| decimal(&param, name, format!("{} ({yuan}/kWh)", common::rate(n, lang())), true));
    view! { <div class="field-grid four">{inputs.collect_view()}</div> }
}

/// The first slot begins at midnight.
fn slot_value(name: &str) -> String {
    let value = param(name);
    if name == "from1" && value.is_empty() { "00:00".to_owned() } else { value }
}
