//! The wall as a table: for keyboards, screen readers, paper, and browsers without scripts.

use leptos::prelude::*;

use super::parts::{age, amount, marks, pager, state_cell};
use super::wall_controls::{profile_choice, profile_shown, wall_address};
use crate::api::meter_wall::{WallMeter, WallSets};
use crate::i18n::{lang, operator, wall};
use crate::ui::table_scroll::TableScroll;
use crate::ui::units;
use crate::ui::wall::filter::{Chip, Counts, Filter};
use crate::ui::wall::{LiveRows, chip_face};
use model::console::Page;
use model::wall::Tile;

/// The rooms that the filter shows, a page at a time; the numbers follow the meters where there are scripts.
#[component]
pub fn WallTable(seats: Vec<WallMeter>, sets: WallSets, counts: Counts, filter: Filter, page: i64) -> impl IntoView {
    let (t, w) = (operator::texts(lang()), wall::texts(lang()));
    let (path, picture) = (wall_address("table", &sets), wall_address("", &sets));
    let selector = filter.clone().among(seats.iter().map(|seat| &seat.search_text));
    let is_shown = |seat: &WallMeter| selector.shows(Tile::of(&seat.latest), &seat.search_text);
    let shown: Vec<WallMeter> = seats.into_iter().filter(is_shown).collect();
    let total = i64::try_from(shown.len()).unwrap_or(i64::MAX);
    let first = usize::try_from(page * Page::<WallMeter>::SIZE).unwrap_or(usize::MAX);
    let size = usize::try_from(Page::<WallMeter>::SIZE).unwrap_or(usize::MAX);
    let page_of = Page { lines: shown.into_iter().skip(first).take(size).collect(), total };

    let chips = Chip::ALL.into_iter().zip(counts).map(|(chip, count)| {
        let href = filter.toggled(chip).address(&path);
        let current = filter.has(chip).then_some("true");
        view! { <li>{chip_face(chip, &w, lang(), count, href, current)}</li> }
    });
    let kept = Chip::ALL.into_iter().filter(|chip| filter.has(*chip)).map(Chip::word).collect::<Vec<_>>().join(",");
    let rows = page_of.lines.iter().map(row).collect_view();
    view! {
        <div class="page-head">
            <h1>{t.wall}</h1>
            <a href=filter.address(&picture)>{t.picture}</a>
        </div>
        <ul class="wall-chips">{chips.collect_view()}</ul>
        <form class="filter" action="/wall">
            <input type="hidden" name="view" value="table" />
            {(!kept.is_empty()).then(|| view! { <input type="hidden" name="show" value=kept /> })}
            <label class="filter-field"><span>{t.room}</span><input type="search" name="q" value=filter.text().to_owned()
                /></label>
            {(sets.profiles.len() > 1).then(|| profile_choice(&sets))}
            <button>{t.filter}</button>
            {(!filter.is_empty()).then(|| view! { <a href=path.clone()>{t.clear}</a> })}
            {profile_shown(&sets, filter.address("/wall?view=table"))}
        </form>
        <TableScroll label=t.wall>
            <table class="table sticky">
                <caption class="visually-hidden">{t.wall}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.building}</th>
                        <th scope="col">{t.floor}</th>
                        <th scope="col">{t.room}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col">{t.marks}</th>
                        <th scope="col" class="number">{t.remaining_yuan}</th>
                        <th scope="col" class="number">{t.power_w}</th>
                        <th scope="col" class="number">{t.age}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
        {page_of.lines.is_empty().then(|| view! { <p class="empty">{w.nothing}</p> })}
        {pager(&page_of, page, &filter.address(&path))}
        <LiveRows tag=lang().tag().to_owned() />
    }
}

fn row(seat: &WallMeter) -> impl IntoView + use<> {
    let latest = &seat.latest;
    let power = units::whole(latest.power_w);
    view! {
        <tr data-meter=latest.meter.to_string()>
            <td>{seat.name.building.clone()}</td>
            <td>{seat.name.floor.clone()}</td>
            <th scope="row"><a href=format!("/rooms/{}", latest.meter)>{seat.name.room.clone()}</a></th>
            <td data-cell="state">{state_cell(latest)}</td>
            <td data-cell="marks">{marks(latest)}</td>
            <td class="number" data-cell="amount">{amount(latest)}</td>
            <td class="number" data-cell="power">{power}</td>
            <td class="number" data-cell="age">{age(latest)}</td>
        </tr>
    }
}
