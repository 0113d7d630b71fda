//! The form of a version: a plain form whose next page is the dry run.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::super::price_fields::{day, decimal, periods, radios, season, slot, tables};
use super::yuan;
use crate::i18n::price_plans::{fault, texts};
use crate::i18n::{commands, common, lang, prices};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::console::PlanPage;
use model::ids::Uuid;
use model::issue::{ENTRIES, Fields, PRICES, SLOTS};
use model::parameters::TierPeriod;
use model::tariff::{FormFault, PLAN_NAME_MAX, Prices, SPECIALS};

/// Rows of a day table that are shown at once; the others are folded.
const ROWS: usize = 6;

/// The values of the form's fields.
type Values = Box<dyn Fn(&str) -> String + Send + Sync>;

/// The page: `/prices/new`, `/prices/new?of=<plan>` with the values of the plan's newest version, or with the values
/// of the address.
#[component]
pub fn NewPricesPage() -> impl IntoView {
    let of = Uuid::parse_str(&param("of")).ok();
    let filled = !param("kind").is_empty();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        match of.filter(|_| !filled) {
            Some(of) => Ok(Some(ports.prices.price_plan(&who, of, None).await?)),
            None => Ok(None),
        }
    };
    load(read, |plan| {
        let values: Values = match plan {
            Some(plan) => of_plan(&plan),
            None => Box::new(param),
        };
        view! { <PricesForm values wrong=None /> }.into_any()
    })
}

/// The fields of the newest version of a plan.
fn of_plan(plan: &PlanPage) -> Values {
    let prices = plan.versions.first().map(|version| version.prices.clone()).unwrap_or_default();
    let mut fields = vec![("plan".to_owned(), plan.name.clone())];
    let is_flat = prices.plan.is_empty();
    fields.push(("kind".to_owned(), if is_flat { "flat" } else { "rates" }.to_owned()));
    fields.push(("price".to_owned(), yuan(prices.price(3))));
    fields.extend(PRICES.iter().zip(prices.rates).map(|(name, price)| ((*name).to_owned(), yuan(price))));
    fields.extend(tier_fields(&prices));
    for (prefix, table) in [("a", 1), ("b", 2)] {
        for (n, slot) in (1..).zip(prices.table(table)) {
            fields.push((format!("{prefix}_from{n}"), super::year::clock(slot.starts)));
            fields.push((format!("{prefix}_rate{n}"), slot.rate.to_string()));
        }
    }
    for (n, entry) in (1..).zip(&prices.plan) {
        fields.push((format!("month{n}"), entry.month.to_string()));
        fields.push((format!("day{n}"), entry.day.to_string()));
        fields.push((format!("use{n}"), entry.table.to_string()));
    }
    Box::new(move |name| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default())
}

