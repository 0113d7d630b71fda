//! The year of a plan: a table a month, each day with the colour and letter of its kind, and the hours of each kind.

use leptos::prelude::*;

use super::super::parts::address;
use super::yuan;
use crate::i18n::price_plans::{DaysOf, KindOfDay, TakesOver, TitleOfYear, VersionsOf, texts};
use crate::i18n::{common, lang};
use crate::ui::table_scroll::TableScroll;
use model::console::{DayKind, PriceYear, YearDay};
use model::tariff::RateSpan;
use model::time::Date;

/// Colours that repeat after the sixth kind; the letters do not.
const COLOURS: usize = 6;

/// The heading of a year.
pub fn title(year: &PriceYear) -> String {
    TitleOfYear { year: year.year }.text(lang())
}

/// Links to the years before and after.
pub fn choice(here: &str, year: i64) -> impl IntoView + use<> {
    let t = texts(lang());
    let to = |year: i64| format!("{}#year", address(here, &[("year", &year.to_string())]));
    view! {
        <nav class="buttons no-print" aria-label=t.year>
            <a class="button" rel="prev" href=to(year - 1)>{year - 1}</a>
            <a class="button" rel="next" href=to(year + 1)>{year + 1}</a>
        </nav>
    }
}

/// The letter of a kind: A, B, ...
fn letter(kind: usize) -> char {
    u8::try_from(kind % 26).map_or('A', |n| char::from(b'A' + n))
}

fn colour(kind: usize) -> String {
    format!("day-kind-{}", kind % COLOURS + 1)
}

/// The months, and below them the hours of each kind of day.
pub fn calendar(year: &PriceYear, today: Option<Date>) -> impl IntoView + use<> {
    let months = year.days.chunk_by(|one, next| one.day.ymd().1 == next.day.ymd().1);
    let months = months.map(|days| month(days, today)).collect_view();
    let kinds = year.kinds.iter().enumerate().map(|(n, one)| kind(n, one)).collect_view();
    view! {
        <ul class="day-kinds">{kinds}</ul>
        <div class="year">{months}</div>
    }
}

fn month(days: &[YearDay], today: Option<Date>) -> impl IntoView + use<> {
    let number = days.first().map_or(1, |day| day.day.ymd().1);
    let name = common::month(number, lang());
    let empty = days.first().map_or(0, |day| day.day.weekday());
    let heads = (0..7).map(|n| view! { <th scope="col">{common::weekday(n, lang())}</th> }).collect_view();
    // Blanks before the first day, so that the weekdays stand below each other.
    let cells: Vec<Option<YearDay>> = (0..empty).map(|_| None).chain(days.iter().copied().map(Some)).collect();
    let weeks = cells.chunks(7).map(|week| {
        let cells = week.iter().map(|day| day.map(|day| cell(day, today)).unwrap_or_else(|| view! { <td></td> }.into_any()));
        view! { <tr>{cells.collect_view()}</tr> }
    });
    let weeks = weeks.collect_view();
    view! {
        <table class="month">
            <caption>{name}</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{weeks}</tbody>
        </table>
    }
}

fn cell(day: YearDay, today: Option<Date>) -> AnyView {
    let (_, _, number) = day.day.ymd();
    let mut class = day.kind.map_or_else(|| "muted".to_owned(), colour);
    if today == Some(day.day) {
        class.push_str(" today");
    }
    let starts = day.starts.map(|number| TakesOver { number }.text(lang()));
    if starts.is_some() {
        class.push_str(" takes-over");
    }
    let letter = day.kind.map_or('–', letter);
    let none = day.kind.is_none().then(|| texts(lang()).no_version_yet.to_owned());
    let starts = starts.or(none);
    let said = starts.clone().map(|words| view! { <span class="visually-hidden">" "{words}</span> });
    view! {
        <td class=class title=starts aria-current=(today == Some(day.day)).then_some("date")>
            {number}<span class="kind-letter">{letter}</span>{said}
        </td>
    }
    .into_any()
}

/// A kind of day: its letter, its days and versions, a strip of its hours and the same as a table.
fn kind(n: usize, kind: &DayKind) -> impl IntoView + use<> {
    let t = texts(lang());
    let versions = kind.versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let table = if kind.table == 0 { t.flat_day.to_owned() } else { KindOfDay { table: kind.table }.text(lang()) };
    let days = i64::try_from(kind.days).unwrap_or(0);
    view! {
        <li class="day-kind">
            <p>
                <span class=format!("kind-mark {}", colour(n))>{letter(n)}</span>
                <strong>{table}</strong>" "
                <span class="muted small">{DaysOf { count: days }.text(lang())}" · "{VersionsOf { versions }.text(lang())}</span>
            </p>
            {hours(&kind.spans, format!("{} {}", t.hours, letter(n)))}
        </li>
    }
}

/// The hours of a day: a strip, and a table with prices. `label` names the table among others.
pub fn hours(spans: &[RateSpan], label: String) -> impl IntoView + use<> {
    let t = texts(lang());
    let parts = spans.iter().map(|span| {
        let width = span.until.saturating_sub(span.from).to_string();
        view! { <rect class=format!("rate-{}", span.rate) x=span.from.to_string() y="0" width=width height="10" /> }
    });
    let rows = spans.iter().map(|span| {
        view! {
            <tr>
                <td class="num">{clock(span.from)}"–"{clock(span.until)}</td>
                <td>
                    <span class=format!("rate-mark rate-{}", span.rate) aria-hidden="true"></span>
                    {common::rate(span.rate, lang())}
                </td>
                <td class="number">{yuan(span.price)}</td>
            </tr>
        }
    });
    let (parts, rows) = (parts.collect_view(), rows.collect_view());
    view! {
        <svg class="hour-strip" viewBox="0 0 1440 10" preserveAspectRatio="none" aria-hidden="true">{parts}</svg>
        <TableScroll label=label.clone()>
            <table class="table">
                <caption class="visually-hidden">{label}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.hours}</th>
                        <th scope="col">{t.rate}</th>
                        <th scope="col" class="number">{t.price}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    }
}

/// `07:00`, and `24:00` at the end of the day.
pub fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
