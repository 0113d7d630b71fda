//! The scheme of account numbers.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::param;
use crate::i18n::account_numbers::{SchemeSet, texts};
use crate::i18n::lang;
use crate::ports::ports;
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::console::NumberSchemeView;

/// The page: `/accounts/numbers`.
#[component]
pub fn NumberSchemePage() -> impl IntoView {
    let read = async move { ports()?.account_numbers.number_scheme().await };
    load(read, |scheme| view! { <Body scheme /> }.into_any())
}

#[component]
fn Body(scheme: NumberSchemeView) -> impl IntoView {
    let t = texts(lang());
    let running = scheme.prefix.is_some();
    let proposed = scheme.proposed.clone().unwrap_or_else(|| if running { t.no_more.to_owned() } else { t.unknown.to_owned() });
    let done = (param("done") == "set").then(|| {
        let text = SchemeSet { scheme: if running { t.running } else { t.random }, number: &proposed }.text(lang());
        view! { <Callout tone=Tone::Good><p>{text}</p></Callout> }
    });
    let choice = |value: &'static str, label: &'static str, chosen: bool| {
        view! {
            <label class="check"><input type="radio" name="kind" value=value checked=chosen /><span>{label}</span></label>
        }
    };
    view! {
        <Frame title=t.title section=Section::Accounts>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <Notice />
            {done}
            <dl class="facts card">
                <dt>{t.proposed}</dt>
                <dd class="num">{proposed}</dd>
            </dl>
            <form class="card stack-tight narrow-form" method="post" action="/api/operator/numbers/scheme">
                <fieldset class="radios">
                    <legend>{t.kind}</legend>
                    {choice("random", t.random, !running)}
                    {choice("running", t.running, running)}
                </fieldset>
                <Field name="prefix" label=t.prefix inputmode="numeric" value=scheme.prefix.clone().unwrap_or_default()
                    hint=t.prefix_hint optional=true />
                <label class="check">
                    <input type="checkbox" name="check" value="1" checked=scheme.check_digit />
                    <span>{t.check_digit}</span>
                </label>
                <Field name="next" label=t.next inputmode="numeric" value=scheme.next.to_string() hint=t.next_hint
                    optional=true />
                <button class="primary">{t.save}</button>
            </form>
        </Frame>
    }
}
