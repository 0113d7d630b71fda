//! Price plans: which there are, and where each applies.

pub mod form;
pub mod meters;
pub mod plan;
pub mod preview;
pub mod year;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::param;
use super::place_field::PlaceField;
use crate::api::prices::{Plan, PricesView};
use crate::i18n::prices::{AssignedPlan, PlanTaken, PublishedVersion, period, texts};
use crate::i18n::{commands, common, defaults, lang, price_plans};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::defaults::DefaultsOf;
use model::energy::Energy;
use model::money::Money;
use model::parameters::{Slot, TierPeriod};
use model::tariff::{self, Prices, in_force};
use model::time::Timestamp;

/// The page: `/prices`.
#[component]
pub fn PricesPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.prices.prices(&who).await
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: PricesView) -> impl IntoView {
    let t = texts(lang());
    let done = outcome(&shown);
    let rows = shown.plans.iter().map(|one| row(one, shown.now)).collect_view();
    let assign = (!shown.plans.is_empty() && allowed("/api/operator/assign-prices")).then(|| assign(&shown));
    let publish = match (allowed("/prices/new"), shown.may_publish) {
        (false, _) => ().into_any(),
        (true, true) => {
            view! { <a class="button primary" href="/prices/new">{price_plans::texts(lang()).new_plan}</a> }.into_any()
        }
        (true, false) => view! { <p class="hint">{t.only_all}</p> }.into_any(),
    };
    let list = (!shown.plans.is_empty()).then(|| table(rows));
    view! {
        <Frame title=t.prices section=Section::Prices>
            <div class="page-head"><h1>{t.prices}</h1>{publish}</div>
            <Notice />
            {done.map(|words| view! { <Callout tone=Tone::Good><p>{words}</p></Callout> })}
            {shown.plans.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {list}
            <div class="prices-forms">{assign}</div>
        </Frame>
    }
}

fn table(rows: impl IntoView + 'static) -> impl IntoView {
    let t = texts(lang());
    view! {
        <TableScroll label=t.prices>
            <table class="table stacked sticky">
                <caption class="visually-hidden">{t.prices}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.plan}</th>
                        <th scope="col">{t.effective}</th>
                        {common::texts(lang()).rates.map(|rate| view! { <th scope="col" class="number">{rate}</th> })}
                        <th scope="col">{t.tiers}</th>
                        <th scope="col">{t.slots}</th>
                        <th scope="col">{t.holds_at}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    }
}

/// A plan with its version in force, and the next one.
fn row(plan: &Plan, now: Timestamp) -> Option<impl IntoView + use<>> {
    let (t, p) = (texts(lang()), price_plans::texts(lang()));
    let (version, next) = in_force(&plan.versions, now, |version| version.effective_at)?;
    let next = next.map(|next| {
        view! { <div class="small muted">{p.next}" "{next.number}" · "<At at=next.effective_at /></div> }
    });
    let named = version.prices.rates.into_iter().zip(common::texts(lang()).rates);
    let rates = named.map(|(rate, name)| view! { <td class="number" data-label=name>{yuan(rate)}</td> }).collect_view();
    let places = plan.places.iter().map(|(of, name)| defaults::named(*of, name, lang()));
    let places = common::list(places.chain(plan.is_elsewhere.then(|| t.elsewhere.to_owned())), lang());
    let places = places.unwrap_or_else(|| t.nowhere.to_owned());
    Some(view! {
        <tr>
            <th scope="row"><a href=format!("/prices/{}", plan.id)>{plan.name.clone()}</a></th>
            <td data-label=t.effective><At at=version.effective_at />{next}</td>
            {rates}
            <td class="num long" data-label=t.tiers>{tiers(&version.prices)}</td>
            <td class="num long" data-label=t.slots>{slots(&version.prices)}</td>
            <td class="long" data-label=t.holds_at>{places}</td>
        </tr>
    })
}

