//! What a kWh costs now, and why.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::prices::{year, yuan};
use crate::i18n::price_plans::change;
use crate::i18n::price_steps::{
    AppliesAt, AppliesByGroup, ChargedAt, GroupsYield, MeterShows, NextTier, NextVersion, ReadAt, StandbyFrom, TierAt, UntilAt,
    VersionSince, period, season, texts,
};
use crate::i18n::{commands, common, lang};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use model::console::{LastCharge, OwnPrices, PlanInForce, PriceNow, PriceSteps, TierStep};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::MeterId;
use model::meter::Wallet;
use model::time::Timestamp;

/// The page: `/rooms/:meter/price`.
#[component]
pub fn PriceNowPage() -> impl IntoView {
    let meter = use_params_map().with_untracked(|params| params.get("meter")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let meter: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        ports.prices.price_now(&who, meter).await
    };
    load(read, |price| view! { <Body price /> }.into_any())
}

#[component]
fn Body(price: PriceNow) -> impl IntoView {
    let t = texts(lang());
    let room = format!("/rooms/{}", price.meter);
    let (at, is_own) = (price.at, price.wallet == Wallet::Meter);
    let who = if is_own { t.by_meter } else { t.by_server };
    let answer = match &price.steps {
        Some(steps) => {
            let unit = format!(" {}/kWh", common::yuan(lang()));
            view! { <p class="price-now">{steps.price.to_string()}<span class="unit">{unit}</span></p> }.into_any()
        }
        None if is_own => view! { <p class="empty">{t.never_read}</p> }.into_any(),
        None => view! { <p class="empty">{t.no_plan}" "<a href="/prices">{t.to_prices}</a></p> }.into_any(),
    };
    let plan = match &price.plan {
        Some(plan) => plan_step(plan, at).into_any(),
        None => view! { <li><h2>{t.step_plan}</h2><p>{t.no_plan}</p></li> }.into_any(),
    };
    let own = price.own.as_ref().map(|own| own_step(own, price.plan.is_some(), at));
    let steps = price.steps.as_ref().map(|steps| steps_of(steps, at));
    let last = price.last.map(|last| last_charge(last, price.steps.as_ref().map(|steps| steps.rate), at));
    let yesterday = format!("{room}/days/{}", at.date().plus(-1));
    view! {
        <Frame title=t.now_title section=Section::Wall>
            <div class="stack-tight">
                <p class="small"><a href=room>{price.room.to_string()}</a></p>
                <h1>{t.now_title}</h1>
            </div>
            <section class="card stack-tight">
                {answer}
                <p class="muted">{common::at(at, at, lang())}" · "{who}</p>
            </section>
            <section class="card">
                <ol class="price-steps">{plan}{own}{steps}{last}</ol>
            </section>
            <p class="no-print"><a href=yesterday>{t.yesterday}</a></p>
        </Frame>
    }
}

fn plan_step(plan: &PlanInForce, now: Timestamp) -> impl IntoView + use<> {
    let t = texts(lang());
    let since = VersionSince { number: plan.number, since: common::at(plan.since, now, lang()) }.text(lang());
    let (of, name) = &plan.given_to;
    let given = match of {
        DefaultsOf::Place(_) => AppliesAt { place: name }.text(lang()),
        DefaultsOf::Group(_) => AppliesByGroup { group: name }.text(lang()),
    };
    let place = (!name.is_empty()).then(|| view! { <p>{given}</p> });
    let yielding = common::list(plan.yielding.iter().cloned(), lang()).map(|groups| {
        view! { <p class="muted">{GroupsYield { groups }.text(lang())}</p> }
    });
    let next = plan.next.map(|(number, at)| {
        view! { <p class="muted">{NextVersion { number, at: common::at(at, now, lang()) }.text(lang())}</p> }
    });
    view! {
        <li>
            <h2>{t.step_plan}</h2>
            <p class="sentence"><a href=format!("/prices/{}", plan.plan)>{plan.name.clone()}</a>" · "{since}</p>
            {place}
            {yielding}
            {next}
        </li>
    }
}

