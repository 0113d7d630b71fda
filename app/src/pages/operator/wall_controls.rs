//! The controls of the wall that the server renders: sections, order, reason, profile, and what can be done with a selection.
//! `ui/wall/input` listens to them.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::parts::{address, param};
use crate::api::meter_wall::WallSets;
use crate::i18n::wall_controls::OnlyProfile;
use crate::i18n::{account_batches, commands, lang, operator, wall, wall_controls};
use crate::ports::{allowed, now};
use crate::ui::time::At;
use crate::ui::wall::arrange::{Sections, Sort};
use crate::ui::wall::filter::{Chip, Filter};
use crate::ui::wall::{WallChoices, reason};
use model::console::Target;
use model::wall::Attention;

/// What the address chooses.
pub fn choices() -> WallChoices {
    WallChoices { show: param("show"), q: param("q"), zoom: param("zoom"), by: param("by"), sort: param("sort") }
}

/// The address of a view of the wall; it keeps the profile.
pub fn wall_address(view: &str, sets: &WallSets) -> String {
    address("/wall", &[("view", view), ("profile", sets.profile.as_deref().unwrap_or_default())])
}

/// The controls; `screen` leaves out what a screen that nobody touches does not need.
pub fn controls(choices: &WallChoices, sets: &WallSets, screen: bool) -> AnyView {
    let (w, p) = (wall::texts(lang()), wall_controls::texts(lang()));
    let (by, sort) = (Sections::parse(&choices.by), Sort::parse(&choices.sort));
    let filter = Filter::parse(&choices.show, &choices.q);
    let sections = [p.by_building, p.by_floor, p.by_gateway, p.by_profile, p.by_group];
    let sections: Vec<_> = Sections::ALL.into_iter().zip(sections).map(|(one, text)| (one.word(), text, one == by)).collect();
    let sorts = [p.by_place, p.by_amount, p.by_power, p.by_age];
    let sorts: Vec<_> = Sort::ALL.into_iter().zip(sorts).map(|(one, text)| (one.word(), text, one == sort)).collect();
    let reasons = Attention::ALL.map(|one| (Chip::Reason(one).word(), reason(one, &w), filter.has(Chip::Reason(one))));
    let reasons = [("", p.any_reason, false)].into_iter().chain(reasons).collect();
    let names = sets.names.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view();
    let rest = (!screen).then(|| {
        let chosen = [("by", choices.by.as_str()), ("sort", &choices.sort), ("show", &choices.show)];
        view! {
            <button type="button" class="quiet" data-wish="shown">{p.select_shown}</button>
            <a href=address(&wall_address("screen", sets), &chosen)>{p.screen}</a>
        }
    });
    let view = if screen { "screen" } else { "" };
    let profile = sets.profile.as_deref().unwrap_or_default();
    let kept = hidden(&[("view", view), ("show", &choices.show), ("profile", profile)]);
    let others = [
        ("view", view),
        ("show", choices.show.as_str()),
        ("q", &choices.q),
        ("zoom", &choices.zoom),
        ("by", &choices.by),
        ("sort", &choices.sort),
    ];
    view! {
        <noscript>
            <p class="hint">{p.without_scripts}" "<At at=now() /></p>
            // The search field belongs to this form, which is there only where nothing else listens to it.
            <form class="buttons" id="wall-filter" action="/wall">
                {kept}
                <button>{operator::texts(lang()).filter}</button>
            </form>
        </noscript>
        <datalist id="wall-sets">{names}</datalist>
        <div class="wall-controls">
            <div class="wall-orders needs-script">
                {choose("by", p.sections, sections)}
                {choose("sort", p.sort, sorts)}
                {choose("reason", p.reason, reasons)}
                {rest}
            </div>
            {profile_form(sets, &others)}
        </div>
        {(!screen).then(|| acts(sets.profile.as_deref()))}
    }
    .into_any()
}

fn hidden(fields: &[(&'static str, &str)]) -> impl IntoView + use<> {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields = fields.map(|&(name, value)| view! { <input type="hidden" name=name value=value.to_owned() /> });
    fields.collect_view()
}

/// Shows the meters of one profile, which is another page: its stream has no others. Nothing where all have the same.
/// `others` are the other choices as they were in the address; with scripts those of now go along.
fn profile_form(sets: &WallSets, others: &[(&'static str, &str)]) -> impl IntoView + use<> {
    (sets.profiles.len() > 1 || sets.profile.is_some()).then(|| {
        view! {
            <form class="wall-controls" id="wall-profile" action="/wall">
                {hidden(others)}
                {profile_choice(sets)}
                <button>{operator::texts(lang()).filter}</button>
                {profile_shown(sets, address("/wall", others))}
            </form>
            <script type="module" nonce=use_nonce()>{include_str!("wall_profile.js")}</script>
        }
    })
}

/// The profiles to choose from.
pub fn profile_choice(sets: &WallSets) -> impl IntoView + use<> {
    let p = wall_controls::texts(lang());
    let options = sets.profiles.iter().map(|one| {
        let chosen = sets.profile.as_ref() == Some(one);
        view! { <option value=one.clone() selected=chosen>{one.clone()}</option> }
    });
    view! {
        <select name="profile" aria-label=p.profile title=p.profile autocomplete="off">
            <option value="">{p.any_profile}</option>
            {options.collect_view()}
        </select>
    }
}

/// Says that only one profile is shown, and leads back to all.
pub fn profile_shown(sets: &WallSets, all: String) -> impl IntoView + use<> {
    sets.profile.as_ref().map(|profile| {
        let only = OnlyProfile { profile }.text(lang());
        view! {
            <strong role="status">{only}</strong>
            <a href=all>{wall_controls::texts(lang()).all_profiles}</a>
        }
    })
}

fn choose(name: &'static str, label: &'static str, options: Vec<(&'static str, &'static str, bool)>) -> impl IntoView {
    let options = options.into_iter().map(|(word, text, chosen)| view! { <option value=word selected=chosen>{text}</option> });
    view! { <select name=name aria-label=label title=label autocomplete="off">{options.collect_view()}</select> }
}

/// The pages that take the selected rooms, as far as the operator may open them. A building that is selected on the wall of a
/// profile means its meters of that profile.
fn acts(profile: Option<&str>) -> impl IntoView + use<> {
    let (w, p) = (wall::texts(lang()), wall_controls::texts(lang()));
    let (c, a) = (commands::texts(lang()), account_batches::texts(lang()));
    let pages = [(c.new, "/commands/new"), (a.open_many, "/accounts/open-many"), (a.close_many, "/accounts/close-many")];
    let pages = pages.into_iter().filter(|(_, path)| allowed(path));
    let only = profile.map(Target::place_of_profile).unwrap_or_default();
    let pages = pages.map(|(name, path)| {
        view! { <button type="button" data-wish=address(path, &[("place", only.as_str())])>{name}</button> }
    });
    let pages = pages.collect_view();
    view! {
        <div class="wall-acts" id="wall-acts" hidden>
            <strong>{w.selected}" "<span class="num" id="wall-selected"></span>" "{p.rooms}</strong>
            {pages}
            <button type="button" class="quiet" data-wish="clear">{p.clear_selection}</button>
            <p id="wall-too-many" role="alert" hidden>{p.too_many}</p>
        </div>
    }
}
