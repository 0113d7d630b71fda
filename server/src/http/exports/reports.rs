//! `/reports/sales.csv`, `/reports/sales.xlsx` and the like: a report as a file, made of the same sections as its page.

use app::access::{self, Access};
use app::i18n::reports::{self as words, MadeAt, Period};
use app::pages::operator::reports::query;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use model::error::AppError;
use model::language::Lang;
use model::report::{Cell, Column, ColumnKind, Report, ReportKind};
use model::time::Date;
use workbook::report::{Book, Number, Sheet, SheetColumn, Unit};

use super::csv;
use super::listing::{FileKind, attachment, refusal, xlsx};
use crate::http::router::Route;
use crate::http::{AppState, RequestInfo};

/// Two files for each report, for whoever may open its page.
pub fn reports() -> Vec<Route> {
    let files = [
        (ReportKind::Sales, "/reports/sales", "/reports/sales.csv", "/reports/sales.xlsx"),
        (ReportKind::Energy, "/reports/energy", "/reports/energy.csv", "/reports/energy.xlsx"),
        (ReportKind::Instruments, "/reports/instruments", "/reports/instruments.csv", "/reports/instruments.xlsx"),
        (ReportKind::LostMeters, "/reports/lost-meters", "/reports/lost-meters.csv", "/reports/lost-meters.xlsx"),
        (ReportKind::LostGateways, "/reports/lost-gateways", "/reports/lost-gateways.csv", "/reports/lost-gateways.xlsx"),
        (ReportKind::Alarms, "/reports/alarms", "/reports/alarms.csv", "/reports/alarms.xlsx"),
    ];
    let routes = files.into_iter().flat_map(|(kind, page, csv, xlsx)| {
        // Without a line in the access table it is for nobody.
        let access = access::page(page).unwrap_or(Access::May(kind.permission()));
        let file = |kind_of_file| {
            get(move |state: State<AppState>, fields: Query<Vec<(String, String)>>, info: Extension<RequestInfo>| async move {
                download(kind, kind_of_file, &state, &fields, &info).await.unwrap_or_else(refusal)
            })
        };
        [(csv, access, file(FileKind::Csv)), (xlsx, access, file(FileKind::Xlsx))]
    });
    routes.collect()
}

async fn download(
    kind: ReportKind,
    file: FileKind,
    state: &AppState,
    fields: &[(String, String)],
    info: &RequestInfo,
) -> Result<Response, AppError> {
    let who = info.who.as_ref().ok_or(AppError::NotLoggedIn)?;
    let field =
        |name: &'static str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let query = query(kind, field, state.context.now().date()).map_err(|_| AppError::Invalid)?;
    let report = state.ports.reports.report(who, kind, &query).await?.map_err(|_| AppError::Invalid)?;
    let name = format!("{}-{}-{}", kind.as_str(), query.from, query.until);
    match file {
        FileKind::Csv => Ok(attachment("text/csv; charset=utf-8", &format!("{name}.csv"), as_csv(&report, info.lang))),
        FileKind::Xlsx => Ok(xlsx(&name, book(&report, info.lang)).await),
    }
}

/// What the report is about: its name, the place, and the days.
fn title(report: &Report, lang: Lang) -> [String; 3] {
    let about = if report.about.is_empty() { words::texts(lang).everything.to_owned() } else { report.about.clone() };
    let period = Period { from: report.query.from, until: report.query.until }.text(lang);
    [words::report(report.kind, lang).0.to_owned(), about, period]
}

fn notes(report: &Report, lang: Lang) -> impl Iterator<Item = String> {
    let made = MadeAt { time: report.made_at }.text(lang);
    std::iter::once(made).chain(report.notes.iter().map(move |note| words::note(*note, lang)))
}

