//! Invoice exports: what waits, and the batches.

pub mod batch;
pub mod buyer;
pub mod settings;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, page_param, pager, param};
use crate::api::form::day;
use crate::api::invoices::range;
use crate::i18n::invoices::{NotReversible, texts};
use crate::i18n::lang;
use crate::ports::{allowed, form_key, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{Page, ReceiptNumber, RoomName};
use model::ids::{PlaceId, Uuid};
use model::invoice::{InvoiceBatch, InvoiceRange, InvoicesWaiting, ReceiptSum};
use model::money::Fen;
use model::time::Date;

struct Shown {
    is_set: bool,
    buildings: Vec<(PlaceId, String)>,
    range: InvoiceRange,
    waiting: InvoicesWaiting,
    batches: Page<InvoiceBatch>,
    page: i64,
    key: Uuid,
}

/// The page: `/invoices?from=&until=&building=`; the month before this one where no days are named.
#[component]
pub fn InvoicesPage() -> impl IntoView {
    let (from, until, building, page) = (param("from"), param("until"), param("building"), page_param());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let port = &ports.invoices;
        let (first, last) = now().date().month_before();
        let word = |text: &str, otherwise: Date| day(text).unwrap_or(otherwise).to_string();
        // What makes no sense in an address is the month before.
        let otherwise = InvoiceRange { from: first, until: last, building: None };
        let range = range(&word(&from, first), &word(&until, last), &building).unwrap_or(otherwise);
        let waiting = port.waiting(&who, &range).await?;
        let (buildings, batches) = (port.buildings(&who).await?, port.batches(&who, page).await?);
        Ok(Shown { is_set: port.is_set().await?, buildings, range, waiting, batches, page, key: form_key()? })
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: Shown) -> impl IntoView {
    let t = texts(lang());
    let is_set = shown.is_set;
    let settings =
        allowed("/invoices/settings").then(|| view! { <p><a class="button" href="/invoices/settings">{t.settings}</a></p> });
    let missing = (!is_set).then(|| view! { <Callout tone=Tone::Warn><p>{t.settings_missing}</p></Callout> });
    view! {
        <Frame title=t.title section=Section::Invoices>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <Notice />
            {missing}
            {waiting(&shown)}
            {batches(&shown)}
            {settings}
        </Frame>
    }
}

fn waiting(shown: &Shown) -> impl IntoView + use<> {
    let t = texts(lang());
    let (from, until) = (shown.range.from.to_string(), shown.range.until.to_string());
    let building = shown.range.building.map(|id| id.to_string()).unwrap_or_default();
    let options = shown.buildings.iter().map(|(id, name)| {
        view! { <option value=id.to_string() selected=Some(*id) == shown.range.building>{name.clone()}</option> }
    });
    let options = options.collect_view();
    let InvoicesWaiting { blue, red, without_invoice } = shown.waiting.clone();
    let sum = |word: &'static str, sum: ReceiptSum| {
        view! {
            <tr>
                <th scope="row">{word}</th>
                <td class="num">{sum.receipts}</td>
                <td class="num">{sum.amount.to_string()}</td>
            </tr>
        }
    };
    let here = here(shown);
    let left_out = (!without_invoice.is_empty()).then(|| left_out(without_invoice, &here));
    let any = blue.receipts + red.receipts > 0;
    let nothing = (!any).then(|| view! { <p class="empty">{t.nothing}</p> });
    let table = any.then(|| {
        view! {
            <TableScroll label=t.waiting>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.kind}</th>
                            <th scope="col" class="num">{t.receipts}</th>
                            <th scope="col" class="num">{t.amount}</th>
                        </tr>
                    </thead>
                    <tbody>{sum(t.blue, blue)}{sum(t.red, red)}</tbody>
                </table>
            </TableScroll>
        }
    });
    let export = (any && shown.is_set).then(|| {
        view! {
            <form class="stack-tight" method="post" action="/api/operator/invoice-export">
                <input type="hidden" name="key" value=shown.key.to_string() />
                <input type="hidden" name="from" value=from.clone() />
                <input type="hidden" name="until" value=until.clone() />
                <input type="hidden" name="building" value=building.clone() />
                <p class="hint">{t.export_hint}</p>
                <button class="primary">{t.export}</button>
            </form>
        }
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.waiting}</h2>
            <form class="filter" action="/invoices">
                <label class="filter-field"><span>{t.from}</span><input type="date" name="from" value=from.clone() /></label>
                <label class="filter-field"><span>{t.until}</span><input type="date" name="until" value=until.clone() /></label>
                <label class="filter-field">
                    <span>{t.building}</span>
                    <select name="building"><option value="">{t.all_buildings}</option>{options}</select>
                </label>
                <button>{t.show}</button>
            </form>
            {nothing}
            {table}
            {left_out}
            {export}
        </section>
    }
}

