//! The confirmation of a change of a place: what it does, and to whom.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::form_again;
use crate::i18n::defaults::list;
use crate::i18n::lang;
use crate::i18n::places::{PlanEither, PlanFirst, RepricedLine, counts, texts};
use crate::ui::callout::{Callout, Problem, Tone};
use model::console::{PlaceChange, PlaceChangeEffect};
use model::error::AppError;
use model::ids::PlaceId;

/// The most names of one list.
const SHOWN: usize = 50;

#[component]
pub fn Confirm(id: PlaceId, change: PlaceChange, effect: PlaceChangeEffect) -> impl IntoView {
    let t = texts(lang());
    let (what, title, name, to) = match &change {
        PlaceChange::Rename(name) => ("rename", t.rename, name.clone(), String::new()),
        PlaceChange::Move(to) => ("move", t.move_to, String::new(), to.to_string()),
        PlaceChange::Merge(into) => ("merge", t.merge, String::new(), into.to_string()),
        PlaceChange::Remove => ("remove", t.remove, String::new(), String::new()),
    };
    let said = counts(&effect.counts, lang());
    let refusal = effect.refusal.map(|error| view! { <Problem error /> });
    let clashes = (!effect.clashes.is_empty()).then(|| {
        let named = effect.clashes.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" · ");
        view! { <Callout tone=Tone::Warn><p>{t.clashes}": "{named}</p></Callout> }
    });
    let after = (change != PlaceChange::Remove).then(|| view! { <dt>{t.after}</dt><dd>{effect.after.clone()}</dd> });
    let class = if matches!(change, PlaceChange::Merge(_) | PlaceChange::Remove) { "danger" } else { "primary" };
    let act = effect.refusal.is_none().then(|| view! { <button class=class>{t.confirm}</button> });
    view! {
        <Frame title=t.confirm_title section=Section::Places>
            <h1>{title}": "{effect.before.clone()}</h1>
            {refusal}
            {clashes}
            <form class="card confirm" method="post" action="/api/operator/places/change">
                <h2>{t.what_happens}</h2>
                <dl class="facts">
                    <dt>{t.before}</dt>
                    <dd>{effect.before.clone()}</dd>
                    {after}
                    <dt>{t.concerns}</dt>
                    <dd class="num">{if said.is_empty() { "—".to_owned() } else { said }}</dd>
                </dl>
                {whom(&effect)}
                {rules(&change, &effect)}
                <input type="hidden" name="place" value=id.to_string() />
                <input type="hidden" name="what" value=what />
                <input type="hidden" name="name" value=name />
                <input type="hidden" name="to" value=to />
                <div class="buttons">{act} <a class="button" href=form_again()>{t.back}</a></div>
            </form>
        </Frame>
    }
}

/// Whose buildings change.
fn whom(effect: &PlaceChangeEffect) -> impl IntoView + use<> {
    let t = texts(lang());
    let line = |word: &'static str, names: &[String]| {
        let names = names.join(", ");
        (!names.is_empty()).then(|| view! { <p>{word}": "<strong>{names}</strong></p> })
    };
    let nobody = effect.losing.is_empty() && effect.gaining.is_empty();
    (
        line(t.losing, &effect.losing),
        line(t.gaining, &effect.gaining),
        nobody.then(|| view! { <p class="muted">{t.nobody_changes}</p> }),
    )
}

/// Where other prices would apply, and where they may not, which plan has to be given first.
fn repriced(effect: &PlaceChangeEffect) -> impl IntoView + use<> {
    let t = texts(lang());
    let is_refused = effect.refusal == Some(AppError::PlaceRepriced);
    let lines = effect.repriced.iter().take(SHOWN).map(|one| {
        let named = |plan: &Option<String>| plan.clone().unwrap_or_else(|| t.no_plan.to_owned());
        let line = RepricedLine { place: &one.place, before: named(&one.before), after: named(&one.after) }.text(lang());
        let advice = match (&one.before, &one.after) {
            (Some(before), Some(after)) if !one.ends => PlanEither { before, after }.text(lang()),
            (_, Some(plan)) => PlanFirst { plan }.text(lang()),
            (Some(plan), None) if !one.ends => PlanFirst { plan }.text(lang()),
            (_, None) => t.plan_other.to_owned(),
        };
        view! { <li>{line}{is_refused.then(|| view! { <span class="hint">" "{advice}</span> })}</li> }
    });
    let lines = lines.collect_view();
    (!effect.repriced.is_empty()).then(|| view! { <p>{t.repriced}</p><ul class="plain-list">{lines}</ul> })
}

/// Which prices apply afterwards.
fn rules(change: &PlaceChange, effect: &PlaceChangeEffect) -> impl IntoView + use<> {
    let t = texts(lang());
    let named = |plan: &Option<String>| plan.clone().unwrap_or_else(|| t.no_plan.to_owned());
    let goes = matches!(change, PlaceChange::Move(_) | PlaceChange::Merge(_));
    let changes = effect.plans.0 != effect.plans.1;
    let plan = goes.then(|| {
        if changes {
            let (before, after) = (named(&effect.plans.0), named(&effect.plans.1));
            view! { <p>{t.plan}": "{before}" → "<strong>{after}</strong>". "{t.plan_changes}</p> }.into_any()
        } else {
            view! { <p class="muted">{t.plan_stays}": "{named(&effect.plans.0)}</p> }.into_any()
        }
    });
    let defaults = (!effect.defaults_end.is_empty()).then(|| {
        let lines = effect.defaults_end.iter().take(SHOWN).map(|(place, values)| {
            view! { <li><strong>{place.clone()}</strong>": "{list(values, lang())}</li> }
        });
        view! { <p>{t.defaults_end}</p><ul class="plain-list">{lines.collect_view()}</ul> }
    });
    (plan, repriced(effect), effect.own_rules_end.then(|| view! { <p>{t.rules_end}</p> }), defaults)
}
