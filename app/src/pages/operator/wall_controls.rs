//! The controls of the wall that the server renders: sections, order, reason, and what can be done with a selection.
//! `ui/wall/input` listens to them.

use leptos::prelude::*;

use super::parts::param;
use crate::i18n::{account_batches, commands, lang, operator, wall, wall_controls};
use crate::link;
use crate::ports::{allowed, now};
use crate::ui::time::At;
use crate::ui::wall::arrange::{Sections, Sort};
use crate::ui::wall::filter::{Chip, Filter};
use crate::ui::wall::{WallChoices, reason};
use model::wall::Attention;

/// What the address chooses.
pub fn choices() -> WallChoices {
    WallChoices { show: param("show"), q: param("q"), zoom: param("zoom"), by: param("by"), sort: param("sort") }
}

/// The controls; `screen` leaves out what a screen that nobody touches does not need.
pub fn controls(choices: &WallChoices, sets: Vec<String>, screen: bool) -> AnyView {
    let (w, p) = (wall::texts(lang()), wall_controls::texts(lang()));
    let (by, sort) = (Sections::parse(&choices.by), Sort::parse(&choices.sort));
    let filter = Filter::parse(&choices.show, &choices.q);
    let sections = [p.by_building, p.by_floor, p.by_gateway, p.by_profile, p.by_group];
    let sections: Vec<_> = Sections::ALL.into_iter().zip(sections).map(|(one, text)| (one.word(), text, one == by)).collect();
    let sorts = [p.by_place, p.by_amount, p.by_power, p.by_age];
    let sorts: Vec<_> = Sort::ALL.into_iter().zip(sorts).map(|(one, text)| (one.word(), text, one == sort)).collect();
    let reasons = Attention::ALL.map(|one| (Chip::Reason(one).word(), reason(one, &w), filter.has(Chip::Reason(one))));
    let reasons = [("", p.any_reason, false)].into_iter().chain(reasons).collect();
    let names = sets.into_iter().map(|name| view! { <option value=name></option> }).collect_view();
    let rest = (!screen).then(|| {
        let address = link::with("/wall", "view", "screen");
        let address = [("by", &choices.by), ("sort", &choices.sort), ("show", &choices.show)].into_iter().fold(
            address,
            |address, (key, value)| {
                if value.is_empty() { address } else { link::with(&address, key, value) }
            },
        );
        view! {
            <button type="button" class="quiet" data-wish="shown">{p.select_shown}</button>
            <a href=address>{p.screen}</a>
        }
    });
    let view = if screen { "screen" } else { "" };
    let kept = [("view", view), ("show", &choices.show)].into_iter().filter(|(_, value)| !value.is_empty());
    let kept = kept.map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned() /> });
    view! {
        <noscript>
            <p class="hint">{p.without_scripts}" "<At at=now() /></p>
            // The search field belongs to this form, which is there only where nothing else listens to it.
            <form class="buttons" id="wall-filter" action="/wall">
                {kept.collect_view()}
                <button>{operator::texts(lang()).filter}</button>
            </form>
        </noscript>
        <datalist id="wall-sets">{names}</datalist>
        <div class="wall-orders needs-script">
            {choose("by", p.sections, sections)}
            {choose("sort", p.sort, sorts)}
            {choose("reason", p.reason, reasons)}
            {rest}
        </div>
        {(!screen).then(acts)}
    }
    .into_any()
}

fn choose(name: &'static str, label: &'static str, options: Vec<(&'static str, &'static str, bool)>) -> impl IntoView {
    let options = options.into_iter().map(|(word, text, chosen)| view! { <option value=word selected=chosen>{text}</option> });
    view! { <select name=name aria-label=label title=label autocomplete="off">{options.collect_view()}</select> }
}

/// The pages that take the selected rooms, as far as the operator may open them.
fn acts() -> impl IntoView {
    let (w, p) = (wall::texts(lang()), wall_controls::texts(lang()));
    let (c, a) = (commands::texts(lang()), account_batches::texts(lang()));
    let pages = [(c.new, "/commands/new"), (a.open_many, "/accounts/open-many"), (a.close_many, "/accounts/close-many")];
    let pages = pages.into_iter().filter(|(_, path)| allowed(path));
    let pages = pages.map(|(name, path)| view! { <button type="button" data-wish=path>{name}</button> }).collect_view();
    view! {
        <div class="wall-acts" id="wall-acts" hidden>
            <strong>{w.selected}" "<span class="num" id="wall-selected"></span>" "{p.rooms}</strong>
            {pages}
            <button type="button" class="quiet" data-wish="clear">{p.clear_selection}</button>
            <p id="wall-too-many" role="alert" hidden>{p.too_many}</p>
        </div>
    }
}
