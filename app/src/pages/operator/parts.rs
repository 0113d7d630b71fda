//! What several pages of the console share.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::form::range_problem;
use crate::i18n::operator::{RowsInAll, texts};
use crate::i18n::{lang, reports};
use crate::link;
use crate::ports::{reply, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::state::{Mode, State};
use crate::ui::time::Ago;
use model::console::Page;
use model::error::AppError;
use model::meter::Latest;
use model::wall::Tile;

/// A query parameter; empty if it is missing.
pub fn param(name: &str) -> String {
    use_query_map().with_untracked(|query| query.get(name)).unwrap_or_default()
}

/// The address of the form before this confirmation, which fills itself in again.
pub fn form_again() -> String {
    let here = link::without_error(&visit().here);
    let asked = [("?do=", "?again="), ("&do=", "&again="), ("step=preview", "again=preview"), ("&preview=1", "&again=1")];
    asked.into_iter().fold(here, |here, (asked, again)| here.replacen(asked, again, 1))
}

/// Leads back to the form before this confirmation, where an entry is not of its form.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn ask_again(error: AppError, field: &str) -> Result<(), AppError> {
    reply()?.redirect(&link::with(&link::with(&form_again(), "e", error.code()), "field", field));
    Ok(())
}

/// Says why the days of a filter select something else than was meant.
pub fn wrong_days(from: &str, until: &str) -> impl IntoView + use<> {
    range_problem(from, until).map(|problem| {
        view! { <Callout tone=Tone::Bad><p>{reports::problem(problem, lang())}</p></Callout> }
    })
}

/// The page number from the query, counted from 0 (in the query from 1).
pub fn page_param() -> i64 {
    param("page").parse::<i64>().ok().filter(|page| (1..1_000_000).contains(page)).map_or(0, |page| page - 1)
}

/// `path` with the parameters that are not empty.
pub fn address(path: &str, params: &[(&str, &str)]) -> String {
    let said = params.iter().filter(|(_, value)| !value.is_empty());
    said.fold(path.to_owned(), |address, (key, value)| link::with(&address, key, value))
}

/// The range of the lines, and links to the other pages. `here` is the address without the page number.
pub fn pager<T>(page: &Page<T>, number: i64, here: &str) -> impl IntoView + use<T> {
    let t = texts(lang());
    let to = |number: i64| link::with(here, "page", &(number + 1).to_string());
    let before = (number > 0).then(|| view! { <a class="button" rel="prev" href=to(number - 1)>{t.newer}</a> });
    let after = ((number + 1) * Page::<T>::SIZE < page.total)
        .then(|| view! { <a class="button" rel="next" href=to(number + 1)>{t.older}</a> });
    let first = number * Page::<T>::SIZE;
    let shown = i64::try_from(page.lines.len()).unwrap_or(0);
    let all = RowsInAll { count: page.total }.text(lang());
    let range = (shown > 0).then(|| format!("{}-{} · {all}", first + 1, first + shown));
    view! { <nav class="pager" aria-label=t.lines><span class="muted num">{range}</span><span
    class="buttons">{before}{after}</span></nav> }
}

/// State and forced mode.
pub fn state_cell(latest: &Latest) -> impl IntoView + use<> {
    let (state, mode) = (latest.state(), latest.status.mode());
    view! { <State state known=latest.observed_at.is_some() /> " " <Mode mode /> }
}

/// The remaining amount; a dash if the meter has none.
pub fn amount(latest: &Latest) -> String {
    let known = latest.observed_at.is_some() && latest.status.account_open();
    if known { latest.remaining.to_string() } else { "—".to_owned() }
}

/// The age of the values; since when they cannot be read, for a meter that cannot.
pub fn age(latest: &Latest) -> impl IntoView + use<> {
    let since = if latest.state().is_unread() { latest.lost_since.or(latest.observed_at) } else { latest.observed_at };
    match since {
        Some(at) => view! { <Ago at /> }.into_any(),
        None => "—".into_any(),
    }
}

/// The marks beside the state, in words.
pub fn marks(latest: &Latest) -> String {
    let lang = lang();
    crate::ui::wall::marks(Tile::of(latest), &crate::i18n::wall::texts(lang), lang).join(" · ")
}

/// A required field that takes the rest of its line. `id` is unique on the page; `max` counts characters.
pub fn wide_field(name: &'static str, id: String, label: &'static str, hint: &'static str, max: u16) -> impl IntoView {
    let (field, about) = (id.clone(), (!hint.is_empty()).then(|| format!("{id}-hint")));
    let hint = about.clone().map(|about| view! { <span class="hint" id=about>{hint}</span> });
    view! {
        <div class="filter-field wide">
            <label for=field><span>{label}</span></label>
            {hint}
            <input id=id name=name required maxlength=max aria-describedby=about autocomplete="off" />
        </div>
    }
}

/// Links that set `name=value` in the address, and one for all values.
pub fn choice(
    name: &'static str,
    label: &'static str,
    chosen: &str,
    options: Vec<(&'static str, &'static str)>,
) -> impl IntoView + use<> {
    let chosen = chosen.to_owned();
    let options = options.into_iter().map(|(value, word)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{word}</option> }
    });
    view! {
        <label class="filter-field">
            <span>{label}</span>
            <select name=name><option value="">{texts(lang()).all}</option>{options.collect_view()}</select>
        </label>
    }
}
