//! The import of the site's workbook: template, upload, dry run, import.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::frame::{Frame, Section};
use crate::api::site_import::{
    ImportPhase, ImportReport, ImportState, MAX_FILE_MB, MAX_UPLOAD_FILES, MAX_UPLOAD_MB, PendingImport,
};
use crate::i18n::import::{Found, Limits, List, More, Passwords, Rest, Storing, Until, texts};
use crate::i18n::{common, errors, lang, site_workbook};
use crate::ports::{now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::site_workbook::{RowChange, RowEffect, Sheet};

/// The page: `/import`.
#[component]
pub fn ImportPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.site_import.pending(&who, lang()).await
    };
    load(read, |pending| view! { <Import pending /> }.into_any())
}

#[component]
fn Import(pending: Option<PendingImport>) -> impl IntoView {
    let t = texts(lang());
    let running = pending.as_ref().is_some_and(|pending| matches!(pending.state, ImportState::Running(_)));
    let shown = pending.map(|pending| {
        view! {
            <Live id="import" again=running.then_some(BUSY)><Pending pending /></Live>
            {without_script(!running)}
        }
    });
    view! {
        <Frame title=t.title section=Section::Import>
            <h1>{t.title}</h1>
            <Notice />
            <p class="muted">{t.lead}</p>
            {shown}
            <div class="halves">
                <section class="card stack-tight">
                    <h2>{t.prepare}</h2>
                    <p class="hint">{t.prepare_hint}</p>
                    <div class="buttons">
                        <a class="button" href="/template.xlsx" download="">{t.template}</a>
                        <a class="button" href="/site.xlsx" download="">{t.export}</a>
                    </div>
                </section>
                {(!running).then(|| view! { <UploadForm /> })}
            </div>
        </Frame>
    }
}

/// A plain form. With scripts a file that is too large is named before it is sent.
#[component]
fn UploadForm() -> impl IntoView {
    let t = texts(lang());
    let bytes = (u64::from(MAX_UPLOAD_MB) << 20).to_string();
    view! {
        <section class="card stack-tight">
            <h2>{t.upload}</h2>
            <form
                class="stack-tight"
                method="post"
                action="/api/operator/site/upload"
                enctype="multipart/form-data"
                id="upload"
                data-most=bytes
                data-too-large=errors::message(model::error::AppError::FileTooLarge, lang())
            >
                <label class="field">
                    <span>{t.file}</span>
                    <input class="input" type="file" name="file" accept=".xlsx,.csv,.txt" multiple required />
                </label>
                <p class="hint">{Limits { megabytes: MAX_UPLOAD_MB, each: MAX_FILE_MB, files: MAX_UPLOAD_FILES }.text(lang())}</p>
                <div class="buttons"><button class="primary">{t.check}</button></div>
            </form>
            <p class="hint">{t.check_hint}</p>
            <script nonce=use_nonce()>{include_str!("upload.js")}</script>
        </section>
    }
}

#[component]
fn Pending(pending: PendingImport) -> impl IntoView {
    let t = texts(lang());
    let id = pending.id.to_string();
    let names: Vec<String> = pending.files.iter().map(|(name, _)| name.clone()).collect();
    let files = view! { <p class="long">{t.uploaded}" "<strong>{names.join(", ")}</strong></p> };
    let import = |word: &'static str| form("/api/operator/site/import", &id, word, "primary");
    let discard = |word: &'static str| form("/api/operator/site/discard", &id, word, "");
    let kept = view! { <p class="hint">{Until { time: common::at(pending.until, now(), lang()) }.text(lang())}</p> };
    match pending.state {
        ImportState::Running(now) => view! { <section class="card stack-tight">{files}{progress(now)}</section> }.into_any(),
        ImportState::Failed(error) => view! {
            <section class="card stack-tight">
                {files}
                <Callout tone=Tone::Bad><p>{t.failed}" "{errors::message(error, lang())}</p></Callout>
                <div class="buttons">{import(t.again)}{discard(t.discard)}</div>
                {kept}
            </section>
        }
        .into_any(),
        ImportState::Done(report) => view! {
            <section class="card stack-tight">
                {files}
                <Callout tone=Tone::Good><p>{if report.is_idle { t.done_nothing } else { t.done }}</p></Callout>
                {counts(&report)}
                {changes(&report)}
                <div class="buttons">
                    <a class="button primary" href="/wall">{t.to_wall}</a>
                    <a class="button" href="/start">{t.to_start}</a>
                    {discard(t.discard_done)}
                </div>
            </section>
        }
        .into_any(),
        ImportState::Checked(report) if report.problem_count > 0 => view! {
            <section class="card stack-tight">
                {files}
                <Callout tone=Tone::Bad>
                    <p>{Found { count: report.problem_count }.text(lang())}</p>
                </Callout>
                {problems(&report)}
                <div class="buttons">{discard(t.discard)}</div>
            </section>
        }
        .into_any(),
        ImportState::Checked(report) => {
            let said = if report.is_idle { t.changes_nothing } else { t.ready };
            let action = (!report.is_idle).then(|| import(t.import));
            view! {
                <section class="card stack-tight">
                    {files}
                    <Callout tone=Tone::Plain><p>{said}</p></Callout>
                    {counts(&report)}
                    {changes(&report)}
                    <p><a href="/import-changes.xlsx" download="">{t.changes_download}</a></p>
                    <div class="buttons">{action}{discard(t.discard)}</div>
                    {kept}
                </section>
            }
            .into_any()
        }
    }
}

