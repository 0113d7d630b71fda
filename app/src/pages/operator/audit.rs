//! The audit log.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, page_param, pager, param};
use crate::i18n::audit::{action, actor};
use crate::i18n::lang;
use crate::i18n::operator::texts;
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::AtSeconds;
use model::console::{AuditLine, Page, Query};

/// The page: `/audit?q=meter.mode&page=2`.
#[component]
pub fn AuditPage() -> impl IntoView {
    let (q, number) = (param("q"), page_param());
    let query = Query { text: q.clone(), page: number };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.audit.audit(&who, &query).await
    };
    load(read, move |page| view! { <List page number q /> }.into_any())
}

#[component]
fn List(page: Page<AuditLine>, number: i64, q: String) -> impl IntoView {
    let t = texts(lang());
    let here = address("/audit", &[("q", &q)]);
    let filtered = !q.is_empty();
    let rows = page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.audit section=Section::Audit>
            <h1>{t.audit}</h1>
            <form class="filter" action="/audit">
                <label class="filter-field"><span>{t.search}</span><input type="search" name="q" value=q /></label>
                <button>{t.filter}</button>
                {filtered.then(|| view! { <a href="/audit">{t.clear}</a> })}
            </form>
            <TableScroll label=t.audit>
                <table class="table sticky stacked">
                    <caption class="visually-hidden">{t.audit}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="number">{t.number}</th>
                            <th scope="col">{t.time}</th>
                            <th scope="col">{t.by}</th>
                            <th scope="col">{t.ip}</th>
                            <th scope="col">{t.action}</th>
                            <th scope="col">{t.subject}</th>
                            <th scope="col">{t.detail}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.no_audit}</p> })}
            {pager(&page, number, &here)}
        </Frame>
    }
}

fn row(line: &AuditLine) -> impl IntoView + use<> {
    let subject = match &line.place {
        Some((meter, room)) => {
            view! { <a href=format!("/rooms/{meter}") title=line.subject.clone()>{room.to_string()}</a> }.into_any()
        }
        None => line.subject.clone().into_any(),
    };
    let t = texts(lang());
    view! {
        <tr>
            <td class="number" data-label=t.number>{line.seq}</td>
            <td><AtSeconds at=line.at /></td>
            <td data-label=t.by>{actor(&line.actor, lang())}</td>
            <td class="num" data-label=t.ip>{line.ip.clone()}</td>
            <td title=line.action.clone()>{action(&line.action, lang())}</td>
            <td class="long">{subject}</td>
            <td class="muted long"><code>{(line.detail != "{}").then(|| line.detail.clone())}</code></td>
        </tr>
    }
}
