//! The form beside the files of a page that has the same file made in the background.

use leptos::prelude::*;

use super::super::parts::address;
use crate::i18n::exports::texts;
use crate::i18n::{lang, reports};
use crate::ports::visit;
use model::export::ExportSource;
use model::saved_report::ReportFile;

/// `fields` are those of the address of the file.
pub fn in_background(source: ExportSource, fields: &[(&str, &str)]) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let query = address("", fields).trim_start_matches('?').to_owned();
    let name = |file: ReportFile| match file {
        ReportFile::Xlsx => reports::texts(lang).xlsx_name,
        ReportFile::Csv => reports::texts(lang).csv_name,
    };
    let files = ReportFile::ALL.map(|file| view! { <option value=file.as_str()>{name(file)}</option> });
    view! {
        <form class="filter no-print" method="post" action="/api/operator/exports/start">
            <input type="hidden" name="source" value=source.to_string() />
            <input type="hidden" name="query" value=query />
            <input type="hidden" name="back" value=visit().here />
            <label class="filter-field"><span>{t.long}</span><select name="file">{files.collect_view()}</select></label>
            <button>{t.prepare}</button>
            <a href="/exports">{t.title}</a>
        </form>
    }
}
