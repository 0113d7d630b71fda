//! What the resident is told, and where. All of it plain forms.

use leptos::prelude::*;

use super::devices::{push_section, wechat_section};
use super::frame::{Frame, Tab, load};
use crate::api::alerts::{self as api, Alerts, REMINDER_RANGE};
use crate::i18n::alerts::{ReminderHint, texts};
use crate::i18n::lang;
use crate::i18n::resident::sentences;
use crate::ports::visit;
use crate::ui::alert_channel::{alert_channel, hours, outcome};
use crate::ui::callout::Callout;
use crate::ui::field::Field;
use crate::ui::notice::Notice;
use model::notification::NotificationKind;

/// The page: `/me/alerts`.
#[component]
pub fn AlertsPage() -> impl IntoView {
    load(Tab::Me, api::alerts(), |alerts| view! { <Body alerts /> }.into_any())
}

#[component]
fn Body(alerts: Alerts) -> impl IntoView {
    let t = texts(lang());
    let is_none = alerts.channels.is_empty() && alerts.push.is_none() && alerts.wechat.is_none();
    let none = is_none.then(|| view! { <Callout><p>{t.none_set_up}</p></Callout> });
    let channels = alerts.channels.iter().map(|one| alert_channel(one, "/api/resident/alerts", true)).collect_view();
    view! {
        <Frame title=t.title tab=Tab::Me>
            <p class="muted">{t.lead}</p>
            <Notice />
            {outcome()}
            {none}
            {alerts.push.as_ref().filter(|_| !visit().at_kiosk).map(push_section)}
            {alerts.wechat.map(wechat_section)}
            {channels}
            {reminder(&alerts)}
            {wanted(&alerts)}
        </Frame>
    }
}

fn reminder(alerts: &Alerts) -> impl IntoView + use<> {
    let (lang, t) = (lang(), texts(lang()));
    let (least, most) = REMINDER_RANGE;
    let hint = ReminderHint { least: sentences::whole(least), most: sentences::whole(most) }.text(lang);
    let value = alerts.reminder.map(sentences::whole).unwrap_or_default();
    view! {
        <section class="card stack-tight" aria-labelledby="reminder">
            <h2 id="reminder">{t.reminder}</h2>
            <form class="stack-tight" method="post" action="/api/resident/alerts/reminder">
                <Field name="below" label=t.below inputmode="decimal" value hint optional=true />
                <button class="wide">{t.save}</button>
            </form>
        </section>
    }
}

fn wanted(alerts: &Alerts) -> impl IntoView + use<> {
    let (t, chosen) = (texts(lang()), alerts.preferences);
    let tick = |kind: NotificationKind, checked: bool, label: &'static str| {
        view! {
            <label class="check">
                <input type="checkbox" name="wanted[]" value=kind.as_str() checked=checked />
                {label}
            </label>
        }
    };
    view! {
        <section class="card stack-tight" aria-labelledby="wanted">
            <h2 id="wanted">{t.wanted}</h2>
            <form class="stack-tight" method="post" action="/api/resident/alerts/save">
                {tick(NotificationKind::Alarm1, chosen.alarm1, t.alarm1)}
                {tick(NotificationKind::Alarm2, chosen.alarm2, t.alarm2)}
                {tick(NotificationKind::EmptyTonight, chosen.tonight, t.tonight)}
                {tick(NotificationKind::Recharge, chosen.recharge, t.recharge)}
                <p class="hint">{t.always}</p>
                <fieldset class="stack-tight">
                    <legend>{t.quiet}</legend>
                    <div class="pair">
                        {hours("from", t.from, chosen.quiet.from)}
                        {hours("until", t.until, chosen.quiet.until)}
                    </div>
                    <p class="hint">{t.quiet_hint}</p>
                </fieldset>
                <label class="check">
                    <input type="checkbox" name="off" value="on" checked=chosen.is_off />
                    {t.off}
                </label>
                <button class="primary wide">{t.save}</button>
            </form>
        </section>
    }
}
