//! Provides what pages and server functions find in the context of their request.

use std::net::Ipv4Addr;
use std::sync::Arc;

use app::ports::{Now, Reply};
use axum::http::request::Parts;
use leptos::nonce::Nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;

use super::caller::Caller;
use super::forms::PostedForm;
use super::reply::{HttpReply, Posted, RequestSource};
use super::security::PageNonce;
use super::session::RequestInfo;
use super::{AppState, error};

/// Called by Leptos at the start of each request.
pub fn provide(state: &AppState) {
    let (Some(parts), Some(options)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else { return };
    let Some(info) = parts.extensions.get::<RequestInfo>().cloned() else { return };
    let address = parts.extensions.get::<Caller>().map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.0);
    let user = info.who.as_ref().map(|who| who.user);
    let source = RequestSource { address, user, path: parts.uri.path().to_owned() };
    let form = parts.extensions.get::<PostedForm>().map(|PostedForm(body)| body.clone());
    let posted = Posted { form, session: info.visit.session.clone(), now: info.now };
    let reply = HttpReply::new((options, error::wants_html(&parts.headers)), state, source, posted);
    provide_context(state.ports.clone());
    provide_context::<Arc<dyn Reply>>(Arc::new(reply));
    provide_context(Now(info.now));
    provide_context(info.lang);
    provide_context(info.visit);
    if let Some(who) = info.who {
        provide_context(who);
    }
    // The header is set outside of Leptos, so the document must carry the same nonce.
    if let Some(PageNonce(nonce)) = parts.extensions.get::<PageNonce>() {
        provide_context(Nonce::from_value(nonce.clone()));
    }
}
