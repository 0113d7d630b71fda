//! Layouts of receipts, the logo, and receipt printers.

pub mod jobs;
pub mod layout;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::param;
use crate::api::printing::layout_page;
use crate::i18n::printing::{TestFailed, TestUnknown, paper, texts, trouble};
use crate::i18n::{Lang, lang};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::Printer;
use model::receipt_sheet::{PrinterTrouble, ReceiptPaper};

/// The name of a language in itself.
pub(super) const fn language(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "中文",
        Lang::En => "English",
    }
}

struct Shown {
    own: Vec<(ReceiptPaper, Lang)>,
    /// The address of the logo.
    logo: Option<String>,
    printers: Vec<Printer>,
}

/// The page: `/printing`.
#[component]
pub fn PrintingPage() -> impl IntoView {
    let read = async move {
        let (port, who) = (ports()?.printing, operator()?);
        let (own, logo, printers) = (port.own_templates(&who).await?, port.logo_address().await?, port.printers().await?);
        Ok(Shown { own, logo, printers })
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: Shown) -> impl IntoView {
    let t = texts(lang());
    let done = match param("done").as_str() {
        "saved" => Some(t.saved),
        "added" => Some(t.printer_added),
        _ => None,
    };
    let done = done.map(|text| view! { <Callout tone=Tone::Good><p>{text}</p></Callout> });
    view! {
        <Frame title=t.title section=Section::Printing>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <Notice />
            {done}
            {tested()}
            {layouts(&shown.own)}
            {logo(shown.logo)}
            {printers(shown.printers)}
        </Frame>
    }
}

/// What became of the test page, from the address.
fn tested() -> Option<AnyView> {
    let (t, lang) = (texts(lang()), lang());
    let trouble = PrinterTrouble::parse(&param("trouble")).map(|one| trouble(one, lang)).unwrap_or_default();
    let (tone, text) = match param("test").as_str() {
        "printed" => (Tone::Good, t.test_printed.to_owned()),
        "failed" => (Tone::Bad, TestFailed { trouble }.text(lang)),
        "unknown" => (Tone::Warn, TestUnknown { trouble }.text(lang)),
        _ => return None,
    };
    Some(view! { <Callout tone><p>{text}</p></Callout> }.into_any())
}

fn layouts(own: &[(ReceiptPaper, Lang)]) -> impl IntoView + use<> {
    let (t, here) = (texts(lang()), lang());
    let all = ReceiptPaper::ALL.into_iter().flat_map(|one| Lang::ALL.into_iter().map(move |lang| (one, lang)));
    let row = |of: (ReceiptPaper, Lang)| {
        let which = if own.contains(&of) { t.own } else { t.standard };
        view! {
            <tr>
                <td>{paper(of.0, here)}</td>
                <td>{language(of.1)}</td>
                <td>{which}</td>
                <td><a class="button" href=layout_page(of.0, of.1)>{t.edit}</a></td>
            </tr>
        }
    };
    let rows = all.map(row).collect_view();
    view! {
        <section class="card stack-tight">
            <h2>{t.layouts}</h2>
            <TableScroll label=t.layouts>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.paper}</th>
                            <th scope="col">{t.language}</th>
                            <th scope="col">{t.which}</th>
                            <th scope="col">{t.action}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        </section>
    }
}

fn logo(address: Option<String>) -> impl IntoView {
    let t = texts(lang());
    let shown = if let Some(address) = address {
        view! {
            <p><img class="logo-shown" src=address alt=t.logo /></p>
            <form method="post" action="/api/operator/printing/logo/remove"><button>{t.logo_remove}</button></form>
        }
        .into_any()
    } else {
        view! { <p class="empty">{t.logo_none}</p> }.into_any()
    };
    let wrong = (param("logo") == "wrong").then(|| view! { <Callout tone=Tone::Bad><p>{t.logo_wrong}</p></Callout> });
    view! {
        <section class="card stack-tight">
            <h2>{t.logo}</h2>
            {wrong}
            {shown}
            <form class="stack-tight narrow-form" method="post" action="/api/operator/printing/logo"
                enctype="multipart/form-data">
                <label class="field">
                    <span>{t.logo_file}</span>
                    <input class="input" type="file" name="file" accept="image/png" required />
                </label>
                <p class="hint">{t.logo_hint}</p>
                <button class="primary">{t.logo_save}</button>
            </form>
        </section>
    }
}

fn printers(printers: Vec<Printer>) -> impl IntoView {
    let t = texts(lang());
    let button = |id: &str, action: &'static str, word: &'static str| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="printer" value=id.to_owned() />
                <button>{word}</button>
            </form>
        }
    };
    let none = printers.is_empty().then(|| view! { <p class="empty">{t.no_printers}</p> });
    let rows = printers.into_iter().map(|printer| {
        let id = printer.id.to_string();
        view! {
            <tr>
                <td>{printer.name}</td>
                <td class="num">{format!("{}:{}", printer.host, printer.port)}</td>
                <td class="buttons">
                    {button(&id, "/api/operator/printing/printers/test", t.test)}
                    {button(&id, "/api/operator/printing/printers/remove", t.remove)}
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let table = none.is_none().then(|| {
        view! {
            <TableScroll label=t.printers>
                <table class="table">
                    <thead>
                        <tr><th scope="col">{t.name}</th><th scope="col">{t.host}</th><th scope="col">{t.action}</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            <p class="hint">{t.remove_hint}</p>
        }
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.printers}</h2>
            <p class="hint">{t.printers_hint}</p>
            {none}
            {table}
            <p><a href="/prints">{t.jobs}</a></p>
            <form class="stack-tight narrow-form" method="post" action="/api/operator/printing/printers/add">
                <Field name="name" label=t.name />
                <Field name="host" label=t.host />
                <Field name="port" label=t.port inputmode="numeric" value="9100" />
                <button class="primary">{t.add}</button>
            </form>
        </section>
    }
}

/// The values that a text may have, with an example of each.
pub(super) fn values_table(values: impl Iterator<Item = (String, String)>) -> AnyView {
    let t = texts(lang());
    let rows = values.map(|(name, example)| view! { <tr><td class="num">{name}</td><td>{example}</td></tr> }).collect_view();
    view! {
        <section class="card stack-tight">
            <h2>{t.values}</h2>
            <TableScroll label=t.values>
                <table class="table">
                    <thead><tr><th scope="col">{t.value}</th><th scope="col">{t.example}</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        </section>
    }
    .into_any()
}
