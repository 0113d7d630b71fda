//! The meter's parameters as last read, with links to set them.

use leptos::prelude::*;

use crate::i18n::commands::{limits, plan, prices, slots, texts, tiers};
use crate::i18n::lang;
use crate::ports::{allowed, now};
use crate::ui::time::At;
use model::ids::MeterId;
use model::parameters::Parameters;
use model::time::Timestamp;

/// The card, with links to set the parameters if they are set per meter.
pub fn parameters(meter: MeterId, known: Option<&(Parameters, Timestamp)>, own: bool) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let facts = match known {
        None => view! { <p class="muted">{t.no_parameters}</p> }.into_any(),
        Some((found, at)) => {
            let standby = found.switch_over.filter(|at| *at > now()).map(|at| {
                view! { <dt>{t.standby}</dt><dd>{prices(&found.standby, lang)}" · "<At at /></dd> }
            });
            let [first, second] = &found.day_tables;
            view! {
                <dl class="facts">
                    <dt>{t.limits}</dt>
                    <dd>{limits(&found.limits, lang)}</dd>
                    <dt>{t.prices}</dt>
                    <dd>{prices(&found.prices_at(now()), lang)}</dd>
                    {standby}
                    <dt>{t.tiers}</dt>
                    <dd>{tiers(&found.tiers, lang)}</dd>
                    <dt>{t.tables}</dt>
                    <dd>
                        {plan(&found.date_plan, lang)}<br />"1: "{slots(first, lang)}<br />"2: "{slots(second, lang)}
                    </dd>
                    <dt>{t.read_at}</dt>
                    <dd><At at=*at /></dd>
                </dl>
            }
            .into_any()
        }
    };
    view! {
        <section class="card stack-tight">
            <div class="page-head">
                <h2>{t.parameters}</h2>
                {(own && allowed("/commands/new")).then(|| {
                    view! { <a class="button" href=format!("/commands/new?meter={meter}")>{t.set_one}</a> }
                })}
            </div>
            {facts}
        </section>
    }
}
