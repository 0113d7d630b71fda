//! Price plans: their versions, and where each plan applies.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::param;
use crate::api::prices::{Plan, PlanVersion, PricesView};
use crate::i18n::prices::{period, texts};
use crate::i18n::{commands, common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::money::Money;
use model::parameters::{PlanEntry, Slot, TierPeriod};
use model::tariff::{self, Prices};
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
    let done = match param("done").as_str() {
        "published" => Some(t.published),
        "assigned" => Some(t.assigned),
        _ => None,
    };
    let plans = shown.plans.iter().map(|one| plan(one, shown.now)).collect_view();
    let assign = (!shown.plans.is_empty() && allowed("/api/operator/assign-prices")).then(|| assign(&shown));
    let publish = match (allowed("/api/operator/publish-prices"), shown.may_publish) {
        (false, _) => ().into_any(),
        (true, true) => publish(&shown.plans).into_any(),
        (true, false) => view! { <p class="hint">{t.only_all}</p> }.into_any(),
    };
    view! {
        <Frame title=t.prices section=Section::Prices>
            <h1>{t.prices}</h1>
            <Notice />
            {done.map(|words| view! { <Callout tone=Tone::Good><p>{words}</p></Callout> })}
            {shown.plans.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {plans}
            <div class="prices-forms">{assign} {publish}</div>
        </Frame>
    }
}

fn plan(plan: &Plan, now: Timestamp) -> impl IntoView + use<> {
    let t = texts(lang());
    let in_force = plan.versions.iter().map(|version| version.effective_at).filter(|&at| at <= now).max();
    let rows = plan.versions.iter().map(|one| version(one, in_force)).collect_view();
    let places = plan.places.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>().join(", ");
    let caption = plan.name.clone();
    view! {
        <section class="card stack-tight">
            <h2>{plan.name.clone()}</h2>
            <p class="small"><span class="muted">{t.holds_at}": "</span>{if places.is_empty() { t.nowhere.to_owned() } else {
                places }}</p>
            <TableScroll label=plan.name.clone()>
                <table class="table stacked">
                    <caption class="visually-hidden">{caption}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="number">{t.version}</th>
                            <th scope="col">{t.effective}</th>
                            {common::texts(lang()).rates.map(|rate| view! { <th scope="col" class="number">{rate}</th> })}
                            <th scope="col">{t.tiers}</th>
                            <th scope="col">{t.slots}</th>
                            <th scope="col">{t.published_by}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        </section>
    }
}

fn version(version: &PlanVersion, in_force: Option<Timestamp>) -> impl IntoView + use<> {
    let t = texts(lang());
    let state = match in_force {
        Some(at) if at == version.effective_at => t.in_force,
        Some(at) if at > version.effective_at => t.past,
        _ => t.to_come,
    };
    let named = version.prices.rates.into_iter().zip(common::texts(lang()).rates);
    let rates = named.map(|(rate, name)| view! { <td class="number" data-label=name>{yuan(rate)}</td> }).collect_view();
    view! {
        <tr>
            <th scope="row" class="number" data-label=t.version>{version.number}</th>
            <td><At at=version.effective_at />" · "{state}</td>
            {rates}
            <td class="num long" data-label=t.tiers>{tiers(&version.prices)}</td>
            <td class="num long" data-label=t.slots>{slots(&version.prices)}</td>
            <td data-label=t.published_by>
                {version.by.clone().unwrap_or_else(|| "—".to_owned())}" · "<At at=version.published_at />
            </td>
        </tr>
    }
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
    let [second, third] = tiers.thresholds.map(|wh| wh / 1_000);
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
    let places = shown.places.iter().map(|(id, name)| view! { <option value=id.to_string()>{name.clone()}</option> });
    let plans = shown.plans.iter().map(|plan| view! { <option value=plan.id.to_string()>{plan.name.clone()}</option> });
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/assign-prices">
            <h2>{t.assign}</h2>
            <p class="hint">{t.assign_hint}</p>
            <label class="field"><span>{t.place}</span><select class="input" name="place"
                required>{places.collect_view()}</select></label>
            <label class="field"><span>{t.plan}</span><select class="input" name="plan"
                required>{plans.collect_view()}</select></label>
            <button class="primary">{t.assign}</button>
        </form>
    }
}

/// Filled in with the current version of the first plan, so that only changes need to be entered.
fn publish(plans: &[Plan]) -> impl IntoView + use<> {
    let t = texts(lang());
    let (name, prices) =
        plans.first().and_then(|plan| Some((plan.name.clone(), plan.versions.first()?.prices.clone()))).unwrap_or_default();
    let [spike, peak, flat, valley] = prices.rates.map(|rate| if rate == 0 { String::new() } else { yuan(rate) });
    let [second, third] = prices.tiers.thresholds.map(|wh| if wh == 0 { String::new() } else { (wh / 1_000).to_string() });
    let [over2, over3] = prices.tiers.surcharges.map(|price| if price == 0 { String::new() } else { yuan(price) });
    let [table1, table2] = prices.tables.each_ref().map(ToString::to_string);
    let days = prices.plan.iter().map(PlanEntry::to_string).collect::<Vec<_>>().join(" ");
    let [spike_name, peak_name, flat_name, valley_name] = common::texts(lang()).rates.map(|rate| format!("{rate} · {}", t.price));
    let names = plans.iter().map(|plan| view! { <option value=plan.name.clone()></option> }).collect_view();
    let periods = [(TierPeriod::None, "none"), (TierPeriod::Month, "month"), (TierPeriod::Year, "year")];
    let periods = periods.map(|(one, word)| {
        view! { <option value=word selected=one == prices.tiers.period>{period(one, lang())}</option> }
    });
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/publish-prices">
            <h2>{t.publish}</h2>
            <p class="hint">{t.publish_hint}</p>
            <label class="field">
                <span>{t.plan}</span>
                <input class="input" name="form[plan]" list="plans" required maxlength="60" autocomplete="off" value=name />
                <span class="hint">{t.plan_hint}</span>
            </label>
            <datalist id="plans">{names}</datalist>
            <Field name="form[from]" label=t.from kind="datetime-local" hint=t.from_hint optional=true />
            <div class="pair">
                <Field name="form[spike]" label=spike_name inputmode="decimal" value=spike />
                <Field name="form[peak]" label=peak_name inputmode="decimal" value=peak />
                <Field name="form[flat]" label=flat_name inputmode="decimal" value=flat />
                <Field name="form[valley]" label=valley_name inputmode="decimal" value=valley />
            </div>
            <label class="field"><span>{t.period}</span><select class="input" name="form[period]">{periods}</select></label>
            <div class="pair">
                <Field name="form[second]" label=t.second inputmode="decimal" value=second optional=true />
                <Field name="form[over2]" label=t.over2 inputmode="decimal" value=over2 optional=true />
                <Field name="form[third]" label=t.third inputmode="decimal" value=third optional=true />
                <Field name="form[over3]" label=t.over3 inputmode="decimal" value=over3 optional=true />
            </div>
            <Field name="form[days]" label=t.days value=days hint=t.days_hint optional=true />
            <Field name="form[table1]" label=t.table1 value=table1 hint=t.table_hint optional=true />
            <Field name="form[table2]" label=t.table2 value=table2 optional=true />
            <button class="primary">{t.publish}</button>
        </form>
    }
}
