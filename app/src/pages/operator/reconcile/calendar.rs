//! The settlement days of each channel with their states.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::reconciliation::{Calendar, DayState, SettlementDay, day_in, page_of};
use crate::i18n::reconcile::{state, texts};
use crate::i18n::{common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::state::{mark as shape_mark, shape};
use crate::ui::table_scroll::TableScroll;
use model::meter::SupplyState;
use model::money::{Fen, Money};
use model::order::Tender;
use model::time::Date;

/// The page: `/reconcile?until=2026-11-30`.
#[component]
pub fn CalendarPage() -> impl IntoView {
    let until = day_in(&param("until"));
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.reconciliation.calendar(&who, until).await
    };
    load(read, |calendar| view! { <Body calendar /> }.into_any())
}

#[component]
fn Body(calendar: Calendar) -> impl IntoView {
    let t = texts(lang());
    let (from, to) = calendar.span;
    let head = |channel: &Tender| view! { <th scope="col">{common::tender(*channel, lang())}</th> };
    let heads = calendar.channels.iter().map(head).collect_view();
    let mut dates: Vec<Date> = calendar.days.iter().map(|day| day.day).collect();
    dates.dedup();
    let rows = dates.iter().map(|date| row(&calendar, *date)).collect_view();
    let sums = calendar.channels.iter().map(|channel| sum(&calendar, *channel)).collect_view();
    let (tone, says) = match calendar.undecided {
        0 => (Tone::Good, t.all_settled.to_owned()),
        some => (Tone::Warn, format!("{some} {}", t.undecided)),
    };
    let nothing = if calendar.channels.is_empty() { t.no_channel } else { t.no_days };
    let empty = calendar.days.is_empty();
    view! {
        <Frame title=t.reconcile section=Section::Reconcile>
            <h1>{t.reconcile}</h1>
            <p class="muted">{t.hint}" "<a href="/channels">{crate::i18n::channels::texts(lang()).title}</a></p>
            <Notice />
            {(!empty).then(|| view! { <Callout tone=tone><p>{says}</p></Callout> })}
            <form class="filter" action="/reconcile">
                <label class="filter-field"><span>{t.until}</span><input type="date" name="until" value=to.to_string() /></label>
                <button>{t.show}</button>
                <a class="button" href=format!("/reconcile?until={}", from.plus(-1))>{t.earlier}</a>
            </form>
            {fetch(&calendar)}
            {if empty {
                view! { <p class="empty">{nothing}</p> }.into_any()
            } else {
                view! {
                    <TableScroll label=t.reconcile>
                        <table class="table sticky">
                            <caption class="visually-hidden">{t.reconcile}</caption>
                            <thead><tr><th scope="col">{t.date}</th>{heads}</tr></thead>
                            <tbody>{rows}</tbody>
                            <tfoot><tr><th scope="row">{t.statement}</th>{sums}</tr></tfoot>
                        </table>
                    </TableScroll>
                }
                .into_any()
            }}
        </Frame>
    }
}

/// The form to fetch the statement of a day early.
fn fetch(calendar: &Calendar) -> impl IntoView + use<> {
    let t = texts(lang());
    let (first, last) = calendar.askable;
    let channels = calendar.channels.iter().map(|channel| {
        view! { <option value=channel.as_str()>{common::tender(*channel, lang())}</option> }
    });
    (!calendar.channels.is_empty() && allowed("/api/operator/reconcile-run")).then(|| {
        view! {
            <details class="card">
                <summary>{t.fetch_title}</summary>
                <form class="filter" method="post" action="/api/operator/reconcile-run">
                    <label class="filter-field">
                        <span>{t.channel}</span>
                        <select name="channel">{channels.collect_view()}</select>
                    </label>
                    <label class="filter-field">
                        <span>{t.date}</span>
                        <input type="date" name="day" required min=first.to_string() max=last.to_string() value=last.to_string()
                            />
                    </label>
                    <button>{t.fetch}</button>
                    <p class="hint">{t.fetch_hint}</p>
                </form>
            </details>
        }
    })
}

fn row(calendar: &Calendar, date: Date) -> impl IntoView + use<> {
    let cell = |channel: &Tender| {
        let day = calendar.days.iter().find(|day| day.day == date && day.channel == *channel);
        match day {
            Some(day) => view! { <td><a href=page_of(day.channel, day.day)>{mark(day)}</a></td> }.into_any(),
            None => view! { <td class="muted">"—"</td> }.into_any(),
        }
    };
    let cells = calendar.channels.iter().map(cell).collect_view();
    view! { <tr><th scope="row" class="num">{date.to_string()}</th>{cells}</tr> }
}

/// The totals of a channel's statements in the period.
fn sum(calendar: &Calendar, channel: Tender) -> impl IntoView + use<> {
    let t = texts(lang());
    let days = || calendar.days.iter().filter(|day| day.channel == channel);
    let (total, fees) = (days().map(|day| day.statement).sum::<Fen>(), days().map(|day| day.fees).sum::<Money>());
    view! { <td class="num">{total.to_string()}" "<span class="muted">{t.fees}" "{fees.to_string()}</span></td> }
}

/// The state of a day.
pub(super) fn mark(day: &SettlementDay) -> impl IntoView + use<> {
    let t = texts(lang());
    let (class, like) = match day.state {
        DayState::Waiting => ("state not-open", SupplyState::NotOpen),
        DayState::Equal => ("state open", SupplyState::Open),
        DayState::Closed => ("state quiet", SupplyState::Open),
        DayState::Differs => ("state arrears", SupplyState::Arrears),
    };
    let (path, filled) = shape(like);
    let how_many = (day.differences > 0).then(|| format!(" · {} {}", day.differences, t.differences));
    view! { <span class=class>{shape_mark(path, filled)}{state(day.state, lang())}{how_many}</span> }
}
