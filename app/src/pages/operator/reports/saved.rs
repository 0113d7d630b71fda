//! The reports that somebody saved: opened, sent and removed.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::{address, param};
use super::path;
use crate::api::reports::{ReportPlace, SavedReports};
use crate::i18n::saved_reports::{NotMade, days, every, mail, report_trouble, texts};
use crate::i18n::{Lang, lang, reports};
use crate::ports::{now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::saved_report::{ReportTrouble, SavedReport, SendEvery, SentMail};
use model::time::Date;

/// The page: `/reports/saved`.
#[component]
pub fn SavedReportsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let places = ports.reports.report_places(&who).await?;
        Ok((ports.reports.saved_reports(&who).await?, places, ports.reports.can_mail()))
    };
    load(read, |(saved, places, can_mail)| view! { <Body saved places can_mail /> }.into_any())
}

#[component]
fn Body(saved: SavedReports, places: Vec<ReportPlace>, can_mail: bool) -> impl IntoView {
    let (t, lang, today) = (texts(lang()), lang(), now().date());
    let done = match param("done").as_str() {
        "saved" => Some(t.saved),
        "removed" => Some(t.removed),
        "sent" => Some(t.sent),
        "making" => Some(t.making_long),
        _ => None,
    };
    let done = done.map(|text| view! { <Callout tone=Tone::Good><p>{text}</p></Callout> });
    let wrong = ReportTrouble::parse(&param("trouble")).map(|trouble| {
        let text = NotMade { trouble: report_trouble(trouble, lang) }.text(lang);
        view! { <Callout tone=Tone::Bad><p>{text}</p></Callout> }
    });
    let without = (!can_mail).then(|| view! { <Callout tone=Tone::Plain><p>{t.not_set_up}</p></Callout> });
    let none = saved.reports.is_empty().then(|| view! { <p class="empty">{t.none}</p> });
    let mails = saved.mails;
    let rows = saved.reports.into_iter().map(|report| {
        let of_it: Vec<&SentMail> = mails.iter().filter(|mail| mail.report == report.id).collect();
        row(&report, &about(&report, &places, lang), &of_it, can_mail, today, lang)
    });
    let rows = rows.collect_view();
    let table = none.is_none().then(|| {
        view! {
            <TableScroll label=t.title>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col">{t.kind}</th>
                            <th scope="col">{t.place}</th>
                            <th scope="col">{t.days}</th>
                            <th scope="col">{t.every}</th>
                            <th scope="col">{t.mails}</th>
                            <th scope="col">{t.by}</th>
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
            {done}
            {wrong}
            {without}
            {none}
            {table}
        </Frame>
    }
}

/// The address of a saved report for today.
fn opened(report: &SavedReport, today: Date) -> String {
    let (what, (from, until)) = (&report.what, report.what.days.range(today));
    let (from, until, age) = (from.to_string(), until.to_string(), what.age.to_string());
    let fields = [
        ("from", &*from),
        ("until", &*until),
        ("by", what.by.as_str()),
        ("place", &*what.place),
        ("room", &*what.room),
        ("age", &*age),
    ];
    address(&path(what.kind), &fields)
}

/// The room or account, place or group that a report is about.
fn about(report: &SavedReport, places: &[ReportPlace], lang: Lang) -> String {
    if !report.what.room.is_empty() {
        return report.what.room.clone();
    }
    let place = places.iter().find(|place| place.id == report.what.place);
    place.map_or_else(|| reports::texts(lang).everything.to_owned(), |place| place.name.clone())
}

fn row(report: &SavedReport, about: &str, mails: &[&SentMail], can_mail: bool, today: Date, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let making = report.next_at.is_some_and(|at| at <= now()).then(|| view! { <p>{t.making}</p> });
    let next = report.next_at.filter(|at| *at > now()).map(|at| at.to_string().get(..16).unwrap_or_default().to_owned());
    let sent = match (report.what.every, next) {
        (SendEvery::Never, _) | (_, None) => every(report.what.every, lang).to_owned(),
        (how_often, Some(next)) => format!("{} ({} {next})", every(how_often, lang), t.next),
    };
    let trouble = report.trouble.map(|trouble| {
        let text = NotMade { trouble: report_trouble(trouble, lang) }.text(lang);
        view! { <p class="bad">{text}</p> }
    });
    let written: Vec<String> = mails.iter().map(|one| mail(one, lang)).collect();
    // Addresses to which nothing was sent yet.
    let waiting = report.what.recipients.iter().map(ToString::to_string);
    let waiting = waiting.filter(|address| !mails.iter().any(|one| one.recipient == *address));
    let lines = written.into_iter().chain(waiting).map(|line| view! { <li>{line}</li> }).collect_view();
    let id = report.id.to_string();
    let button = |action: &'static str, word: &'static str| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="report" value=id.clone() />
                <button>{word}</button>
            </form>
        }
    };
    let send = (can_mail && !report.what.recipients.is_empty()).then(|| button("/api/operator/reports/send", t.send_now));
    view! {
        <tr>
            <th scope="row"><a href=opened(report, today)>{report.what.name.clone()}</a></th>
            <td>{reports::report(report.what.kind, lang).0}</td>
            <td>{about.to_owned()}</td>
            <td>{days(report.what.days, lang)}</td>
            <td>{sent}{making}{trouble}</td>
            <td><ul class="plain-list">{lines}</ul></td>
            <td>{report.owner_name.clone()}</td>
            <td class="buttons">{send}{button("/api/operator/reports/remove", t.remove)}</td>
        </tr>
    }
}
