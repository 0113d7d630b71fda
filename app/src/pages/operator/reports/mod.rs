//! The reports: a page that lists them, and a page for each, with its choice in the address.

mod form;
mod save;
pub mod saved;
mod section;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::frame::{Frame, Section};
use super::parts::{address, param};
use crate::api::reports::ReportPlace;
use crate::i18n::reports::{MadeAt, note, period, problem, report, texts};
use crate::i18n::{Lang, exports, lang, saved_reports};
use crate::ports::{allowed, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::report::{Note, RangeProblem, Report, ReportKind, ReportQuery};
use model::time::Date;

/// The page: `/reports`.
#[component]
pub fn ReportsPage() -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let cards = ReportKind::ALL.into_iter().filter(|kind| allowed(&path(*kind))).map(|kind| {
        let (name, about) = report(kind, lang);
        view! { <li class="card"><h2><a href=path(kind)>{name}</a></h2><p class="muted">{about}</p></li> }
    });
    let cards = cards.collect_view();
    view! {
        <Frame title=t.title section=Section::Reports>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <p class="buttons">
                <a class="button" href="/reports/saved">{saved_reports::texts(lang).title}</a>
                <a class="button" href="/exports">{exports::texts(lang).title}</a>
            </p>
            <ul class="report-list">{cards}</ul>
        </Frame>
    }
}

/// The page of each report, such as `/reports/sales?from=2026-11-01&until=2026-11-30&by=day&place=...&room=301`.
#[component]
pub fn ReportPage() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    // Only the words of reports are routes.
    let kind = path.rsplit('/').next().and_then(ReportKind::parse);
    kind.map(|kind| page(kind).into_any())
}

/// The statement of an account, for whoever may see it.
pub fn statement_link(account: &str, text: &str) -> Option<impl IntoView + use<>> {
    let page = path(ReportKind::Statement);
    let (here, text) = (address(&page, &[("room", account)]), text.to_owned());
    allowed(&page).then(|| view! { <a href=here>{text}</a> })
}

/// The address of a report without a choice.
fn path(kind: ReportKind) -> String {
    format!("/reports/{}", kind.as_str())
}

/// The query of an address, for the page and the files.
///
/// # Errors
/// [`RangeProblem`] to be shown.
pub fn query(kind: ReportKind, field: impl Fn(&'static str) -> String, today: Date) -> Result<ReportQuery, RangeProblem> {
    ReportQuery::parse(kind, field, today)
}

fn page(kind: ReportKind) -> impl IntoView {
    let asked = query(kind, param, now().date());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let places = ports.reports.report_places(&who).await?;
        let made = match &asked {
            Ok(query) => ports.reports.report(&who, kind, query).await?,
            Err(wrong) => Err(*wrong),
        };
        Ok((places, asked, made, ports.reports.can_mail()))
    };
    load(read, move |(places, asked, made, can_mail)| view! { <Body kind places asked made can_mail /> }.into_any())
}

#[component]
fn Body(
    kind: ReportKind,
    places: Vec<ReportPlace>,
    asked: Result<ReportQuery, RangeProblem>,
    made: Result<Report, RangeProblem>,
    can_mail: bool,
) -> impl IntoView {
    let lang = lang();
    let name = report(kind, lang).0;
    let form = form::form(kind, &places, asked.ok().as_ref(), made.is_ok());
    let save = made.as_ref().ok().map(|report| save::form(kind, &report.query, can_mail));
    let shown = match made {
        Ok(report) => shown(&report, lang).into_any(),
        // Nothing was asked for yet.
        Err(RangeProblem::RoomMissing) => view! { <p class="empty">{problem(RangeProblem::RoomMissing, lang)}</p> }.into_any(),
        Err(wrong) => view! { <Callout tone=Tone::Bad><p>{problem(wrong, lang)}</p></Callout> }.into_any(),
    };
    view! {
        <Frame title=name section=Section::Reports>
            <h1 class="no-print">{name}</h1>
            <Notice />
            {form}
            <p class="hint no-print">{texts(lang).print_hint}</p>
            {shown}
            {save}
        </Frame>
    }
}

/// The report on paper and on the screen: what it is about, its sections, what must be known of it, and lines for signatures.
fn shown(made: &Report, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let period = period(made, lang);
    let about = if made.about.is_empty() { t.everything.to_owned() } else { made.about.clone() };
    let differs = |note: &&Note| matches!(note, Note::LedgerDiffers(_));
    let alarm = made.notes.iter().find(differs).map(|wrong| {
        let words = note(*wrong, lang);
        view! { <Callout tone=Tone::Bad><p>{words}</p></Callout> }
    });
    let notes = made.notes.iter().filter(|note| !differs(note)).map(|one| view! { <li>{note(*one, lang)}</li> });
    let notes = notes.collect_view();
    let sections = made.sections.iter().map(|section| section::view(section, made, lang)).collect_view();
    let made_at = MadeAt { time: made.made_at }.text(lang);
    view! {
        <article class="report">
            <header class="stack-tight">
                <h1 class="only-print">{report(made.kind, lang).0}</h1>
                <p>{about}" · "<span class="num">{period}</span><span class="only-print">" · "{made_at}</span></p>
            </header>
            {alarm}
            {sections}
            <section class="stack-tight">
                <h2>{t.notes}</h2>
                <ul class="report-notes">{notes}</ul>
            </section>
            <dl class="only-print signatures">
                <div><dt>{t.prepared}</dt><dd></dd></div>
                <div><dt>{t.checked}</dt><dd></dd></div>
                <div><dt>{t.approved}</dt><dd></dd></div>
            </dl>
        </article>
    }
}
