//! Times with their machine-readable form beside them.

use leptos::prelude::*;

use crate::i18n::{common, lang};
use crate::ports::now;
use model::time::{SECOND, Timestamp};

/// `今天 21:15`.
#[component]
pub fn At(at: Timestamp) -> impl IntoView {
    view! { <time datetime=iso(at)>{common::at(at, now(), lang())}</time> }
}

/// `21:15:02`, for progress.
#[component]
pub fn AtSeconds(at: Timestamp) -> impl IntoView {
    view! { <time datetime=iso(at)>{common::at_seconds(at, now(), lang())}</time> }
}

/// `3 分钟前`, with the exact time as its title.
#[component]
pub fn Ago(at: Timestamp) -> impl IntoView {
    view! { <time datetime=iso(at) title=at.to_string()>{common::ago(at, now(), lang())}</time> }
}

/// ISO 8601 with the offset: `2026-11-23T21:15:02+08:00`.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    let whole = Timestamp(at.0.div_euclid(SECOND) * SECOND);
    format!("{}T{}+08:00", whole.date(), whole.clock_seconds())
}
