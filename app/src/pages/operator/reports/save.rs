//! The form at the foot of a report that saves it.

use leptos::prelude::*;

use super::super::parts::{address, param};
use super::path;
use crate::i18n::saved_reports::{HourOfDay, days, every, texts};
use crate::i18n::{lang, reports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use model::error::AppError;
use model::report::{ReportKind, ReportQuery};
use model::saved_report::{ReportDays, ReportFile, SendEvery};

/// The hour that is offered first.
const USUAL_HOUR: u8 = 7;

/// The ranges that a saved report may have: no longer than its rows allow, and with today only where the report is about an
/// instant, because today is not over.
fn fitting(kind: ReportKind, query: &ReportQuery) -> impl Iterator<Item = ReportDays> + use<> {
    let (longest, today) = (query.by.longest(), crate::ports::now().date());
    ReportDays::ALL.into_iter().filter(move |days| {
        let (from, until) = days.range(today);
        until.0 - from.0 < longest && (*days != ReportDays::Today || kind.is_of_an_instant())
    })
}

pub fn form(kind: ReportKind, query: &ReportQuery, can_mail: bool) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let choice = |name: &'static str, label: &'static str, options: Vec<(String, String)>, chosen: String| {
        let options = options.into_iter().map(|(value, text)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{text}</option> }
        });
        view! {
            <label class="field"><span>{label}</span><select name=name>{options.collect_view()}</select></label>
        }
    };
    let all_days = fitting(kind, query).map(|one| (one.as_str().to_owned(), days(one, lang).to_owned())).collect();
    let (csv, xlsx) = (reports::texts(lang).csv_name, reports::texts(lang).xlsx_name);
    let files = [(ReportFile::Xlsx, xlsx), (ReportFile::Csv, csv)].map(|(one, name)| (one.as_str().to_owned(), name.to_owned()));
    let sending = SendEvery::ALL.into_iter().map(|one| (one.as_str().to_owned(), every(one, lang).to_owned())).collect();
    let hours = (0..24_u8).map(|hour| (hour.to_string(), HourOfDay { hour: format!("{hour:02}") }.text(lang))).collect();
    let age = query.age.to_string();
    let hidden =
        [("kind", kind.as_str()), ("by", query.by.as_str()), ("place", &*query.place), ("room", &*query.room), ("age", &*age)];
    // Of the report that is shown, also where the address of the page leaves it to the server.
    let (from, until) = (query.from.to_string(), query.until.to_string());
    let here = [("from", &*from), ("until", &*until)].into_iter().chain(hidden.into_iter().skip(1)).collect::<Vec<_>>();
    let hidden = hidden.map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned() /> }).collect_view();
    let sent = if can_mail {
        view! {
            {choice("every", t.every, sending, SendEvery::Never.as_str().to_owned())}
            {choice("hour", t.hour, hours, USUAL_HOUR.to_string())}
            <Field name="to" label=t.to inputmode="email" hint=t.to_hint optional=true />
        }
        .into_any()
    } else {
        view! {
            <input type="hidden" name="every" value=SendEvery::Never.as_str() />
            <input type="hidden" name="hour" value=USUAL_HOUR.to_string() />
            <input type="hidden" name="to" value="" />
            <Callout tone=Tone::Plain><p>{t.not_set_up}</p></Callout>
        }
        .into_any()
    };
    // Asked only where it has to be decided.
    let replace = (param("e") == AppError::NameTaken.code()).then(|| {
        view! { <label class="check"><input type="checkbox" name="replace" value="on" />{t.replace}</label> }
    });
    view! {
        <details class="card no-print">
            <summary>{t.save_title}</summary>
            <form class="stack-tight narrow-form" method="post" action="/api/operator/reports/save">
                <p class="hint">{t.save_hint}</p>
                {hidden}
                <input type="hidden" name="back" value=address(&path(kind), &here) />
                <Field name="name" label=t.name />
                {replace}
                {choice("days", t.days, all_days, ReportDays::LastMonth.as_str().to_owned())}
                {choice("file", t.file, files.to_vec(), ReportFile::Xlsx.as_str().to_owned())}
                {sent}
                <button class="primary">{t.save}</button>
            </form>
        </details>
    }
}
