//! Where something applies: a place, or one room below it.

use leptos::prelude::*;

use crate::i18n::{lang, places};
use model::ids::PlaceId;

/// The fields `place`, of which one is chosen, and `room`, which is typed: a site may have ten thousand.
#[component]
pub fn PlaceField(label: &'static str, places: Vec<(PlaceId, String)>) -> impl IntoView {
    let t = places::texts(lang());
    let options = places.into_iter().map(|(id, name)| view! { <option value=id.to_string()>{name}</option> });
    view! {
        <label class="field">
            <span>{label}</span>
            <select class="input" name="place" required>{options.collect_view()}</select>
        </label>
        <label class="field">
            <span>{t.one_room}</span>
            <input class="input" name="room" maxlength="200" autocomplete="off" />
            <span class="hint">{t.one_room_hint}</span>
        </label>
    }
}
