//! The refunds by state and payment method.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::{address, choice, page_param, pager, param};
use super::refund::state_badge;
use crate::i18n::refunds::{self, texts};
use crate::i18n::{common, lang, operator};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{Page, RefundLine, RefundQuery};
use model::order::Tender;
use model::refund::RefundState;

/// The page: `/refunds?state=failed&tender=alipay&page=2`.
#[component]
pub fn RefundsPage() -> impl IntoView {
    let (state, tender) = (param("state"), param("tender"));
    let query = RefundQuery { state: RefundState::parse(&state), tender: Tender::parse(&tender), page: page_param() };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.refunds.refunds(&who, &query).await
    };
    load(read, move |page| view! { <List page query /> }.into_any())
}

#[component]
fn List(page: Page<RefundLine>, query: RefundQuery) -> impl IntoView {
    let (t, o, lang) = (texts(lang()), operator::texts(lang()), lang());
    let state = query.state.map_or("", RefundState::as_str);
    let tender = query.tender.map_or("", Tender::as_str);
    let here = address("/refunds", &[("state", state), ("tender", tender)]);
    let states = RefundState::ALL.map(|state| (state.as_str(), refunds::state(state, lang))).to_vec();
    let ways = Tender::ALL.into_iter().filter(|tender| tender.is_channel() || tender.is_counter());
    let ways = ways.map(|tender| (tender.as_str(), common::tender(tender, lang))).collect();
    let sum: model::money::Fen = page.lines.iter().map(|line| line.amount).sum();
    view! {
        <Frame title=t.refunds section=Section::Sales>
            <h1>{t.refunds}</h1>
            <Notice />
            <p class="hint">{t.hint}</p>
            <form class="filter" action="/refunds">
                {choice("state", o.state, state, states)}
                {choice("tender", t.way, tender, ways)}
                <button>{o.filter}</button>
            </form>
            {table(&page.lines, Some(sum))}
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {pager(&page, query.page, &here)}
        </Frame>
    }
}

/// The refunds as a table, with the total of these lines if it is given.
pub(super) fn table(lines: &[RefundLine], sum: Option<model::money::Fen>) -> impl IntoView + use<> {
    let (t, o) = (texts(lang()), operator::texts(lang()));
    let rows = lines.iter().map(row).collect_view();
    let foot = sum.map(|sum| {
        view! {
            <tfoot>
                <tr>
                    <th scope="row" colspan="4">{o.total}</th>
                    <td class="number">{sum.to_string()}</td>
                    <td colspan="3"></td>
                </tr>
            </tfoot>
        }
    });
    view! {
        <TableScroll label=t.refunds>
            <table class="table sticky">
                <caption class="visually-hidden">{t.refunds}</caption>
                <thead>
                    <tr>
                        <th scope="col">{o.time}</th>
                        <th scope="col">{t.refund_no}</th>
                        <th scope="col">{o.room}</th>
                        <th scope="col">{t.what}</th>
                        <th scope="col" class="number">{t.amount}</th>
                        <th scope="col">{t.way}</th>
                        <th scope="col">{o.state}</th>
                        <th scope="col">{o.by}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                {foot}
            </table>
        </TableScroll>
    }
}

fn row(line: &RefundLine) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    view! {
        <tr>
            <td><At at=line.asked_at /></td>
            <th scope="row" class="num"><a href=format!("/refunds/{}", line.id)>{line.refund_no.clone()}</a></th>
            <td><a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a></td>
            <td>{refunds::source(line.source, lang)}</td>
            <td class="number">{line.amount.to_string()}</td>
            <td>{common::tender(line.tender, lang)}</td>
            <td>{state_badge(line)}</td>
            <td>{line.asked_by.clone().unwrap_or_else(|| t.system.to_owned())}</td>
        </tr>
    }
}
