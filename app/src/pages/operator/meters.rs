//! Gateways and meters: what answers, what does not, since when.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, age, page_param, pager, param, state_cell};
use crate::api::operator::{GatewayLine, MeterLine, Page, Query, desk};
use crate::i18n::lang;
use crate::i18n::operator::words;
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::Ago;

/// The page: `/meters?q=301&state=lost&page=2`.
#[component]
pub fn MetersPage() -> impl IntoView {
    let (q, lost, number) = (param("q"), param("state") == "lost", page_param());
    let query = Query { text: q.clone(), state: lost.then(|| "lost".to_owned()), page: number };
    let read = async move {
        let desk = desk()?;
        let gateways = desk.port.gateways(&desk.who).await?;
        Ok((gateways, desk.port.meters(&desk.who, &query).await?))
    };
    load(read, move |(gateways, page)| view! { <Lists gateways page number q lost /> }.into_any())
}

#[component]
fn Lists(gateways: Vec<GatewayLine>, page: Page<MeterLine>, number: i64, q: String, lost: bool) -> impl IntoView {
    let t = words(lang());
    let here = address("/meters", &[("q", &q), ("state", if lost { "lost" } else { "" })]);
    let filtered = lost || !q.is_empty();
    let rows = page.lines.iter().map(meter).collect_view();
    view! {
        <Frame title=t.meters section=Section::Meters>
            <h1>{t.meters}</h1>
            <Notice />
            {(param("asked") == "retry").then(|| view! { <Callout tone=Tone::Good><p>{t.retry_asked}</p></Callout> })}
            <div class="table-scroll">
                <table class="table">
                    <caption>{t.gateways}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.gateway}</th>
                            <th scope="col">{t.address}</th>
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col" class="number">{t.lost}</th>
                            <th scope="col" class="number">{t.newest}</th>
                            <th scope="col" class="number">{t.oldest}</th>
                            <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                        </tr>
                    </thead>
                    <tbody>{gateways.iter().map(gateway).collect_view()}</tbody>
                </table>
            </div>
            <form class="filter" action="/meters">
                <label class="filter-field"><span>{t.search}</span><input type="search" name="q" value=q /></label>
                <label class="check"><input type="checkbox" name="state" value="lost" checked=lost />{t.only_lost}</label>
                <button>{t.filter}</button>
                {filtered.then(|| view! { <a href="/meters">{t.clear}</a> })}
            </form>
            <div class="table-scroll">
                <table class="table sticky">
                    <caption class="visually-hidden">{t.meters}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col" class="number">{t.age}</th>
                            <th scope="col">{t.gateway}</th>
                            <th scope="col" class="number">{t.unit}</th>
                            <th scope="col">{t.serial}</th>
                            <th scope="col">{t.residents}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.no_meters}</p> })}
            {pager(&page, number, &here)}
        </Frame>
    }
}

fn gateway(line: &GatewayLine) -> impl IntoView + use<> {
    let t = words(lang());
    let retry = (line.lost > 0).then(|| {
        view! {
            <form method="post" action="/api/operator/retry-gateway">
                <input type="hidden" name="gateway" value=line.id.to_string() />
                <button>{t.retry}</button>
            </form>
        }
    });
    let lost = if line.lost > 0 { "number strong" } else { "number" };
    view! {
        <tr>
            <th scope="row">
                {line.name.clone()}
                {line.is_lost().then(|| view! { " " <span class="state lost">{t.lost}</span> })}
            </th>
            <td class="num">{line.address.clone()}</td>
            <td class="number">{line.meters}</td>
            <td class=lost>{line.lost}</td>
            <td class="number">{line.newest.map(|at| view! { <Ago at /> })}</td>
            <td class="number">{line.oldest.map(|at| view! { <Ago at /> })}</td>
            <td>{retry}</td>
        </tr>
    }
}

fn meter(line: &MeterLine) -> impl IntoView + use<> {
    view! {
        <tr>
            <th scope="row"><a href=format!("/rooms/{}", line.latest.meter)>{line.room.to_string()}</a></th>
            <td>{state_cell(&line.latest)}</td>
            <td class="number">{age(&line.latest)}</td>
            <td>{line.gateway.clone()}</td>
            <td class="number">{line.unit}</td>
            <td class="num">{line.serial.clone()}</td>
            <td>{line.residents.clone()}</td>
        </tr>
    }
}