/// One table below the other, each below its heading.
fn as_csv(report: &Report, lang: Lang) -> String {
    let mut text = format!("\u{feff}{}", csv::line(&title(report, lang)));
    for section in &report.sections {
        let cells = |row: &[Cell]| row.iter().map(|cell| words::cell(cell, lang)).collect::<Vec<_>>();
        let head: Vec<String> = section.columns.iter().map(|column| words::column(*column, lang)).collect();
        text += "\r\n";
        text += &csv::line(&[words::heading(section.title, lang)]);
        text += &csv::line(&head);
        section.rows.iter().for_each(|row| text += &csv::line(&cells(row)));
        if let Some(totals) = section.totals() {
            let mut line = cells(&totals);
            if let Some(first) = line.first_mut() {
                *first = words::texts(lang).total.to_owned();
            }
            text += &csv::line(&line);
        }
    }
    text += "\r\n";
    notes(report, lang).for_each(|note| text += &csv::line(&[note]));
    text
}

fn book(report: &Report, lang: Lang) -> Book {
    let t = words::texts(lang);
    let sheets = report.sections.iter().map(|section| Sheet {
        name: words::heading(section.title, lang),
        columns: section.columns.iter().map(|one| sheet_column(*one, lang)).collect(),
        rows: section.rows.iter().map(|row| row.iter().map(|cell| sheet_cell(cell, lang)).collect()).collect(),
    });
    Book {
        title: title(report, lang).join(" · "),
        sheets: sheets.collect(),
        total: t.total.to_owned(),
        notes_name: t.notes.to_owned(),
        notes: notes(report, lang).collect(),
    }
}

fn sheet_column(column: Column, lang: Lang) -> SheetColumn {
    let unit = match column.kind {
        ColumnKind::Text | ColumnKind::Time => Unit::None,
        ColumnKind::Count => Unit::Whole,
        ColumnKind::Money | ColumnKind::Energy => Unit::Decimals,
        ColumnKind::Share => Unit::PerCent,
    };
    SheetColumn { title: words::column(column, lang), unit, is_summed: column.is_summed }
}

fn sheet_cell(cell: &Cell, lang: Lang) -> workbook::Cell {
    let number = |value: i64, unit: i64| workbook::Cell::Exact(Number { value, unit });
    match cell {
        Cell::Empty => workbook::Cell::Empty,
        Cell::Count(count) => number(*count, 1),
        Cell::Money(money) => number(money.0, 10_000),
        Cell::Energy(energy) => number(energy.0, 1_000),
        Cell::Permille(permille) => number(*permille, 1_000),
        Cell::Day(day) => workbook::Cell::Day(*day),
        Cell::Month { year, month } => match Date::from_ymd(*year, *month, 1) {
            Some(first) => workbook::Cell::Month(first),
            None => workbook::Cell::Empty,
        },
        Cell::Year(year) => number(*year, 1),
        Cell::Time(at) => workbook::Cell::Time(*at),
        Cell::Text(_) | Cell::Word(_) | Cell::Tender(_) | Cell::Event(_) => workbook::Cell::text(words::cell(cell, lang)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::money::Money;
    use model::report::{Grain, Heading, Note, ReportQuery, Section};
    use model::time::Timestamp;

    fn report() -> Report {
        let day = Date::from_ymd(2026, 11, 29).unwrap();
        let columns = vec![Column::time(Heading::Day), Column::summed(Heading::Sales, ColumnKind::Money)];
        let rows = vec![vec![Cell::Day(day), Cell::Money(Money(632_000))], vec![Cell::Day(day), Cell::Money(Money(-50))]];
        let section = Section { title: Heading::ByTime, columns, rows, chart: None };
        let by = Grain::Day;
        let query = ReportQuery { from: day, until: day, by, place: String::new(), room: String::new() };
        let (about, made_at, notes) = ("=1号楼".to_owned(), Timestamp(0), vec![Note::LedgerAgrees]);
        Report { kind: ReportKind::Sales, query, about, made_at, sections: vec![section], notes }
    }

    #[test]
    fn a_csv_file_has_each_section_with_its_total() {
        let text = as_csv(&report(), Lang::En);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "\u{feff}Sales,'=1号楼,2026-11-29 to 2026-11-29");
        assert_eq!(lines[1..7], ["", "Over time", "Day,Sales (yuan)", "2026-11-29,63.20", "2026-11-29,-0.0050", "Total,63.1950"]);
        assert!(lines[8].starts_with("Made 1970-01-01 08:00:00") && lines[9].contains("equal"));
    }
}
