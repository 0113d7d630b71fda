//! The alerts that an operator gets personally, and where. All of it plain forms.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use crate::api::operator_alerts::{OwnAlerts, choice, own_alerts};
use crate::i18n::alerts::texts as words;
use crate::i18n::lang;
use crate::i18n::notifications::{kind as kind_name, texts};
use crate::ui::alert_channel::{alert_channel, hours, outcome};
use crate::ui::callout::Callout;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::notification::{AlertDelivery, NotificationKind, OperatorAlerts};

/// The page: `/my-alerts`.
#[component]
pub fn OwnAlertsPage() -> impl IntoView {
    load(own_alerts(), |alerts| view! { <Body alerts /> }.into_any())
}

#[component]
fn Body(alerts: OwnAlerts) -> impl IntoView {
    let t = texts(lang()).own_alerts;
    let none = alerts.channels.is_empty().then(|| view! { <Callout><p>{t.none_set_up}</p></Callout> });
    let channels = alerts.channels.iter().map(|one| alert_channel(one, "/api/operator/own-alerts", false)).collect_view();
    view! {
        <Frame title=t.title section=Section::Messages>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <Notice />
            {outcome()}
            <div class="halves">
                <div class="stack">{none}{channels}</div>
                {chosen(alerts.alerts)}
            </div>
        </Frame>
    }
}

fn chosen(alerts: OperatorAlerts) -> impl IntoView {
    let (t, w) = (texts(lang()).own_alerts, words(lang()));
    let kinds = NotificationKind::OF_OPERATORS.into_iter().map(|kind| delivery(kind, alerts.delivery(kind))).collect_view();
    view! {
        <section class="card stack-tight" aria-labelledby="kinds">
            <h2 id="kinds">{t.kinds}</h2>
            <form class="stack-tight" method="post" action="/api/operator/own-alerts/save">
                {kinds}
                {hours("digest_hour", t.digest_hour, alerts.digest_hour)}
                <p class="hint">{t.digest_hint}</p>
                <fieldset class="stack-tight">
                    <legend>{w.quiet}</legend>
                    {hours("from", w.from, alerts.quiet.from)}
                    {hours("until", w.until, alerts.quiet.until)}
                    <p class="hint">{t.quiet_hint}</p>
                </fieldset>
                <div class="buttons"><button class="primary">{t.save}</button></div>
            </form>
        </section>
    }
}

fn delivery(kind: NotificationKind, chosen: Option<AlertDelivery>) -> impl IntoView {
    let t = texts(lang()).own_alerts;
    let options = AlertDelivery::ALL.into_iter().map(|one| {
        let name = match one {
            AlertDelivery::AtOnce => t.at_once,
            AlertDelivery::Digest => t.digest,
            AlertDelivery::Off => t.off,
        };
        view! { <option value=choice(kind, one) selected=chosen == Some(one)>{name}</option> }
    });
    view! {
        <div class="field">
            <label for=kind.as_str()>{kind_name(kind, lang())}</label>
            <select class="input" id=kind.as_str() name="kinds[]">{options.collect_view()}</select>
        </div>
    }
}
