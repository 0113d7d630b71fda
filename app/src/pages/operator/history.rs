//! The history of a meter: a chart and a table of days, hours or readings within a range of days.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::exports::in_background;
use super::frame::{Frame, Section};
use super::parts::{address, page_param, pager, param};
use super::readings;
use crate::i18n::history::{DaysLabel, Highest, HoursLabel, PowerLabel, kind, problem, texts};
use crate::i18n::lang;
use crate::ports::{now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::mark;
use crate::ui::notice::Notice;
use crate::ui::series::{Column, Series};
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{
    History, HistoryKind, HistoryLines, HistoryQuery, HourEnergy, POWER_PARTS, Page, PowerRange, RangeProblem, RoomDay,
};
use model::energy::Energy;
use model::error::AppError;
use model::export::{ExportList, ExportSource};
use model::ids::MeterId;
use model::time::Date;

/// The range of the address, for the page and the files.
///
/// # Errors
/// [`RangeProblem`] to be shown.
pub fn query(field: impl Fn(&'static str) -> String, today: Date, page: i64) -> Result<HistoryQuery, RangeProblem> {
    HistoryQuery::parse(&field("kind"), &field("from"), &field("until"), today, page)
}

/// The page: `/meters/:id/readings?kind=hours&from=2026-11-01&until=2026-11-07&page=2`.
#[component]
pub fn HistoryPage() -> impl IntoView {
    let meter = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let asked = query(param, now().date(), page_param());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let meter: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        // A wrong range shows the form with the reason, above the empty history of today.
        let today = now().date();
        let usual = HistoryQuery { kind: HistoryKind::Hours, from: today, until: today, page: 0 };
        Ok((ports.history.history(&who, meter, &asked.unwrap_or(usual)).await?, asked))
    };
    load(read, |(history, asked)| view! { <Body history asked /> }.into_any())
}

#[component]
fn Body(history: History, asked: Result<HistoryQuery, RangeProblem>) -> impl IntoView {
    let t = texts(lang());
    let title = format!("{} {}", t.title, history.room);
    let retired = history.retired_at.map(|at| view! { <Callout tone=Tone::Warn><p>{t.retired}" "<At at /></p></Callout> });
    let place = view! { <a href=format!("/rooms/{}", history.meter)>{history.room.to_string()}</a> };
    let (wrong, shown) = match asked {
        Err(wrong) => (Some(view! { <Callout tone=Tone::Bad><p>{problem(wrong, lang())}</p></Callout> }), None),
        Ok(query) => (None, Some(lines(&history, query))),
    };
    view! {
        <Frame title section=Section::Meters>
            <div class="stack-tight">
                <p class="small">{place}" · "<span class="num">{history.serial.clone()}</span></p>
                <h1>{t.title}</h1>
            </div>
            <Notice />
            {retired}
            {wrong}
            {form(history.meter, asked.ok())}
            {shown}
        </Frame>
    }
}

/// The choice of content and range, and the files of the same.
fn form(meter: MeterId, query: Option<HistoryQuery>) -> impl IntoView {
    let t = texts(lang());
    let chosen = query.map_or_else(|| HistoryKind::parse(&param("kind")).unwrap_or(HistoryKind::Days), |query| query.kind);
    let kinds = HistoryKind::ALL.map(|one| {
        view! { <option value=one.as_str() selected=one == chosen>{kind(one, lang())}</option> }
    });
    let (from, until) = match query {
        Some(query) => (query.from.to_string(), query.until.to_string()),
        None => (param("from"), param("until")),
    };
    let id = meter.to_string();
    let here = query.map(|query| [("meter", &*id), ("kind", query.kind.as_str()), ("from", &from), ("until", &until)]);
    let background = here.map(|here| in_background(ExportSource::List(ExportList::Readings), &here));
    let files = here.map(|here| {
        view! {
            <a class="button" href=address("/readings.csv", &here) download="">{t.csv}</a>
            <a class="button" href=address("/readings.xlsx", &here) download="">{t.xlsx}</a>
        }
    });
    view! {
        <form class="filter" action=format!("/meters/{meter}/readings")>
            <label class="filter-field"><span>{t.kind}</span><select name="kind">{kinds}</select></label>
            <label class="filter-field"><span>{t.from}</span><input type="date" name="from" value=from.clone() /></label>
            <label class="filter-field"><span>{t.until}</span><input type="date" name="until" value=until.clone() /></label>
            <button>{t.show}</button>
            {files}
        </form>
        {background}
    }
}

fn lines(history: &History, query: HistoryQuery) -> AnyView {
    match &history.lines {
        HistoryLines::Days(days) => {
            // Why a day cost what it did is a page of the room, which a retired meter has left.
            let link = history.retired_at.is_none().then_some(history.meter);
            view! { <div class="history">{day_chart(days, query)} {day_table(days, link)}</div> }.into_any()
        }
        HistoryLines::Hours(hours) => {
            view! { <div class="history">{hour_chart(hours, query)} {hour_table(hours, history.meter, query)}</div> }.into_any()
        }
        HistoryLines::Readings(page, power) => {
            let here = address(
                &format!("/meters/{}/readings", history.meter),
                &[("kind", query.kind.as_str()), ("from", &query.from.to_string()), ("until", &query.until.to_string())],
            );
            view! {
                <div class="history wide">
                    {power_chart(power, query)}
                    {readings::table(&page.lines)}
                    {pager(page, query.page, &here)}
                </div>
            }
            .into_any()
        }
    }
}

fn nothing() -> AnyView {
    view! { <p class="empty">{texts(lang()).no_values}</p> }.into_any()
}

/// The first, the middle and the last day of a range.
fn marks(query: HistoryQuery) -> [String; 3] {
    let middle = Date(i64::midpoint(query.from.0, query.until.0));
    [query.from, middle, query.until].map(|day| day.to_string())
}

fn energy_chart(values: &[Option<Energy>], label: String, query: HistoryQuery) -> AnyView {
    let t = texts(lang());
    let columns: Vec<Column> =
        (0..).zip(values).filter_map(|(place, energy)| Some(Column { place, low: 0, high: energy.as_ref()?.0.max(0) })).collect();
    if columns.is_empty() {
        return nothing();
    }
    let most = values.iter().flatten().max().copied().unwrap_or_default();
    let most = Highest { value: format!("{most} kWh") }.text(lang());
    let places = i64::try_from(values.len()).unwrap_or(1);
    view! {
        <section class="card stack-tight">
            <h2>{t.energy_kwh}</h2>
            <Series columns places label most marks=marks(query) />
        </section>
    }
    .into_any()
}

fn day_chart(days: &[RoomDay], query: HistoryQuery) -> AnyView {
    let label = DaysLabel { from: query.from, until: query.until }.text(lang());
    energy_chart(&days.iter().map(|day| day.energy).collect::<Vec<_>>(), label, query)
}

fn hour_chart(hours: &[HourEnergy], query: HistoryQuery) -> AnyView {
    let label = HoursLabel { from: query.from, until: query.until }.text(lang());
    energy_chart(&hours.iter().map(|hour| hour.energy).collect::<Vec<_>>(), label, query)
}

fn power_chart(power: &[PowerRange], query: HistoryQuery) -> AnyView {
    let t = texts(lang());
    let columns: Vec<Column> =
        power.iter().map(|one| Column { place: one.part, low: one.lowest_w, high: one.highest_w }).collect();
    let Some(most) = power.iter().map(|one| one.highest_w).max() else { return nothing() };
    let most = Highest { value: format!("{most} W") }.text(lang());
    let label = PowerLabel { from: query.from, until: query.until }.text(lang());
    view! {
        <section class="card stack-tight">
            <h2>{t.power}</h2>
            <Series columns places=POWER_PARTS label most marks=marks(query) />
            <p class="hint">{t.table_hint}</p>
        </section>
    }
    .into_any()
}

fn day_table(days: &[RoomDay], room: Option<MeterId>) -> impl IntoView + use<> {
    let t = texts(lang());
    let total = days.iter().filter_map(|day| day.energy).fold(Energy::ZERO, |sum, energy| sum + energy);
    let rows = days.iter().rev().filter_map(|day| {
        let energy = day.energy?;
        let name = match room {
            Some(meter) => view! { <a href=format!("/rooms/{meter}/days/{}", day.day)>{day.day.to_string()}</a> }.into_any(),
            None => day.day.to_string().into_any(),
        };
        Some(view! {
            <tr>
                <th scope="row" class="num">{name}</th>
                <td class="number">{energy.to_string()}</td>
                <td>{mark::sign(day.mark)}</td>
            </tr>
        })
    });
    let rows = rows.collect_view();
    view! {
        <TableScroll label=t.days>
            <table class="table sticky">
                <caption class="visually-hidden">{t.days}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.day}</th>
                        <th scope="col" class="number">{t.energy_kwh}</th>
                        <th scope="col">{t.note}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr><th scope="row">{t.total}</th><td class="number">{total.to_string()}</td><td></td></tr>
                </tfoot>
            </table>
        </TableScroll>
        {mark::legend(days.iter().map(|day| day.mark))}
    }
}

