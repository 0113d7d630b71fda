//! The requests that wait for approval by another operator.

use leptos::prelude::*;

use super::super::approvals::waiting;
use super::super::frame::{Frame, Section};
use super::super::parts::{page_param, pager};
use crate::i18n::cash_desk::{kind, texts};
use crate::i18n::{common, lang, operator, refunds};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::approval::ApprovalLine;
use model::console::{Page, ReturnLine};

/// The page: `/approvals`.
#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let (page, may) = ports.sales.approvals(&who, number).await?;
        Ok((page, may, ports.approvals.waiting(&who).await?))
    };
    load(read, move |(page, may, requests)| view! { <List page number may requests /> }.into_any())
}

#[component]
fn List(page: Page<ReturnLine>, number: i64, may: bool, requests: Vec<ApprovalLine>) -> impl IntoView {
    let (t, o) = (texts(lang()), operator::texts(lang()));
    let rows = page.lines.iter().map(row).collect_view();
    let table = (!page.lines.is_empty()).then(|| {
        view! {
            <TableScroll label=t.approvals>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.approvals}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{o.time}</th>
                            <th scope="col">{t.room}</th>
                            <th scope="col">{o.what_is_so}</th>
                            <th scope="col" class="number">{t.amount}</th>
                            <th scope="col">{t.pay_by}</th>
                            <th scope="col">{t.reason}</th>
                            <th scope="col">{o.by}</th>
                            <th scope="col">{t.until}</th>
                            <th scope="col">{o.next_step}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        }
    });
    view! {
        <Frame title=t.approvals section=Section::Approvals>
            <h1>{t.approvals}</h1>
            <Notice />
            <p class="hint">{t.approvals_hint}</p>
            {(!may).then(|| view! { <p class="hint">{t.may_not}</p> })}
            {table}
            {(page.lines.is_empty() && requests.is_empty()).then(|| view! { <p class="empty">{t.nothing_waits}</p> })}
            {pager(&page, number, "/approvals")}
            {waiting(&requests, may)}
            <p><a class="button" href="/refunds?state=waiting">{refunds::texts(lang()).waiting_link}</a></p>
        </Frame>
    }
}

fn row(line: &ReturnLine) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <tr>
            <td><At at=line.asked_at /></td>
            <th scope="row"><a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a></th>
            <td>{kind(line.kind, lang())}</td>
            <td class="number">{line.amount.to_string()}</td>
            <td>{common::tender(line.tender, lang())}</td>
            <td>{line.reason.clone()}</td>
            <td>{line.asked_by.clone()}</td>
            <td>{line.expires_at.map(|at| view! { <At at /> })}</td>
            <td><a class="button" href=format!("/returns/{}", line.id)>{t.open}</a></td>
        </tr>
    }
}
