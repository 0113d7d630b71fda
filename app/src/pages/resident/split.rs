//! A month's cost among the residents of the room: a proposal that is changed by the address and booked nowhere.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load};
use crate::api::roommates::{self as api, DAYS_MAX, MonthSplit, SHARES_MAX, SplitPerson, SplitRequest};
use crate::i18n::roommates::{MonthOf, PaidElsewhere, Returned, Subsidised, texts};
use crate::i18n::{common, lang};
use crate::ports::now;
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use model::money::Fen;
use model::time::Date;
use model::typed;

/// Months that can be chosen.
const MONTHS: usize = 12;

/// The page: `/me/split?month=2026-11&cost=63.20&user=...&shares=1&days=30`, the last three once for each person.
#[component]
pub fn SplitPage() -> impl IntoView {
    load(Tab::Me, api::split(request()), |split| view! { <Body split /> }.into_any())
}

fn request() -> SplitRequest {
    use_query_map().with_untracked(|query| {
        let all = |name: &str| query.get_all(name).unwrap_or_default();
        let parts = all("user").into_iter().zip(all("shares")).zip(all("days")).take(100);
        let part = |((user, shares), days): ((String, String), String)| {
            Some((user.parse().ok()?, shares.trim().parse().ok()?, days.trim().parse().ok()?))
        };
        SplitRequest {
            month: query.get("month").and_then(|month| format!("{month}-01").parse().ok()),
            cost: query.get("cost").and_then(|cost| typed::yuan(&cost).ok()),
            parts: parts.filter_map(part).collect(),
        }
    })
}

/// Whether something in the address cannot be used as it is written. The page then shows what it used instead, and says so.
fn is_replaced(split: &MonthSplit) -> bool {
    use_query_map().with_untracked(|query| {
        let is_within = |text: &String, most: u32| text.trim().parse::<u32>().is_ok_and(|number| number <= most);
        let are_within = |name: &str, most: u32| query.get_all(name).is_none_or(|all| all.iter().all(|one| is_within(one, most)));
        query.get("month").is_some_and(|month| month != month_word(split.first))
            || query.get("cost").is_some_and(|cost| !cost.trim().is_empty() && typed::yuan(&cost).is_err())
            || !are_within("shares", SHARES_MAX)
            || !are_within("days", DAYS_MAX)
    })
}

/// `2026-11`, as addresses have it.
fn month_word(day: Date) -> String {
    let (year, month, _) = day.ymd();
    format!("{year}-{month:02}")
}

/// The month in words.
fn month_name(day: Date) -> String {
    let (year, month, _) = day.ymd();
    MonthOf { year, month: format!("{month:02}") }.text(lang())
}

#[component]
fn Body(split: MonthSplit) -> impl IntoView {
    let t = texts(lang());
    let unknown = split.known_cost.is_none().then(|| view! { <Callout><p>{t.cost_unknown}</p></Callout> });
    let replaced = is_replaced(&split).then(|| view! { <Callout tone=Tone::Warn><p>{t.replaced}</p></Callout> });
    view! {
        <Frame title=t.split tab=Tab::Me>
            <p class="muted">{t.split_lead}</p>
            {replaced}
            {months(split.first, split.since)}
            {unknown}
            {entries(&split)}
            {portions(&split)}
            {to_copy(&split)}
            <p><a class="tap" href="/me/roommates">{t.back}</a></p>
        </Frame>
    }
}

/// The month, in a form of its own: another month has other days and another cost.
fn months(chosen: Date, since: Date) -> impl IntoView {
    let t = texts(lang());
    // No month from before the account was theirs.
    let first = move |day: &Date| Some(day.month_before()).filter(|(_, last)| *last >= since).map(|(first, _)| first);
    let options = std::iter::successors(Some(now().date()), first).take(MONTHS).map(move |day| {
        let word = month_word(day);
        let is_chosen = word == month_word(chosen);
        view! { <option value=word selected=is_chosen>{month_name(day)}</option> }
    });
    view! {
        <form class="card stack-tight" action="/me/split">
            <div class="field">
                <label for="split-month">{t.month}</label>
                <select class="input" id="split-month" name="month">{options.collect_view()}</select>
            </div>
            <button>{t.show_month}</button>
        </form>
    }
}

