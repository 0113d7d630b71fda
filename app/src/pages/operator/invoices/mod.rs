//! Invoice exports: what waits, and the batches.

pub mod batch;
pub mod buyer;
pub mod settings;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, page_param, pager, param};
use crate::api::invoices::range;
use crate::i18n::invoices::{NotReversible, Nothing, ShowDays, problem, texts};
use crate::i18n::lang;
use crate::ports::{allowed, form_key, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{Page, ReceiptNumber, RoomName};
use model::ids::{PlaceId, Uuid};
use model::invoice::{InvoiceBatch, InvoiceRange, InvoiceRangeProblem, InvoicesWaiting, ReceiptSum};
use model::money::Fen;
use model::time::Date;

struct Shown {
    is_set: bool,
    buildings: Vec<(PlaceId, String)>,
    asked: InvoiceFilter,
    waiting: Result<InvoicesWaiting, InvoiceRangeProblem>,
    batches: Page<InvoiceBatch>,
    page: i64,
    key: Uuid,
}

/// Days and building as the address names them.
struct InvoiceFilter {
    from: String,
    until: String,
    building: String,
}

impl InvoiceFilter {
    fn of_address() -> Self {
        let (first, last) = now().date().month_before();
        let day = |name: &str, otherwise: Date| {
            let text = param(name);
            if text.is_empty() { otherwise.to_string() } else { text }
        };
        Self { from: day("from", first), until: day("until", last), building: param("building") }
    }

    fn range(&self, buildings: &[(PlaceId, String)]) -> Result<InvoiceRange, InvoiceRangeProblem> {
        let range = range(&self.from, &self.until, &self.building)?;
        let is_known = range.building.is_none_or(|building| buildings.iter().any(|(id, _)| *id == building));
        if is_known { Ok(range) } else { Err(InvoiceRangeProblem::UnknownBuilding) }
    }

    fn address(&self) -> String {
        address("/invoices", &[("from", &self.from), ("until", &self.until), ("building", &self.building)])
    }
}

/// The page: `/invoices?from=&until=&building=`; the month before this one where no day is named.
#[component]
pub fn InvoicesPage() -> impl IntoView {
    let (asked, page) = (InvoiceFilter::of_address(), page_param());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let port = &ports.invoices;
        let (buildings, batches) = (port.buildings(&who).await?, port.batches(&who, page).await?);
        let waiting = match asked.range(&buildings) {
            Ok(range) => Ok(port.waiting(&who, &range).await?),
            Err(problem) => Err(problem),
        };
        Ok(Shown { is_set: port.is_set().await?, buildings, asked, waiting, batches, page, key: form_key()? })
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
    let InvoiceFilter { from, until, building } = &shown.asked;
    let options = shown.buildings.iter().map(|(id, name)| {
        let id = id.to_string();
        let is_chosen = id == *building;
        view! { <option value=id selected=is_chosen>{name.clone()}</option> }
    });
    let options = options.collect_view();
    let found = match &shown.waiting {
        Ok(found) => receipts(shown, found).into_any(),
        Err(wrong) => {
            let words = problem(*wrong, lang());
            view! { <Callout tone=Tone::Bad><p>{words}</p></Callout> }.into_any()
        }
    };
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
            {found}
        </section>
    }
}

/// What waits, and the button that exports it.
fn receipts(shown: &Shown, found: &InvoicesWaiting) -> impl IntoView + use<> {
    let t = texts(lang());
    let InvoicesWaiting { blue, red, without_invoice } = found.clone();
    let sum = |word: &'static str, sum: ReceiptSum| {
        view! {
            <tr>
                <th scope="row">{word}</th>
                <td class="number">{sum.receipts}</td>
                <td class="number">{sum.amount.to_string()}</td>
            </tr>
        }
    };
    let any = blue.receipts + red.receipts > 0;
    let nothing = (!any && without_invoice.is_empty()).then(|| nothing(&shown.asked));
    let left_out = (!without_invoice.is_empty()).then(|| left_out(without_invoice, &shown.asked.address()));
    let table = any.then(|| {
        view! {
            <TableScroll label=t.waiting>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.kind}</th>
                            <th scope="col" class="number">{t.receipts}</th>
                            <th scope="col" class="number">{t.amount}</th>
                        </tr>
                    </thead>
                    <tbody>{sum(t.blue, blue)}{sum(t.red, red)}</tbody>
                </table>
            </TableScroll>
        }
    });
    let export = (any && shown.is_set).then(|| {
        let InvoiceFilter { from, until, building } = &shown.asked;
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
    view! { {nothing} {table} {left_out} {export} }
}

/// That nothing waits, with links to the month before and to what came after.
fn nothing(asked: &InvoiceFilter) -> impl IntoView + use<> {
    let (lang, today) = (lang(), now().date());
    let InvoiceFilter { from, until, building } = asked;
    let other = |first: Date, last: Date| {
        let (from, until) = (first.to_string(), last.to_string());
        let here = address("/invoices", &[("from", &from), ("until", &until), ("building", building)]);
        let words = ShowDays { from, until }.text(lang);
        view! { <a class="button" href=here>{words}</a> }
    };
    let day = |text: &str| text.parse::<Date>().ok();
    let before = day(from).map(Date::month_before).map(|(first, last)| other(first, last));
    let after = day(until).map(|until| until.plus(1)).filter(|first| *first <= today);
    let after = after.map(|first| other(first, first.plus(InvoiceRange::MAX_DAYS - 1).min(today)));
    let words = Nothing { from: from.clone(), until: until.clone() }.text(lang);
    view! { <div class="empty"><p>{words}</p><p class="buttons">{before} {after}</p></div> }
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
                <td>{batch.buildings.unwrap_or_else(|| t.all_buildings.to_owned())}</td>
                <td class="number">{batch.rows}</td>
                <td class="number">{batch.blue.to_string()}</td>
                <td class="number">{batch.red.to_string()}</td>
                <td>{batch.by}" · "<At at=batch.made_at /></td>
                <td><span class=state.0>{state.1}</span></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let here = shown.asked.address();
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
                            <th scope="col" class="number">{t.rows}</th>
                            <th scope="col" class="number">{t.blue_sum}</th>
                            <th scope="col" class="number">{t.red_sum}</th>
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
