//! What pages and server functions find in the context of their request.

use std::sync::Arc;

use app::ports::{Now, Ports};
use axum::http::request::Parts;
use leptos::nonce::Nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;

use super::reply::HttpReply;
use super::security::PageNonce;
use super::session::Facts;
use super::{AppState, error};

/// Called by Leptos at the start of each request.
pub fn provide(state: &AppState) {
    let (Some(parts), Some(options)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else { return };
    let Some(facts) = parts.extensions.get::<Facts>().cloned() else { return };
    // Taken now: after an await of a cancelled request the context may be gone.
    let reply = HttpReply::new(options, error::wants_html(&parts.headers), state.server.clone());
    let backends = state.backends.clone();
    provide_context(Ports {
        auth: backends.auth,
        resident: backends.resident,
        operator: backends.operator,
        till: backends.till,
        reconcile: backends.reconcile,
        life: backends.life,
        reply: Arc::new(reply),
    });
    provide_context(Now(facts.now));
    provide_context(facts.lang);
    provide_context(facts.visit);
    if let Some(who) = facts.who {
        provide_context(who);
    }
    // The header is set outside of Leptos, so the document must carry the same nonce.
    if let Some(PageNonce(nonce)) = parts.extensions.get::<PageNonce>() {
        provide_context(Nonce::from_value(nonce.clone()));
    }
}
