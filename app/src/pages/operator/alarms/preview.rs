//! What an edited rule would have raised.

use leptos::prelude::*;

use crate::api::alarm_rules::AlarmPreview;
use crate::i18n::alarms::{PreviewCounts, PreviewReadings, texts};
use crate::i18n::lang;
use crate::ui::time::At;

/// Both numbers, the longest alarms, and how far they can be relied on.
pub fn preview_section(preview: &AlarmPreview) -> impl IntoView + use<> {
    let t = texts(lang());
    let counts = PreviewCounts { new: preview.new, now: preview.now }.text(lang());
    let examples = preview.examples.iter().map(|(name, since, until)| {
        let end = until.map_or_else(|| t.goes_on.into_any(), |at| view! { <At at /> }.into_any());
        view! { <li><strong>{name.clone()}</strong>" "<At at=*since />" – "{end}</li> }
    });
    let examples = examples.collect_view();
    let basis = match preview.meters {
        Some((looked_at, all)) => {
            let readings = PreviewReadings { looked_at, all }.text(lang());
            let part = (looked_at < all).then(|| view! { <p class="hint">{t.preview_part}</p> });
            view! { <p class="hint">{readings}</p>{part} }.into_any()
        }
        None => view! { <p class="hint">{t.preview_stored}</p> }.into_any(),
    };
    view! {
        <section class="card stack-tight" id="preview">
            <h2>{t.preview_title}</h2>
            <p>{counts}</p>
            {(preview.new == 0).then(|| view! { <p class="empty">{t.preview_none}</p> })}
            <ul class="plain">{examples}</ul>
            {basis}
        </section>
    }
}
