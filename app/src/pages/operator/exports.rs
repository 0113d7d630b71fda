//! The files that a person has made in the background: how far they are, and those that are offered.

mod start;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use crate::i18n::exports::{SoFar, about, days, size, source, state, texts, trouble};
use crate::i18n::{Lang, common, lang, reports};
use crate::ports::{now, operator, ports};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::export::{Export, ExportState};
use model::saved_report::ReportFile;
use model::time::Timestamp;

pub use start::in_background;

/// The page: `/exports`.
#[component]
pub fn ExportsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.exports.exports(&who).await
    };
    load(read, |exports| view! { <Body exports /> }.into_any())
}

#[component]
fn Body(exports: Vec<Export>) -> impl IntoView {
    let (t, lang, now) = (texts(lang()), lang(), now());
    let pending = exports.iter().any(|export| export.state.is_pending());
    let none = exports.is_empty().then(|| view! { <p class="empty">{t.none}</p> });
    let rows = exports.iter().map(|export| row(export, now, lang)).collect_view();
    let table = (!exports.is_empty()).then(|| {
        view! {
            <TableScroll label=t.title>
                <table class="table">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.what}</th>
                            <th scope="col">{t.about}</th>
                            <th scope="col">{t.days}</th>
                            <th scope="col">{t.file}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col">{t.asked}</th>
                            <th scope="col">{t.until}</th>
                            <th scope="col">{t.action}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        }
    });
    view! {
        <Frame title=t.title section=Section::Reports>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <Notice />
            <Live id="exports" again=pending.then_some(BUSY)>{none}{table}</Live>
            {without_script(!pending)}
        </Frame>
    }
}

fn row(export: &Export, now: Timestamp, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let file = match export.file {
        ReportFile::Xlsx => reports::texts(lang).xlsx_name,
        ReportFile::Csv => reports::texts(lang).csv_name,
    };
    let how_far = match export.state {
        ExportState::Running => Some(SoFar { rows: export.rows }.text(lang)),
        ExportState::Ready => Some(format!("{} · {}", SoFar { rows: export.rows }.text(lang), size(export.bytes))),
        _ => None,
    };
    let how_far = how_far.map(|text| view! { <p class="muted num">{text}</p> });
    let reason = export.trouble.map(|one| view! { <p class="bad">{trouble(one, lang)}</p> });
    let until = export.until.filter(|_| export.state == ExportState::Ready).map(|until| common::at(until, now, lang));
    let id = export.id.to_string();
    let button = |action: &'static str, word: &'static str| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="export" value=id.clone() />
                <button>{word}</button>
            </form>
        }
    };
    let is_ready = export.state == ExportState::Ready;
    let download = (is_ready && export.is_here).then(|| {
        view! { <a class="button primary" href=format!("/export-file?export={id}") download="">{t.download}</a> }
    });
    let elsewhere = (is_ready && !export.is_here).then(|| view! { <p class="hint">{t.elsewhere}</p> });
    let end = if export.state.is_pending() {
        button("/api/operator/exports/cancel", t.cancel)
    } else {
        button("/api/operator/exports/remove", t.remove)
    };
    view! {
        <tr>
            <th scope="row">{source(export.source, lang)}</th>
            <td class="long">{about(export, lang)}</td>
            <td>{days(export, lang)}</td>
            <td>{file}</td>
            <td class="long">{state(export.state, lang)}{how_far}{reason}{elsewhere}</td>
            <td>{common::at(export.asked_at, now, lang)}</td>
            <td>{until}</td>
            <td class="buttons">{download}{end}</td>
        </tr>
    }
}
