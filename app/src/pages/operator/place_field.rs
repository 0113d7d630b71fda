//! Where something applies: a place, or one room below it; or a group.

use leptos::prelude::*;

use crate::i18n::{defaults, lang, places};
use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId};

/// The fields `place`, of which one is chosen, and `room`, which is typed: a site may have ten thousand.
#[component]
pub fn PlaceField(
    label: &'static str,
    places: Vec<(PlaceId, String)>,
    #[prop(optional)] groups: Vec<(PlaceGroupId, String)>,
) -> impl IntoView {
    let t = places::texts(lang());
    let places = places.into_iter().map(|(id, name)| (DefaultsOf::Place(id), name));
    let groups = groups.into_iter().map(|(id, name)| (DefaultsOf::Group(id), name));
    let options = places.chain(groups).map(|(of, name)| {
        view! { <option value=of.to_string()>{defaults::named(of, &name, lang())}</option> }
    });
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
