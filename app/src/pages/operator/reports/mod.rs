//! The reports: a page that lists them, and a page for each, with its choice in the address.

mod form;
mod save;
pub mod saved;
mod section;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::frame::{Frame, Section};
use super::parts::{address, param};
use crate::api::reports::{FITTING_ROOMS, ReportPlace, ReportsPort};
use crate::i18n::reports::{MadeAt, note, period, problem, report, texts};
use crate::i18n::{Lang, exports, lang, saved_reports};
use crate::ports::{Who, allowed, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::error::AppError;
use model::report::{Note, RangeProblem, Report, ReportKind, ReportQuery};
use model::time::Date;

/// Places that are tried where a report of everything would be too large.
const PLACES_TRIED: usize = 3;

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
    let is_usual = ["from", "until", "by", "place", "room", "age"].into_iter().all(|name| param(name).is_empty());
    // What is wrong with a form that came back is told at once: the report is not made again for it.
    let is_refused = !param("e").is_empty();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let places = ports.reports.report_places(&who).await?;
        let (asked, made) = match asked {
            Ok(query) if is_refused => (Ok(query), Ok(None)),
            Ok(query) if is_usual => {
                let (query, made) = opening_report(&*ports.reports, &who, kind, query, &places).await?;
                (Ok(query), made.map(Some))
            }
            Ok(query) => {
                let made = ports.reports.report(&who, kind, &query).await?;
                (Ok(query), made.map(Some))
            }
            Err(wrong) => (Err(wrong), Err(wrong)),
        };
        let rooms = match (&asked, &made) {
            (Ok(query), Err(RangeProblem::SeveralRooms)) => ports.reports.fitting_rooms(&who, &query.room).await?,
            _ => Vec::new(),
        };
        Ok((places, asked, made, rooms, ports.reports.can_mail()))
    };
    load(read, move |(places, asked, made, rooms, can_mail)| {
        let rooms = asked.as_ref().map(|query| room_links(kind, query, &rooms)).ok().flatten();
        view! { <Body kind places asked made rooms=rooms.into_any() can_mail /> }.into_any()
    })
}

/// The report that is shown before anything is chosen. Where that of the whole site is too large, it has fewer days, or only the
/// first place that is small enough.
async fn opening_report(
    reports: &dyn ReportsPort,
    who: &Who,
    kind: ReportKind,
    mut query: ReportQuery,
    places: &[ReportPlace],
) -> Result<(ReportQuery, Result<Report, RangeProblem>), AppError> {
    let mut places = places.iter().take(PLACES_TRIED);
    loop {
        match reports.report(who, kind, &query).await? {
            Err(RangeProblem::TooManyMeters { days, .. }) if (1..query.days()).contains(&days) => {
                query.from = query.until.plus(1 - days);
            }
            Err(problem @ RangeProblem::TooManyMeters { .. }) => match places.next() {
                Some(place) => query.place.clone_from(&place.id),
                None => return Ok((query, Err(problem))),
            },
            made => return Ok((query, made)),
        }
    }
}

/// The same report of each room that the typed text may mean.
fn room_links(kind: ReportKind, query: &ReportQuery, rooms: &[String]) -> Option<AnyView> {
    let (from, until, age) = (query.from.to_string(), query.until.to_string(), query.age.to_string());
    let links = rooms.iter().map(|room| {
        let fields = [("from", &*from), ("until", &*until), ("by", query.by.as_str()), ("age", &*age), ("room", room.as_str())];
        view! { <li><a class="tap" href=address(&path(kind), &fields)>{room.clone()}</a></li> }
    });
    let links = links.collect_view();
    let more = (rooms.len() == FITTING_ROOMS).then(|| view! { <p class="hint">{texts(lang()).several_rooms_more}</p> });
    (!rooms.is_empty()).then(|| view! { <ul class="plain-list">{links}</ul> {more} }.into_any())
}

#[component]
fn Body(
    kind: ReportKind,
    places: Vec<ReportPlace>,
    asked: Result<ReportQuery, RangeProblem>,
    /// `None` where it was left out.
    made: Result<Option<Report>, RangeProblem>,
    /// Links to the rooms that a typed text may mean.
    rooms: AnyView,
    can_mail: bool,
) -> impl IntoView {
    let lang = lang();
    let name = report(kind, lang).0;
    let (asked, wrong) = (asked.ok(), made.as_ref().err().copied());
    let form = form::form(kind, &places, asked.as_ref(), wrong);
    let save = asked.as_ref().filter(|_| wrong.is_none()).map(|query| save::form(kind, query, can_mail));
    let shown = match made {
        Ok(Some(report)) => shown(&report, lang).into_any(),
        Ok(None) => view! { <p class="hint">{texts(lang).left_out}</p> }.into_any(),
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
            {rooms}
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