/// A meter that holds its own credit goes by what it keeps, whatever the plan says.
fn own_step(own: &OwnPrices, has_plan: bool, now: Timestamp) -> impl IntoView + use<> {
    let t = texts(lang());
    let read = ReadAt { at: common::at(own.read_at, now, lang()) }.text(lang());
    let standby = own.standby.map(|(prices, at)| {
        let words = StandbyFrom { at: common::at(at, now, lang()), prices: commands::prices(&prices, lang()) }.text(lang());
        view! { <p>{words}</p> }
    });
    let against = match (&own.differs[..], has_plan) {
        (_, false) => None,
        ([], true) => Some(view! { <p>{t.as_planned}</p> }.into_any()),
        (differs, true) => {
            let lines = differs.iter().map(|one| view! { <li>{change(*one, lang())}</li> }).collect_view();
            Some(view! { <Callout tone=Tone::Warn><p>{t.differs}</p><ul class="plain">{lines}</ul></Callout> }.into_any())
        }
    };
    let shows = shown(own.shown, now).map(|words| view! { <p class="muted">{words}</p> });
    view! { <li><h2>{t.step_meter}</h2><p>{read}</p>{shows}{standby}{against}</li> }
}

fn steps_of(steps: &PriceSteps, now: Timestamp) -> impl IntoView + use<> {
    let t = texts(lang());
    let until = match steps.until {
        Some(at) => UntilAt { at: common::at(at, now, lang()) }.text(lang()),
        None => t.no_other_rate.to_owned(),
    };
    let tier = match steps.tier {
        Some(tier) => tier_step(tier).into_any(),
        None => view! { <p>{t.no_tiers}</p> }.into_any(),
    };
    let over = steps.tier.map_or(0, |tier| tier.surcharge);
    view! {
        <li><h2>{t.step_season}</h2><p>{season(steps.season, lang())}</p></li>
        <li><h2>{t.step_day}</h2>{year::hours(&steps.spans, t.step_day.to_owned())}</li>
        <li>
            <h2>{t.step_rate}</h2>
            <p><strong>{common::rate(steps.rate, lang())}</strong>" · "<span class="num">{yuan(steps.base)}</span></p>
            <p class="muted">{until}</p>
        </li>
        <li><h2>{t.step_tier}</h2>{tier}</li>
        <li>
            <h2>{t.step_sum}</h2>
            <p class="num">{yuan(steps.base)}" + "{yuan(over)}" = "<strong>{steps.price.to_string()}</strong>
                " "{common::yuan(lang())}"/kWh"</p>
        </li>
    }
}

/// What was charged last, and why its rate may be another one than the hours say.
fn last_charge(last: LastCharge, by_hour: Option<u8>, now: Timestamp) -> impl IntoView {
    let t = texts(lang());
    let words = ChargedAt {
        at: common::at(last.at, now, lang()),
        rate: common::rate(last.rate, lang()),
        tier: last.tier,
        price: last.price.to_string(),
    };
    let other = (by_hour.is_some_and(|rate| rate != last.rate)).then(|| view! { <p class="muted">{t.by_registers}</p> });
    view! { <li><h2>{t.step_last}</h2><p>{words.text(lang())}</p>{other}</li> }
}

fn tier_step(tier: TierStep) -> impl IntoView {
    let t = texts(lang());
    let at = TierAt { tier: tier.tier, used: tier.used.to_string(), period: period(tier.period, lang()) }.text(lang());
    let next = match tier.next {
        Some(next) => NextTier { kwh: next.to_string() }.text(lang()),
        None => t.last_tier.to_owned(),
    };
    view! { <p>{at}" · +"<span class="num">{yuan(tier.surcharge)}</span></p><p class="muted">{next}</p> }
}

/// The rate that a meter showed last, beside the one that its tables say.
fn shown(rate: Option<(u8, Timestamp)>, now: Timestamp) -> Option<String> {
    let (rate, at) = rate?;
    Some(MeterShows { rate: common::rate(rate, lang()), at: common::at(at, now, lang()) }.text(lang()))
}