/// What the last form did, in the values that hold now.
fn outcome(shown: &PricesView) -> Option<String> {
    let (t, lang) = (texts(lang()), lang());
    match param("done").as_str() {
        "published" => {
            let plan = shown.plans.iter().find(|plan| plan.name == param("plan"));
            let version = plan.and_then(|plan| plan.versions.iter().max_by_key(|version| version.number));
            let told = plan.zip(version).map(|(plan, version)| {
                let from = common::at(version.effective_at, shown.now, lang);
                PublishedVersion { plan: &plan.name, number: version.number, from, price: brief(&version.prices) }.text(lang)
            });
            Some(told.unwrap_or_else(|| t.published.to_owned()))
        }
        "assigned" => {
            let of: Option<DefaultsOf> = param("of").parse().ok();
            let mut given = shown.plans.iter().flat_map(|plan| plan.places.iter().map(move |(of, name)| (plan, *of, name)));
            let told = given
                .find(|(_, one, _)| of == Some(*one))
                .map(|(plan, of, name)| AssignedPlan { place: defaults::named(of, name, lang), plan: &plan.name }.text(lang));
            let group = shown.groups.iter().find(|(id, _)| of == Some(DefaultsOf::Group(*id)));
            let told = told.or_else(|| group.map(|(_, name)| PlanTaken { group: name }.text(lang)));
            Some(told.unwrap_or_else(|| t.assigned.to_owned()))
        }
        _ => None,
    }
}

/// `0.5380 yuan/kWh`, or the price of each rate, with the tiers where there are any.
pub(super) fn brief(prices: &Prices) -> String {
    let price = prices.flat_price().map_or_else(|| rates(prices), |price| price.to_string());
    let tiers = (prices.tiers.period != TierPeriod::None).then(|| format!(" · {}", tiers(prices)));
    format!("{price} {}{}", texts(lang()).a_kwh, tiers.unwrap_or_default())
}

/// The price of each rate.
pub(super) fn rates(prices: &Prices) -> String {
    let names = common::texts(lang()).rates.into_iter().zip(prices.rates);
    names.map(|(name, rate)| format!("{name} {}", yuan(rate))).collect::<Vec<_>>().join(" · ")
}

/// Yuan/kWh with four decimals.
pub(super) fn yuan(price: u32) -> String {
    Money(price.into()).to_string()
}

pub(super) fn tiers(prices: &Prices) -> String {
    let tiers = prices.tiers;
    if tiers.period == TierPeriod::None {
        return period(tiers.period, lang()).to_owned();
    }
    let [second, third] = tiers.thresholds.map(|wh| Energy(wh).to_string());
    let [over2, over3] = tiers.surcharges.map(yuan);
    format!("{}: {second} kWh +{over2}, {third} kWh +{over3}", period(tiers.period, lang()))
}

/// The date plan and the day tables, one line each.
pub(super) fn slots(prices: &Prices) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let tables = [t.table1, t.table2].into_iter().zip(&prices.tables).filter(|(_, table)| !table.0.is_empty());
    let mut lines = vec![commands::plan(&prices.plan, lang)];
    let of_meter =
        |slot: &tariff::Slot| Slot { rate: slot.rate, hour: (slot.starts / 60) as u8, minute: (slot.starts % 60) as u8 };
    lines.extend(tables.map(|(name, table)| {
        let slots: Vec<Slot> = table.0.iter().map(of_meter).collect();
        format!("{name}: {}", commands::slots(&slots, lang))
    }));
    if prices.plan.is_empty() {
        lines = vec!["—".to_owned()];
    }
    lines.into_iter().map(|line| view! { <div>{line}</div> }).collect_view()
}

fn assign(shown: &PricesView) -> impl IntoView + use<> {
    let t = texts(lang());
    let plans = shown.plans.iter().map(|plan| view! { <option value=plan.id.to_string()>{plan.name.clone()}</option> });
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/assign-prices">
            <h2>{t.assign}</h2>
            <p class="hint">{t.assign_hint}</p>
            {(!shown.may_publish).then(|| view! { <p class="hint">{t.group_only_all}</p> })}
            <PlaceField label=t.place places=shown.places.clone() groups=shown.groups.clone() />
            <label class="field"><span>{t.plan}</span><select class="input" name="plan"
                required>{plans.collect_view()}</select></label>
            <button class="primary">{t.assign}</button>
        </form>
    }
}