/// A page of the hours that were read, newest first.
fn hour_table(hours: &[HourEnergy], meter: MeterId, query: HistoryQuery) -> impl IntoView + use<> {
    let t = texts(lang());
    let known: Vec<(String, Energy)> = hours.iter().rev().filter_map(|hour| Some((hour.at.to_string(), hour.energy?))).collect();
    let size = usize::try_from(Page::<HourEnergy>::SIZE).unwrap_or(1);
    let skipped = usize::try_from(query.page).unwrap_or(0).saturating_mul(size);
    let total = i64::try_from(known.len()).unwrap_or(0);
    let page = Page { lines: known.into_iter().skip(skipped).take(size).collect(), total };
    let rows = page.lines.iter().map(|(at, energy)| {
        let at = at.get(..16).unwrap_or(at).to_owned();
        view! { <tr><th scope="row" class="num">{at}</th><td class="number">{energy.to_string()}</td></tr> }
    });
    let rows = rows.collect_view();
    let here = address(
        &format!("/meters/{meter}/readings"),
        &[("kind", query.kind.as_str()), ("from", &query.from.to_string()), ("until", &query.until.to_string())],
    );
    view! {
        <div class="stack-tight">
            <TableScroll label=t.hours>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.hours}</caption>
                    <thead>
                        <tr><th scope="col">{t.hour}</th><th scope="col" class="number">{t.energy_kwh}</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {pager(&page, query.page, &here)}
        </div>
    }
}
