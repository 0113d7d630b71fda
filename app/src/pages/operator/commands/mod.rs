//! Commands to many meters: the batches, issuing one, following it, and the meters that missed a price switch.

pub mod batch;
mod fields;
pub mod missed_price_switch;
pub mod new;
pub mod preview;
mod progress;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, choice, page_param, pager, param};
use crate::i18n::commands::{kind, summary, texts};
use crate::i18n::{lang, operator};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{Batch, BatchFilter, BatchQuery, Page};
use model::issue::Kind;

/// The page: `/commands?kind=prices&state=failed&page=2`.
#[component]
pub fn CommandsPage() -> impl IntoView {
    let filter = BatchFilter::parse(&param("state")).filter(|filter| *filter != BatchFilter::Done);
    let query = BatchQuery { kind: Kind::parse(&param("kind")), filter, page: page_param() };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let missed = ports.batches.missed_price_switches(&who, 0).await?.total;
        Ok((ports.batches.batches(&who, &query).await?, query, missed))
    };
    load(read, |(page, query, missed)| view! { <List page query missed /> }.into_any())
}

#[component]
fn List(page: Page<Batch>, query: BatchQuery, missed: i64) -> impl IntoView {
    let (t, o) = (texts(lang()), operator::texts(lang()));
    let which = query.kind.map_or("", Kind::as_str);
    let state = query.filter.map_or("", BatchFilter::as_str);
    let here = address("/commands", &[("kind", which), ("state", state)]);
    let filtered = query.kind.is_some() || query.filter.is_some();
    let kinds = Kind::ALL.map(|one| (one.as_str(), kind(one, lang())));
    let states = [(BatchFilter::Moving.as_str(), t.moving), (BatchFilter::Failed.as_str(), t.failed)];
    let rows = page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.commands section=Section::Commands>
            <div class="page-head">
                <h1>{t.commands}</h1>
                <div class="buttons">
                    <a class="button" href="/commands/missed-price-switches">{t.missed_title}" "<span
                        class="num">{missed}</span></a>
                    {allowed("/commands/new").then(|| view! { <a class="button primary" href="/commands/new">{t.new}</a> })}
                </div>
            </div>
            <Notice />
            <form class="filter" action="/commands">
                {choice("kind", t.kind, which, kinds.to_vec())}
                {choice("state", o.state, state, states.to_vec())}
                <button>{o.filter}</button>
                {filtered.then(|| view! { <a href="/commands">{o.clear}</a> })}
            </form>
            <TableScroll label=t.commands>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.commands}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.decided_at}</th>
                            <th scope="col">{t.what}</th>
                            <th scope="col">{t.decided_by}</th>
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col" class="number">{t.done}</th>
                            <th scope="col" class="number">{t.moving}</th>
                            <th scope="col" class="number">{t.failed}</th>
                            <th scope="col" class="number">{t.dropped}</th>
                            <th scope="col" class="number">{t.missed}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {pager(&page, query.page, &here)}
        </Frame>
    }
}

fn row(batch: &Batch) -> impl IntoView + use<> {
    let counts = batch.counts;
    let some = |n: i64| (n > 0).then(|| n.to_string());
    view! {
        <tr>
            <td><At at=batch.decided_at /></td>
            <th scope="row" class="long"><a href=format!("/commands/{}", batch.id)>{summary(&batch.issue, lang())}</a></th>
            <td>{batch.by.clone()}</td>
            <td class="number">{counts.meters}</td>
            <td class="number">{counts.done}</td>
            <td class="number">{some(counts.waiting + counts.sending)}</td>
            <td class="number">{some(counts.failed)}</td>
            <td class="number">{some(counts.dropped)}</td>
            <td class="number">{some(counts.missed)}</td>
        </tr>
    }
}
