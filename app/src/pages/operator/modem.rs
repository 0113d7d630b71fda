//! The modem on the page of messages.

use leptos::prelude::*;

use crate::i18n::lang;
use crate::i18n::modem::{ReceivedLine, network, outcome, phase, signal, sim, texts};
use crate::ui::time::Ago;
use model::modem::{ModemPhase, SimState};
use model::text_request::ModemLine;

pub fn modem_card(line: &ModemLine) -> impl IntoView + use<> {
    let (t, lang, state) = (texts(lang()), lang(), &line.state);
    let is_starting = state.phase == ModemPhase::Starting;
    let bad = (!is_starting && state.phase != ModemPhase::Ready).then_some("bad-text");
    let bad_sim = (!is_starting && state.sim != SimState::Ready).then_some("bad-text");
    let answered = match state.answered_at {
        Some(at) => view! { <Ago at /> }.into_any(),
        None => t.never.into_any(),
    };
    let received: Vec<String> =
        line.received.iter().map(|(of, messages)| ReceivedLine { outcome: outcome(*of, lang), messages }.text(lang)).collect();
    let received = if received.is_empty() { t.received_none.to_owned() } else { received.join(" · ") };
    view! {
        <section class="card stack-tight">
            <h2>{t.title}</h2>
            <p class="hint">{t.lead}</p>
            <dl class="facts">
                <dt>{t.phase}</dt>
                <dd class=bad>{phase(state.phase, lang)}</dd>
                <dt>{t.sim}</dt>
                <dd class=bad_sim>{sim(state.sim, lang)}</dd>
                <dt>{t.network}</dt>
                <dd>{network(state, lang)}</dd>
                <dt>{t.signal}</dt>
                <dd>{signal(state, lang)}</dd>
                <dt>{t.own_number}</dt>
                <dd>{state.own_number.clone().unwrap_or_else(|| t.no_number.to_owned())}</dd>
                <dt>{t.answered}</dt>
                <dd>{answered}</dd>
                <dt>{t.recoveries}</dt>
                <dd>{state.recoveries}</dd>
                <dt>{t.received}</dt>
                <dd>{received}</dd>
            </dl>
        </section>
    }
}