/// Returns that have no invoice to reverse, each with the way to be rid of it.
fn left_out(receipts: Vec<(ReceiptNumber, RoomName, Fen)>, here: &str) -> impl IntoView + use<> {
    let t = texts(lang());
    let lines = receipts.into_iter().map(|(number, room, amount)| {
        let words = NotReversible { room: room.to_string(), amount: amount.to_string() }.text(lang());
        view! {
            <li>
                <a class="num" href=format!("/receipts/{number}")>{number.to_string()}</a>" · "{words}
                <form method="post" action="/api/operator/invoice-manual-reversal">
                    <input type="hidden" name="receipt" value=number.to_string() />
                    <input type="hidden" name="back" value=here.to_owned() />
                    <button>{t.manual}</button>
                </form>
            </li>
        }
    });
    let lines = lines.collect_view();
    view! { <Callout tone=Tone::Warn><p>{t.without_invoice}</p><ul class="plain">{lines}</ul></Callout> }
}

/// The address of what is shown.
fn here(shown: &Shown) -> String {
    let building = shown.range.building.map(|id| id.to_string()).unwrap_or_default();
    let (from, until) = (shown.range.from.to_string(), shown.range.until.to_string());
    address("/invoices", &[("from", &from), ("until", &until), ("building", &building)])
}

fn batches(shown: &Shown) -> impl IntoView + use<> {
    let t = texts(lang());
    if shown.batches.total == 0 {
        return view! { <section class="card stack-tight"><h2>{t.batches}</h2><p class="empty">{t.no_batches}</p></section> }
            .into_any();
    }
    let rows = shown.batches.lines.iter().cloned().map(|batch| {
        let page = format!("/invoices/{}", batch.id);
        let state = if batch.cancelled.is_some() { ("state quiet", t.cancelled) } else { ("state open", t.exported) };
        view! {
            <tr>
                <td><a class="num" href=page>{format!("{:06}", batch.number)}</a></td>
                <td class="num">{batch.from.to_string()}" – "{batch.until.to_string()}</td>
                <td>{batch.building.unwrap_or_else(|| t.all_buildings.to_owned())}</td>
                <td class="num">{batch.rows}</td>
                <td class="num">{batch.blue.to_string()}</td>
                <td class="num">{batch.red.to_string()}</td>
                <td>{batch.by}" · "<At at=batch.made_at /></td>
                <td><span class=state.0>{state.1}</span></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let here = here(shown);
    view! {
        <section class="card stack-tight">
            <h2>{t.batches}</h2>
            <TableScroll label=t.batches>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.batch}</th>
                            <th scope="col">{t.days}</th>
                            <th scope="col">{t.building}</th>
                            <th scope="col" class="num">{t.rows}</th>
                            <th scope="col" class="num">{t.blue_sum}</th>
                            <th scope="col" class="num">{t.red_sum}</th>
                            <th scope="col">{t.made}</th>
                            <th scope="col">{t.state}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {pager(&shown.batches, shown.page, &here)}
        </section>
    }
    .into_any()
}
