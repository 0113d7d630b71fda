//! The meters: which respond, which are lost, and since when.

use leptos::prelude::*;

use super::commands::new::place_choice;
use super::exports::in_background;
use super::frame::{Frame, Section};
use super::parts::{address, age, page_param, pager, param, state_cell};
use crate::i18n::operator::texts;
use crate::i18n::{common, lang, meter_setup, meter_states};
use crate::ports::{may, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::{Building, MeterLine, MeterQuery, Page, PlaceGroupLine};
use model::export::{ExportList, ExportSource};
use model::meter::SupplyState;
use model::permission::Permission;
use model::typed;

/// The page: `/meters?q=301&state=lost&page=2`.
#[component]
pub fn MetersPage() -> impl IntoView {
    let (q, lost, number) = (typed::name(&param("q")), param("state") == "lost", page_param());
    let query = MeterQuery { text: q.clone(), lost, page: number };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let choices = (ports.batches.buildings(&who).await?, ports.places.groups(&who).await?);
        Ok((ports.gateways.meters(&who, &query).await?, choices))
    };
    load(read, move |(page, choices)| view! { <Lists page number q lost choices /> }.into_any())
}

#[component]
fn Lists(
    page: Page<MeterLine>,
    number: i64,
    q: String,
    lost: bool,
    choices: (Vec<Building>, Vec<PlaceGroupLine>),
) -> impl IntoView {
    let t = texts(lang());
    let retired = (param("done") == "retired").then(|| meter_setup::texts(lang()).retired);
    let here = address("/meters", &[("q", &q), ("state", if lost { "lost" } else { "" })]);
    let filtered = lost || !q.is_empty();
    let rows = page.lines.iter().map(meter).collect_view();
    view! {
        <Frame title=t.meters section=Section::Meters>
            <div class="page-head">
                <h1>{t.meters}</h1>
                <a href="/commissioning">{crate::i18n::commissioning::texts(lang()).list}</a>
                {may(Permission::Estate).then(|| view! {
                    <a class="button" href="/meters/new">{meter_setup::texts(lang()).add}</a>
                })}
            </div>
            <Notice />
            {retired.map(|said| view! { <Callout tone=Tone::Good><p>{said}</p></Callout> })}
            <form class="filter" action="/meters">
                <label class="filter-field"><span>{t.search}</span><input type="search" name="q" value=q /></label>
                <label class="check"><input type="checkbox" name="state" value="lost" checked=lost />{t.only_lost}</label>
                <button>{t.filter}</button>
                {filtered.then(|| view! { <a href="/meters">{t.clear}</a> })}
            </form>
            <TableScroll label=t.meters>
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
                            <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.no_meters}</p> })}
            {pager(&page, number, &here)}
            {download(&choices.0, &choices.1)}
        </Frame>
    }
}

/// The choice of meters whose newest state is downloaded.
fn download(buildings: &[Building], groups: &[PlaceGroupLine]) -> impl IntoView + use<> {
    let s = meter_states::texts(lang());
    let states = SupplyState::ALL.into_iter().map(|one| {
        view! { <option value=(one as u8).to_string()>{common::supply(one, lang())}</option> }
    });
    view! {
        <details class="card">
            <summary>{s.download}</summary>
            <form class="stack-tight" action="/meters.xlsx">
                <p class="hint">{s.hint}</p>
                {place_choice(buildings, groups, &[])}
                <label class="filter-field">
                    <span>{texts(lang()).state}</span>
                    <select name="state"><option value="">{texts(lang()).all}</option>{states.collect_view()}</select>
                </label>
                <div class="buttons">
                    <button class="primary">{s.xlsx}</button>
                    <button formaction="/meters.csv">{s.csv}</button>
                </div>
            </form>
        </details>
        {in_background(ExportSource::List(ExportList::Meters), &[])}
    }
}

fn meter(line: &MeterLine) -> impl IntoView + use<> {
    let retry = line.latest.state().is_unread().then(|| {
        view! {
            <form method="post" action="/api/operator/read-now">
                <input type="hidden" name="meter" value=line.latest.meter.to_string() />
                <button>{texts(lang()).retry}</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row"><a href=format!("/rooms/{}", line.latest.meter)>{line.room.to_string()}</a></th>
            <td>{state_cell(&line.latest)}</td>
            <td class="number">{age(&line.latest)}</td>
            <td>{line.gateway.clone()}</td>
            <td class="number">{line.unit}</td>
            <td class="num">{line.serial.clone()}</td>
            <td>{line.residents.clone()}</td>
            <td>{retry}</td>
        </tr>
    }
}
