//! The choice of a report: a plain form whose fields are the address, and the files of the same choice.

use leptos::prelude::*;

use super::super::exports::in_background;
use super::super::parts::{address, param};
use super::path;
use crate::api::reports::ReportPlace;
use crate::i18n::lang;
use crate::i18n::reports::{grain, texts};
use model::export::ExportSource;
use model::report::{RangeProblem, ReportKind, ReportQuery};

/// The form. The files are offered where there is a report, and its making in the background also where it takes too long.
pub fn form(
    kind: ReportKind,
    places: &[ReportPlace],
    query: Option<&ReportQuery>,
    wrong: Option<RangeProblem>,
) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    // A refused choice stays in the fields.
    let field = |name: &'static str, chosen: Option<String>| chosen.unwrap_or_else(|| param(name));
    let from = field("from", query.map(|query| query.from.to_string()));
    let until = field("until", query.map(|query| query.until.to_string()));
    let by = field("by", query.map(|query| query.by.as_str().to_owned()));
    let place = field("place", query.map(|query| query.place.clone()));
    let room = field("room", query.map(|query| query.room.clone()));
    let age = field("age", query.filter(|query| query.age > 0).map(|query| query.age.to_string()));
    let grains = kind.grains().iter().map(|one| {
        view! { <option value=one.as_str() selected=one.as_str() == by>{grain(*one, lang)}</option> }
    });
    let grains = grains.collect_view();
    let grains = (kind.grains().len() > 1).then(|| {
        view! { <label class="filter-field"><span>{t.by}</span><select name="by">{grains}</select></label> }
    });
    let options = |is_group: bool| {
        let some: Vec<_> = places.iter().filter(|one| one.is_group == is_group).collect();
        let options = some.iter().map(|one| {
            view! { <option value=one.id.clone() selected=one.id == place>{one.name.clone()}</option> }
        });
        let label = if is_group { t.groups } else { t.places };
        (!some.is_empty()).then(|| view! { <optgroup label=label>{options.collect_view()}</optgroup> })
    };
    let (in_places, in_groups) = (options(false), kind.is_of_rooms().then(|| options(true)));
    let here = [("from", &*from), ("until", &*until), ("by", &*by), ("place", &*place), ("room", &*room), ("age", &*age)];
    let can_be_made = matches!(wrong, None | Some(RangeProblem::TooSlow | RangeProblem::OthersBeingMade));
    let background = can_be_made.then(|| in_background(ExportSource::Report(kind), &here));
    let files = wrong.is_none().then(|| {
        let link = |ending: &str| address(&format!("{}.{ending}", path(kind)), &here);
        view! {
            <a class="button" href=link("csv") download="">{t.csv}</a>
            <a class="button" href=link("xlsx") download="">{t.xlsx}</a>
        }
    });
    let room = kind.is_of_rooms().then(|| {
        view! {
            <label class="filter-field">
                <span>{t.room}</span>
                <input type="search" name="room" value=room.clone() maxlength="100" autocomplete="off" />
            </label>
        }
    });
    let days = if kind.is_of_an_instant() {
        view! { <label class="filter-field"><span>{t.on}</span><input type="date" name="until" value=until.clone() /></label> }
            .into_any()
    } else {
        view! {
            <label class="filter-field"><span>{t.from}</span><input type="date" name="from" value=from.clone() /></label>
            <label class="filter-field"><span>{t.until}</span><input type="date" name="until" value=until.clone() /></label>
        }
        .into_any()
    };
    let place = (!kind.is_of_one_account()).then(|| {
        view! {
            <label class="filter-field">
                <span>{t.place}</span>
                <select name="place"><option value="">{t.all_places}</option>{in_places}{in_groups}</select>
            </label>
        }
    });
    let age = kind.has_age().then(|| {
        view! {
            <label class="filter-field">
                <span>{t.age}</span>
                <input name="age" value=age.clone() inputmode="numeric" maxlength="4" pattern="[0-9０-９]*" autocomplete="off" />
            </label>
        }
    });
    view! {
        <form class="filter" action=path(kind)>
            {days}
            {grains}
            {place}
            {age}
            {room}
            <button>{t.show}</button>
            {files}
        </form>
        {background}
    }
}
