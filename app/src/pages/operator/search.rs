//! The search results; a single room is opened directly.

use leptos::prelude::*;

use super::cash_desk::order::address as order_page;
use super::frame::{Frame, Section};
use super::parts::{address, age, amount, page_param, pager, param, state_cell};
use crate::i18n::operator::texts;
use crate::i18n::{cash_desk, common, lang, retired, wall_controls};
use crate::ports::{allowed, operator, ports, reply};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{
    AccountState, Former, FormerAccount, FoundOrder, FoundPlace, FoundPlaceKind, MeterLine, Page, ReceiptNumber,
};
use model::typed;

/// What a page of the search shows.
#[derive(Default)]
struct Results {
    places: Vec<FoundPlace>,
    meters: Page<MeterLine>,
    orders: Vec<FoundOrder>,
    former: Former,
}

/// The page: `/search?q=301&page=2`.
#[component]
pub fn SearchPage() -> impl IntoView {
    let q = typed::name(&param("q"));
    let (text, number) = (q.clone(), page_param());
    let read = async move {
        let (ports, who, reply) = (ports()?, operator()?, reply()?);
        // A receipt's number names nothing else.
        if let Ok(number) = text.trim().parse::<ReceiptNumber>()
            && allowed(&format!("/receipts/{number}"))
            && ports.receipts.receipt(&who, number).await.is_ok()
        {
            reply.redirect(&format!("/receipts/{number}"));
            return Ok(Results::default());
        }
        let meters = ports.meter_wall.search(&who, &text, number).await?;
        if number > 0 {
            return Ok(Results { meters, ..Results::default() });
        }
        let orders = ports.meter_wall.find_orders(&who, &text).await?;
        let former = ports.meter_wall.find_former(&who, &text).await?;
        let results = Results { places: ports.meter_wall.find_places(&who, &text).await?, meters, orders, former };
        if let Some(page) = only_page(&results) {
            reply.redirect(&page);
        }
        Ok(results)
    };
    load(read, move |results| view! { <Found results q number /> }.into_any())
}

/// The page of the one thing that was found; `None` for none or several.
fn only_page(Results { places, meters, orders, former }: &Results) -> Option<String> {
    if !places.is_empty() || meters.total > 1 {
        return None;
    }
    match (&meters.lines[..], &orders[..], &former.accounts[..], &former.meters[..]) {
        ([only], [], [], []) => Some(format!("/rooms/{}", only.latest.meter)),
        ([], [only], [], []) => order_page(only.order),
        ([], [], [only], []) => Some(account_page(only)),
        ([], [], [], [only]) => Some(format!("/rooms/{}", only.id)),
        _ => None,
    }
}

/// How a closed account ended, or where it is listed.
fn account_page(account: &FormerAccount) -> String {
    match account.closing {
        Some(closing) => format!("/closings/{closing}"),
        None => address("/accounts", &[("q", &account.number), ("state", AccountState::Closed.as_str())]),
    }
}

/// What is no longer in use.
fn former_lists(former: &Former) -> impl IntoView + use<> {
    let t = retired::texts(lang());
    let accounts = former.accounts.iter().map(|account| {
        view! {
            <li>
                <a class="tap num" href=account_page(account)>{account.number.clone()}</a>
                " · "{account.room.to_string()}
                {account.closed_at.map(|at| view! { " · "{t.closed_at}" "<At at /> })}
            </li>
        }
    });
    let accounts = accounts.collect_view();
    let accounts = (!former.accounts.is_empty()).then(|| {
        view! { <section class="stack-tight"><h2>{t.closed_accounts}</h2><ul class="plain">{accounts}</ul></section> }
    });
    let meters = former.meters.iter().map(|meter| {
        view! {
            <li>
                <a class="tap num" href=format!("/rooms/{}", meter.id)>{meter.serial.clone()}</a>
                " · "{meter.room.to_string()}
                " · "{t.retired_at}" "<At at=meter.retired_at />
            </li>
        }
    });
    let meters = meters.collect_view();
    let meters = (!former.meters.is_empty()).then(|| {
        view! { <section class="stack-tight"><h2>{t.retired_meters}</h2><ul class="plain">{meters}</ul></section> }
    });
    (accounts, meters)
}

#[component]
fn Found(results: Results, q: String, number: i64) -> impl IntoView {
    let t = texts(lang());
    let Results { places, meters, orders, former } = results;
    let pages = (meters.total > Page::<MeterLine>::SIZE).then(|| pager(&meters, number, &address("/search", &[("q", &q)])));
    let rows = meters.lines.iter().map(|line| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/rooms/{}", line.latest.meter)>{line.room.to_string()}</a></th>
                <td>{line.residents.clone()}</td>
                <td>{state_cell(&line.latest)}</td>
                <td class="number">{amount(&line.latest)}</td>
                <td class="number">{age(&line.latest)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let table = view! {
        <TableScroll label=t.search_results>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{t.room}</th>
                        <th scope="col">{t.residents}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col" class="number">{t.remaining_yuan}</th>
                        <th scope="col" class="number">{t.age}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
        {pages}
    };
    let by_number = (!orders.is_empty()).then(|| view! { <ul class="plain">{orders.iter().map(order).collect_view()}</ul> });
    let is_empty = orders.is_empty() && former.is_empty() && places.is_empty();
    let body = if meters.lines.is_empty() && !is_empty {
        ().into_any()
    } else if meters.lines.is_empty() {
        view! { <p class="empty">{t.nothing_found}</p> }.into_any()
    } else {
        table.into_any()
    };
    view! {
        <Frame title=t.search_results section=Section::Wall q>
            <h1>{t.search_results}</h1>
            {place_list(&places)}
            {by_number}
            {body}
            {former_lists(&former)}
        </Frame>
    }
}

/// Buildings, floors and groups: each opens on the wall; a building has a page, too.
fn place_list(places: &[FoundPlace]) -> impl IntoView + use<> {
    let (t, w) = (texts(lang()), wall_controls::texts(lang()));
    let lines = places.iter().map(|place| {
        let (kind, page) = match place.kind {
            FoundPlaceKind::Building(id) => (t.building, Some(format!("/places/{id}")).filter(|page| allowed(page))),
            FoundPlaceKind::Floor => (t.floor, None),
            FoundPlaceKind::Group => (t.place_group, None),
        };
        view! {
            <li>
                <a class="tap" href=address("/wall", &[("q", &place.name)])>{place.name.clone()}</a>
                " · "{kind}" · "<span class="num">{place.meters}</span>" "{w.rooms}
                {page.map(|page| view! { " · "<a class="tap" href=page>{t.place_page}</a> })}
            </li>
        }
    });
    let lines = lines.collect_view();
    (!places.is_empty()).then(|| {
        view! { <section class="stack-tight"><h2>{t.places_found}</h2><ul class="plain">{lines}</ul></section> }
    })
}

fn order(found: &FoundOrder) -> impl IntoView + use<> {
    let (w, lang) = (cash_desk::texts(lang()), lang());
    let number = view! { {w.order_number}" "<span class="num">{found.number}</span> };
    let number = match order_page(found.order) {
        Some(page) => view! { <a class="tap" href=page>{number}</a> }.into_any(),
        None => number.into_any(),
    };
    view! {
        <li>
            {number}
            " · "{found.room.to_string()}
            " · "<span class="num">{found.amount.to_string()}</span>
            " · "{common::tender(found.tender, lang)}
            " · "{common::order(found.state, lang)}
            " · "<span class="num muted">{found.trade_no.clone()}</span>
        </li>
    }
}
