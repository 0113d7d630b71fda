//! A price plan: its versions, where it applies, and its year.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::{slots, tiers, year, yuan};
use crate::i18n::price_plans::{Waiting, change, texts};
use crate::i18n::{common, defaults, lang, prices};
use crate::link;
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{PlanPage, PlanPlace, PlanVersion};
use model::error::AppError;
use model::ids::Uuid;
use model::time::Timestamp;

/// The page: `/prices/:id?year=2027`.
#[component]
pub fn PricePlanPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let asked = param("year").parse().ok();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id = Uuid::parse_str(&id).map_err(|_| AppError::NotFound)?;
        ports.prices.price_plan(&who, id, asked).await
    };
    load(read, |plan| view! { <Body plan /> }.into_any())
}

#[component]
fn Body(plan: PlanPage) -> impl IntoView {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    let here = format!("/prices/{}", plan.id);
    let done = (param("done") == "published").then_some(p.published);
    let waiting = plan.waiting.as_ref().map(|(who, at)| {
        let words = Waiting { who, at: common::at(*at, plan.now, lang()) }.text(lang());
        view! { <Callout tone=Tone::Warn><p class="sentence">{words}" "<a href="/approvals">{t.to_approvals}</a></p></Callout> }
    });
    let new = (plan.may_publish && allowed("/prices/new")).then(|| {
        let href = link::with("/prices/new", "of", &plan.id.to_string());
        view! { <a class="button primary" href=href>{t.new_version}</a> }
    });
    let meters = format!("{here}/meters");
    let name = plan.name.clone();
    view! {
        <Frame title=name.clone() section=Section::Prices>
            <div class="stack-tight">
                <p class="small no-print"><a href="/prices">{p.prices}</a></p>
                <div class="page-head">
                    <h1>{name}</h1>
                    <span class="buttons no-print">{new}<a class="button" href=meters>{t.issue}</a></span>
                </div>
            </div>
            <Notice />
            {done.map(|words| view! { <Callout tone=Tone::Good><p>{words}</p></Callout> })}
            {waiting}
            {versions(&plan)}
            {places(&plan.places, plan.is_elsewhere)}
            <section class="card stack-tight" id="year">
                <div class="page-head"><h2>{year::title(&plan.year)}</h2>{year::choice(&here, plan.year.year)}</div>
                <p class="hint">{t.year_hint}</p>
                {year::calendar(&plan.year, Some(plan.now.date()))}
            </section>
        </Frame>
    }
}

fn versions(plan: &PlanPage) -> impl IntoView + use<> {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    let in_force = plan.in_force().map(|version| version.effective_at);
    let rows = plan.versions.iter().map(|one| version(one, in_force)).collect_view();
    let columns = [
        Column::number(p.version),
        Column::text(p.effective),
        Column::text(t.price),
        Column::text(p.tiers),
        Column::text(p.slots),
        Column::text(t.changed),
        Column::text(t.made_by),
    ];
    view! {
        <section class="card stack-tight">
            <h2>{t.versions}</h2>
            <DataTable label=t.versions columns stacked=true>{rows}</DataTable>
        </section>
    }
}

fn version(version: &PlanVersion, in_force: Option<Timestamp>) -> impl IntoView + use<> {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    let state = match in_force {
        Some(at) if at == version.effective_at => p.in_force,
        Some(at) if at > version.effective_at => p.past,
        _ => p.to_come,
    };
    let strong = in_force == Some(version.effective_at);
    let named = version.prices.rates.into_iter().zip(common::texts(lang()).rates);
    let rates = named.map(|(rate, name)| view! { <div>{name}" "{yuan(rate)}</div> }).collect_view();
    let changes = match version.number {
        1 => view! { <div>{t.first_version}</div> }.into_any(),
        _ if version.changes.is_empty() => view! { <div>{t.no_change}</div> }.into_any(),
        _ => version.changes.iter().map(|one| view! { <div>{change(*one, lang())}</div> }).collect_view().into_any(),
    };
    let second = version.approved_by.clone().map(|name| view! { <div>{t.approved_by}" "{name}</div> });
    let by = version.by.clone().unwrap_or_else(|| t.the_system.to_owned());
    view! {
        <tr>
            <th scope="row" class="number" data-label=p.version>{version.number}</th>
            <td data-label=p.effective>
                <At at=version.effective_at /><div class=if strong { "strong" } else { "muted" }>{state}</div>
            </td>
            <td class="num" data-label=t.price>{rates}</td>
            <td class="num long" data-label=p.tiers>{tiers(&version.prices)}</td>
            <td class="num long" data-label=p.slots>{slots(&version.prices)}</td>
            <td class="num long" data-label=t.changed>{changes}</td>
            <td data-label=t.made_by>{by}" · "<At at=version.published_at />{second}</td>
        </tr>
    }
}

fn places(places: &[PlanPlace], is_elsewhere: bool) -> impl IntoView + use<> {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    if places.is_empty() && is_elsewhere {
        return view! { <section class="card"><h2>{t.places}</h2><p class="empty">{t.only_elsewhere}</p></section> }.into_any();
    }
    if places.is_empty() {
        let empty = view! { <p class="empty">{t.nowhere}" "<a href="/prices">{p.assign}</a></p> };
        return view! { <section class="card"><h2>{t.places}</h2>{empty}</section> }.into_any();
    }
    let sum = |of: fn(&PlanPlace) -> usize| places.iter().map(of).sum::<usize>();
    let rows = places.iter().map(|place| {
        view! {
            <tr>
                <th scope="row">{defaults::named(place.of, &place.name, lang())}</th>
                <td><At at=place.from /></td>
                <td class="number">{place.meter_wallets}</td>
                <td class="number">{place.server_wallets}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let (own, server) = (sum(|place| place.meter_wallets), sum(|place| place.server_wallets));
    let columns =
        [Column::text(p.place), Column::text(t.since), Column::number(t.meter_wallets), Column::number(t.server_wallets)];
    let foot = view! {
        <tr>
            <th scope="row" colspan="2">{crate::i18n::operator::texts(lang()).total}</th>
            <td class="number">{own}</td>
            <td class="number">{server}</td>
        </tr>
    }
    .into_any();
    view! {
        <section class="card stack-tight">
            <h2>{t.places}</h2>
            <p class="hint">{t.places_hint}</p>
            <DataTable label=t.places columns foot>{rows}</DataTable>
        </section>
    }
    .into_any()
}