fn form(action: &'static str, id: &str, word: &'static str, class: &'static str) -> impl IntoView + use<> {
    view! {
        <form method="post" action=action>
            <input type="hidden" name="id" value=id.to_owned() />
            <button class=class>{word}</button>
        </form>
    }
}

fn progress(phase: ImportPhase) -> impl IntoView {
    let t = texts(lang());
    let (said, bar) = match phase {
        ImportPhase::Reading => (t.reading.to_owned(), None),
        ImportPhase::Passwords(done, total) => (Passwords { done, total }.text(lang()), Some((done, total))),
        ImportPhase::Storing(sheet) => {
            let step = sheet as u32;
            let name = site_workbook::sheet(sheet, lang());
            (Storing { sheet: name }.text(lang()), Some((step, Sheet::ALL.len() as u32)))
        }
    };
    let (value, max) = bar.map_or((None, None), |(value, max)| (Some(value.to_string()), Some(max.to_string())));
    view! {
        <p role="status">{said}</p>
        <progress aria-label=t.running value=value max=max></progress>
        <p class="hint">{t.running_hint}</p>
    }
}

/// What would be done, or was, by sheet.
fn counts(report: &ImportReport) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = Sheet::ALL.into_iter().zip(report.counts).map(|(sheet, counts)| {
        let number = |n: u32| if n == 0 { "—".to_owned() } else { n.to_string() };
        view! {
            <tr>
                <th scope="row">{site_workbook::sheet(sheet, lang())}</th>
                <td class="number">{number(counts.created)}</td>
                <td class="number">{number(counts.changed)}</td>
                <td class="number">{number(counts.unchanged)}</td>
            </tr>
        }
    });
    view! {
        <TableScroll label=t.what>
            <table class="table">
                <caption class="visually-hidden">{t.what}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.sheet}</th>
                        <th scope="col" class="number">{t.created}</th>
                        <th scope="col" class="number">{t.changed}</th>
                        <th scope="col" class="number">{t.unchanged}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </TableScroll>
    }
}

/// Which rows are created, changed and left alone: the first of each sheet. Only what changes is open at first.
fn changes(report: &ImportReport) -> impl IntoView + use<> {
    let groups = Sheet::ALL
        .into_iter()
        .zip(report.counts)
        .flat_map(|(sheet, counts)| RowEffect::ALL.into_iter().map(move |effect| (sheet, effect, counts.of(effect))));
    let of = |sheet, effect| report.rows.iter().filter(move |row| row.sheet == sheet && row.effect == effect).collect::<Vec<_>>();
    groups
        .filter(|(_, _, count)| *count > 0)
        .map(|(sheet, effect, count)| row_list((sheet, effect, count), &of(sheet, effect)))
        .collect_view()
}

fn row_list((sheet, effect, count): (Sheet, RowEffect, u32), rows: &[&RowChange]) -> impl IntoView + use<> {
    let t = texts(lang());
    let (sheet, word) = (site_workbook::sheet(sheet, lang()), site_workbook::effect(effect, lang()));
    let title = List { sheet, effect: word, count }.text(lang());
    let has_changes = rows.iter().any(|row| !row.changes.is_empty());
    let lines = rows.iter().map(|row| {
        let changes = row.changes.iter().map(|change| view! { <li>{site_workbook::change(change, effect, lang())}</li> });
        let changes = has_changes.then(|| view! { <td class="long"><ul class="plain">{changes.collect_view()}</ul></td> });
        view! {
            <tr>
                <td class="number">{row.row}</td>
                <td class="long">{row.subject.clone()}</td>
                {changes}
            </tr>
        }
    });
    let lines = lines.collect_view();
    let rest = count.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    view! {
        <details class="row-list" open=effect == RowEffect::Changed>
            <summary>{title.clone()}</summary>
            <TableScroll label=title.clone()>
                <table class="table">
                    <caption class="visually-hidden">{title}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="number">{t.row}</th>
                            <th scope="col">{t.subject}</th>
                            {has_changes.then(|| view! { <th scope="col">{t.change}</th> })}
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </TableScroll>
            {(rest > 0).then(|| view! { <p class="muted">{Rest { number: rest }.text(lang())}</p> })}
        </details>
    }
}

fn problems(report: &ImportReport) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = report.problems.iter().map(|problem| {
        view! {
            <tr>
                <td>{problem.sheet.clone()}</td>
                <td class="num">{problem.place.clone()}</td>
                <td class="long">{problem.text.clone()}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let more = report.problem_count.saturating_sub(u32::try_from(report.problems.len()).unwrap_or(u32::MAX));
    view! {
        <TableScroll label=t.problems>
            <table class="table sticky">
                <caption class="visually-hidden">{t.problems}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.sheet}</th>
                        <th scope="col">{t.place}</th>
                        <th scope="col">{t.problem}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
        {(more > 0).then(|| view! { <p class="muted">{More { number: more }.text(lang())}</p> })}
    }
}
