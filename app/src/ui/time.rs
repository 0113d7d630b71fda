//! Times with their machine-readable form beside them.

use leptos::prelude::*;

use crate::i18n::{common, lang};
use crate::ports::now;
use model::time::{SECOND, Timestamp};

/// `今天 21:15`; on paper the date in place of "today", as in all of these.
#[component]
pub fn At(at: Timestamp) -> impl IntoView {
    let paper = format!("{} {}", at.date(), at.clock());
    view! { <time datetime=iso(at) data-print=paper><span>{common::at(at, now(), lang())}</span></time> }
}

/// `21:15:02`, for progress.
#[component]
pub fn AtSeconds(at: Timestamp) -> impl IntoView {
    view! { <time datetime=iso(at) data-print=at.to_string()><span>{common::at_seconds(at, now(), lang())}</span></time> }
}

/// `3 分钟前`, with the exact time as its title.
#[component]
pub fn Ago(at: Timestamp) -> impl IntoView {
    let exact = at.to_string();
    view! { <time datetime=iso(at) title=exact.clone() data-print=exact><span>{common::ago(at, now(), lang())}</span></time> }
}

/// ISO 8601 with the offset: `2026-11-23T21:15:02+08:00`.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    let whole = Timestamp(at.0.div_euclid(SECOND) * SECOND);
    format!("{}T{}+08:00", whole.date(), whole.clock_seconds())
}