fn tier_fields(prices: &Prices) -> Vec<(String, String)> {
    let tiers = prices.tiers;
    if tiers.period == TierPeriod::None {
        return vec![("period".to_owned(), "none".to_owned())];
    }
    let kwh = |wh: i64| format!("{}.{:02}", wh / 1_000, wh % 1_000 / 10);
    let ([second, third], [over2, over3]) = (tiers.thresholds.map(kwh), tiers.surcharges.map(yuan));
    let pairs = [
        ("period", tiers.period.as_str().to_owned()),
        ("threshold2", second),
        ("threshold3", third),
        ("surcharge2", over2),
        ("surcharge3", over3),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The form; after an error with what was entered.
#[component]
pub fn PricesForm(values: Values, wrong: Option<FormFault>) -> impl IntoView {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    let is_new = values("plan").is_empty();
    let title = if is_new { t.new_plan } else { t.new_version };
    let wrong = wrong.map(|wrong| view! { <Callout tone=Tone::Bad><p>{fault(wrong, lang())}</p></Callout> });
    let chosen = values("kind");
    let kinds =
        [("flat", t.kind_flat, t.kind_flat_hint), ("rates", t.kind_rates, t.kind_rates_hint)].map(|(value, word, hint)| {
            let checked = chosen == value || (value == "flat" && chosen.is_empty());
            view! {
                <label class="check">
                    <input type="radio" name="kind" value=value required checked=checked />
                    <span>{word}<span class="hint">{hint}</span></span>
                </label>
            }
        });
    let per_kwh = format!("{}/kWh", common::yuan(lang()));
    let rates =
        (1..).zip(PRICES).map(|(n, name)| decimal(&values, name, format!("{} ({per_kwh})", common::rate(n, lang())), false));
    let rates = rates.collect_view();
    let seasons = (1..=ENTRIES).map(|n| season(&values, n)).collect_view();
    let specials = (1..=SPECIALS).map(|n| special(&values, n)).collect_view();
    view! {
        <Frame title=title section=Section::Prices>
            <div class="stack-tight">
                <p class="small"><a href="/prices">{p.prices}</a></p>
                <h1>{title}</h1>
            </div>
            <Notice />
            {wrong}
            <form class="issue price-form" action="/prices/preview">
                <section class="card stack-tight">
                    <div class="pair">
                        <label class="field">
                            <span>{p.plan}</span>
                            <input class="input" name="plan" required maxlength=PLAN_NAME_MAX.to_string() autocomplete="off"
                                value=values("plan") />
                            <span class="hint">{p.plan_hint}</span>
                        </label>
                        <label class="field">
                            <span>{p.from}</span>
                            <input class="input" type="datetime-local" name="from" value=values("from") />
                            <span class="hint">{p.from_hint}</span>
                        </label>
                    </div>
                    <fieldset class="radios"><legend>{t.kind}</legend>{kinds}</fieldset>
                    <div class="only-flat">{decimal(&values, "price", t.price.to_owned(), false)}</div>
                </section>
                <section class="card stack-tight only-rates">
                    <h2>{p.prices}</h2>
                    <div class="field-grid four">{rates}</div>
                    <div class="halves">
                        {table(&values, "a", p.table1)}
                        {table(&values, "b", p.table2)}
                    </div>
                </section>
                <section class="card stack-tight only-rates">
                    <h2>{t.seasons}</h2>
                    <p class="hint">{t.seasons_hint}</p>
                    <ol class="rows">{seasons}</ol>
                    <h3>{t.specials}</h3>
                    <p class="hint">{t.specials_hint}</p>
                    <ol class="rows wide">{specials}</ol>
                </section>
                {tiers(&values)}
                <div class="buttons">
                    <button class="primary">{t.to_preview}</button>
                    <a class="button" href="/prices">{t.cancel}</a>
                </div>
            </form>
        </Frame>
    }
}

fn tiers(values: Fields<'_>) -> impl IntoView + use<> {
    let (p, c) = (prices::texts(lang()), commands::texts(lang()));
    let period = |name: &str| {
        let value = values(name);
        if value.is_empty() { TierPeriod::None.as_str().to_owned() } else { value }
    };
    view! {
        <section class="card stack-tight">
            <h2>{p.tiers}</h2>
            <p class="hint">{texts(lang()).tiers_hint}</p>
            <div class="only-tiers-choice">{radios(&period, "period", c.period, &periods())}</div>
            <div class="field-grid four only-tiers">
                {decimal(values, "threshold2", p.second.to_owned(), false)}
                {decimal(values, "surcharge2", p.over2.to_owned(), false)}
                {decimal(values, "threshold3", p.third.to_owned(), false)}
                {decimal(values, "surcharge3", p.over3.to_owned(), false)}
            </div>
        </section>
    }
}

/// A day table: the first rows, and the rest folded.
fn table(values: Fields<'_>, prefix: &str, label: &'static str) -> impl IntoView + use<> {
    let t = texts(lang());
    let (shown, folded): (Vec<_>, Vec<_>) = (1..=SLOTS).partition(|n| *n <= ROWS);
    let open = folded.iter().any(|n| !values(&format!("{prefix}_from{n}")).is_empty());
    let names = format!("{prefix}_");
    let shown = shown.into_iter().map(|n| slot(values, &names, n)).collect_view();
    let folded = folded.into_iter().map(|n| slot(values, &names, n)).collect_view();
    view! {
        <fieldset class="group stack-tight">
            <legend>{label}</legend>
            <p class="hint">{t.table_hint}</p>
            <ol class="rows">{shown}</ol>
            <details open=open><summary>{t.more_rows}</summary><ol class="rows" start=ROWS + 1>{folded}</ol></details>
        </fieldset>
    }
}

/// From which day to which, which table.
fn special(values: Fields<'_>, n: usize) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <li>
            {day(values, format!("s{n}_month"), format!("s{n}_day"))}
            <span class="muted">{t.until}</span>
            {day(values, format!("s{n}_to_month"), format!("s{n}_to_day"))}
            {tables(values, format!("s{n}_use"))}
        </li>
    }
}
