//! The certificate settings of a gateway that uses TLS.

use leptos::prelude::*;

use crate::i18n::gateways::texts;
use crate::i18n::lang;
use model::console::GatewayLine;
use model::gateway::Trust;

/// The form of one gateway.
pub fn trust_form(line: &GatewayLine, trust: &Trust) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/gateway-trust">
            <h2>{t.trust}</h2>
            <input type="hidden" name="gateway" value=line.id.to_string() />
            <label class="filter-field wide">
                <span>{t.tls_name}</span>
                <input name="name" value=trust.name.clone() maxlength="253" autocomplete="off" spellcheck="false" />
            </label>
            <p class="hint">{t.tls_name_hint}</p>
            <label class="filter-field wide">
                <span>{t.tls_pin}</span>
                <input name="pin" value=trust.shown_pin() maxlength="200" autocomplete="off" spellcheck="false" />
            </label>
            <p class="hint">{t.tls_pin_hint}</p>
            <button>{t.set}</button>
        </form>
    }
}
