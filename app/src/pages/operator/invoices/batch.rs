//! A batch of exported invoices: its files and rows, and its cancellation.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{page_param, pager};
use crate::api::form::parse;
use crate::i18n::invoices::{CancelledBy, texts};
use crate::i18n::lang;
use crate::link;
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::error::AppError;
use model::ids::InvoiceBatchId;
use model::invoice::{InvoiceBatch, InvoiceBatchView, InvoiceFile, InvoiceKind, InvoiceRow};

/// The page: `/invoices/:id`.
#[component]
pub fn InvoiceBatchPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let page = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id = parse::<InvoiceBatchId>(&id).map_err(|_| AppError::NotFound)?;
        ports.invoices.batch(&who, id, page).await
    };
    load(read, move |shown| view! { <Body shown page /> }.into_any())
}

#[component]
fn Body(shown: InvoiceBatchView, page: i64) -> impl IntoView {
    let t = texts(lang());
    let InvoiceBatchView { batch, rows } = shown;
    let title = format!("{} {:06}", t.batch, batch.number);
    let file =
        |file: InvoiceFile| link::with(&link::with("/invoices.xlsx", "batch", &batch.id.to_string()), "file", file.as_str());
    let (import, reversals) = (file(InvoiceFile::Import), file(InvoiceFile::Reversals));
    // What was cancelled must not be imported.
    let is_valid = batch.cancelled.is_none();
    let import = is_valid.then(|| view! { <a class="button primary" href=import download="">{t.import_file}</a> });
    let cancelled = batch.cancelled.as_ref().map(|(by, at)| {
        let words = CancelledBy { by: by.clone(), at: at.to_string() }.text(lang());
        view! { <Callout tone=Tone::Warn><p>{words}</p></Callout> }
    });
    let hint = is_valid.then(|| view! { <p class="hint">{t.files_hint}</p> });
    let cancel = is_valid.then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.cancel}</h2>
                <p class="hint">{t.cancel_hint}</p>
                <form method="post" action="/api/operator/invoice-cancel">
                    <input type="hidden" name="batch" value=batch.id.to_string() />
                    <button>{t.cancel}</button>
                </form>
            </section>
        }
    });
    let here = format!("/invoices/{}", batch.id);
    let (facts, pager) = (facts(&batch), pager(&rows, page, &here));
    view! {
        <Frame title=title.clone() section=Section::Invoices>
            <h1>{title}</h1>
            <Notice />
            {cancelled}
            {facts}
            <div class="buttons">
                {import}
                <a class="button" href=reversals download="">{t.reversals_file}</a>
                <a class="button" href="/invoices">{t.back}</a>
            </div>
            {hint}
            {table(rows.lines)}
            {pager}
            {cancel}
        </Frame>
    }
}

fn facts(batch: &InvoiceBatch) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{t.days}</dt>
                <dd class="num">{batch.from.to_string()}" – "{batch.until.to_string()}</dd>
                <dt>{t.building}</dt>
                <dd>{batch.buildings.clone().unwrap_or_else(|| t.all_buildings.to_owned())}</dd>
                <dt>{t.blue_sum}</dt>
                <dd class="num">{batch.blue.to_string()}</dd>
                <dt>{t.red_sum}</dt>
                <dd class="num">{batch.red.to_string()}</dd>
                <dt>{t.made}</dt>
                <dd>{batch.by.clone()}" · "<At at=batch.made_at /></dd>
            </dl>
        </section>
    }
}

fn table(rows: Vec<InvoiceRow>) -> impl IntoView {
    let t = texts(lang());
    let rows = rows.into_iter().map(|row| {
        let (class, kind) = if row.kind == InvoiceKind::Blue { ("state open", t.blue) } else { ("state alarm2", t.red) };
        let reverses = row.reverses.map(|serial| {
            view! { <br /><span class="muted num">{t.reverses}" "{serial.to_string()}</span> }
        });
        let number = row.buyer.tax_number.map(|number| view! { <br /><span class="muted num">{number}</span> });
        let energy = row.energy.map_or_else(|| "—".to_owned(), |(energy, price)| format!("{energy} × {price}"));
        view! {
            <tr>
                <td><span class="num">{row.serial.to_string()}</span>{reverses}</td>
                <td><span class=class>{kind}</span></td>
                <td><a class="num" href=format!("/receipts/{}", row.receipt)>{row.receipt.to_string()}</a></td>
                <td>{row.room.to_string()}</td>
                <td>{row.buyer.name}{number}</td>
                <td class="number">{energy}</td>
                <td class="number">{row.rate.to_string()}</td>
                <td class="number">{row.taxed.net.to_string()}</td>
                <td class="number">{row.taxed.tax.to_string()}</td>
                <td class="number">{row.taxed.sum().to_string()}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <TableScroll label=t.rows>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{t.serial}</th>
                        <th scope="col">{t.kind}</th>
                        <th scope="col">{t.receipt}</th>
                        <th scope="col">{t.room}</th>
                        <th scope="col">{t.buyer}</th>
                        <th scope="col" class="number">{t.energy}</th>
                        <th scope="col" class="number">{t.rate_short}</th>
                        <th scope="col" class="number">{t.net}</th>
                        <th scope="col" class="number">{t.tax}</th>
                        <th scope="col" class="number">{t.sum}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    }
}