fn entries(split: &MonthSplit) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = split.people.iter().map(|one| {
        let (shares, days) = (format!("{}: {}", one.name, t.shares), format!("{}: {}", one.name, t.days));
        view! {
            <tr>
                <th scope="row">{one.name.clone()}<input type="hidden" name="user" value=one.user.to_string() /></th>
                <td data-label=t.shares>
                    <input class="input" name="shares" type="number" min="0" max=SHARES_MAX.to_string()
                        value=one.shares.to_string() aria-label=shares />
                </td>
                <td data-label=t.days>
                    <input class="input" name="days" type="number" min="0" max=DAYS_MAX.to_string()
                        value=one.days.to_string() aria-label=days />
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = [Column::text(t.person), Column::text(t.shares), Column::text(t.days)];
    view! {
        <form class="card stack-tight" action="/me/split">
            <input type="hidden" name="month" value=month_word(split.first) />
            <div class="field">
                <label for="split-cost">{t.cost}</label>
                <input class="input" id="split-cost" name="cost" inputmode="decimal" autocomplete="off" maxlength="12"
                    pattern="[0-9]+([.][0-9]{1,2})?" value=split.cost.to_string() />
                <p class="hint">{t.cost_hint}</p>
            </div>
            <DataTable label=t.entries columns=columns stacked=true>{rows}</DataTable>
            <button class="primary wide">{t.compute}</button>
        </form>
    }
}

/// What somebody paid more than their portion.
fn paid_more(one: &SplitPerson) -> Option<Fen> {
    one.portion.map(|portion| one.paid - portion)
}

fn text(amount: Option<Fen>) -> String {
    amount.map_or_else(|| "—".to_owned(), |amount| amount.to_string())
}

fn portions(split: &MonthSplit) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let rows = split.people.iter().map(|one| {
        view! {
            <tr>
                <th scope="row">{one.name.clone()}</th>
                <td class="number" data-label=t.portion>{text(one.portion)}</td>
                <td class="number" data-label=t.paid>{one.paid.to_string()}</td>
                <td class="number" data-label=t.difference>{text(paid_more(one))}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = [Column::text(t.person), Column::number(t.portion), Column::number(t.paid), Column::number(t.difference)];
    let paid: Fen = split.people.iter().map(|one| one.paid).sum();
    let foot = view! {
        <tr>
            <th scope="row">{t.total}</th>
            <td class="number" data-label=t.portion>{split.cost.to_string()}</td>
            <td class="number" data-label=t.paid>{paid.to_string()}</td>
            <td class="number" data-label=t.difference>{(paid - split.cost).to_string()}</td>
        </tr>
    }
    .into_any();
    let office = (split.by_office > Fen::ZERO).then(|| PaidElsewhere { amount: split.by_office }.text(lang));
    let subsidy = (split.subsidy > Fen::ZERO).then(|| Subsidised { amount: split.subsidy }.text(lang));
    let returned = (split.returned > Fen::ZERO).then(|| Returned { amount: split.returned }.text(lang));
    view! {
        <section class="card stack-tight">
            <h2>{t.result}</h2>
            <DataTable label=t.result columns=columns stacked=true foot=foot>{rows}</DataTable>
            {office.map(|text| view! { <p class="hint">{text}</p> })}
            {subsidy.map(|text| view! { <p class="hint">{text}</p> })}
            {returned.map(|text| view! { <p class="hint">{text}</p> })}
            <p class="hint">{t.difference_hint}</p>
        </section>
    }
}

/// The same as text with tabs, as tables and chats take it.
fn to_copy(split: &MonthSplit) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let title = format!("{} {} {}", month_name(split.first), split.cost, common::yuan(lang));
    let head = [t.person, t.shares, t.days, t.portion, t.paid, t.difference].join("\t");
    let row = |one: &SplitPerson| {
        let numbers = [one.shares.to_string(), one.days.to_string(), text(one.portion), one.paid.to_string()];
        format!("{}\t{}\t{}", one.name, numbers.join("\t"), text(paid_more(one)))
    };
    let lines: Vec<String> = [title, head].into_iter().chain(split.people.iter().map(row)).collect();
    let rows = (lines.len() + 1).to_string();
    view! {
        <section class="card stack-tight">
            <div class="field">
                <label for="split-copy">{t.copy}</label>
                <textarea class="input" id="split-copy" readonly rows=rows>{lines.join("\n")}</textarea>
            </div>
        </section>
    }
}
