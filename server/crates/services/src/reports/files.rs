//! A report as a file, made of the same sections as its page.

use std::io::{self, Write};
use std::path::Path;

use app::i18n::reports::{self as words, MadeAt};
use model::error::AppError;
use model::export::MAX_WORKBOOK_ROWS;
use model::language::Lang;
use model::report::{Cell, Column, ColumnKind, Report};
use model::saved_report::ReportFile;
use model::time::Date;
use workbook::csv_line;
use workbook::report::{Book, Number, Sheet, SheetColumn, Unit};

use crate::exports::{Gauge, note};

/// The record of a blank line.
const BLANK: [String; 0] = [];

/// ASCII, with its ending; a report about an instant has one day.
pub fn file_name(report: &Report, file: ReportFile) -> String {
    let (kind, from, until) = (report.kind, report.query.from, report.query.until);
    let days = if kind.is_of_an_instant() { until.to_string() } else { format!("{from}-{until}") };
    format!("{}-{days}.{}", kind.as_str(), file.as_str())
}

/// The contents of the file, written by a thread of its own.
pub async fn file_of(report: Report, file: ReportFile, lang: Lang) -> Result<Vec<u8>, AppError> {
    let written = tokio::task::spawn_blocking(move || {
        let mut contents = Vec::new();
        write_report(&report, file, lang, &mut contents, (None, &Gauge::default())).map(|()| contents)
    });
    match written.await {
        Ok(Ok(contents)) => Ok(contents),
        Ok(Err(NotWritten)) => Err(AppError::Internal),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "report.thread_failed");
            Err(AppError::Internal)
        }
    }
}

/// A file could not be written; its gauge or the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWritten;

/// Writes a report row by row, each counted by the gauge. Until its end a workbook is on the disk below the directory.
pub fn write_report(
    report: &Report,
    file: ReportFile,
    lang: Lang,
    out: &mut (impl Write + Send),
    (directory, gauge): (Option<&Path>, &Gauge),
) -> Result<(), NotWritten> {
    match file {
        ReportFile::Csv => write_csv(report, lang, out, gauge).map_err(|_| NotWritten),
        ReportFile::Xlsx => book(report, lang, gauge).write(out, directory).map_err(|error| {
            note(&error, gauge);
            NotWritten
        }),
    }?;
    gauge.outcome().map_err(|_| NotWritten)
}

/// What the report is about: its name, the place, and the days.
pub fn title(report: &Report, lang: Lang) -> [String; 3] {
    let about = if report.about.is_empty() { words::texts(lang).everything.to_owned() } else { report.about.clone() };
    let period = words::period(report, lang);
    [words::report(report.kind, lang).0.to_owned(), about, period]
}

fn notes(report: &Report, lang: Lang) -> impl Iterator<Item = String> {
    let made = MadeAt { time: report.made_at }.text(lang);
    std::iter::once(made).chain(report.notes.iter().map(move |note| words::note(*note, lang)))
}

/// One table below the other, each below its heading.
fn write_csv(report: &Report, lang: Lang, out: &mut impl Write, gauge: &Gauge) -> io::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut line = |cells: &[String]| {
        // An empty record would be two quotation marks.
        let text = if cells.is_empty() { "\r\n".to_owned() } else { csv_line::line(cells) };
        out.write_all(text.as_bytes())
    };
    line(&title(report, lang))?;
    for section in &report.sections {
        let cells = |row: &[Cell]| row.iter().map(|cell| words::cell(cell, lang)).collect::<Vec<_>>();
        let head: Vec<String> = section.columns.iter().map(|column| words::column(*column, lang)).collect();
        line(&BLANK)?;
        line(&[words::heading(section.title, lang)])?;
        line(&head)?;
        for row in section.rows.iter().take_while(|_| gauge.count(i64::MAX)) {
            line(&cells(row))?;
        }
        if let Some(totals) = section.totals() {
            let mut foot = cells(&totals);
            if let Some(first) = foot.first_mut() {
                *first = words::texts(lang).total.to_owned();
            }
            line(&foot)?;
        }
    }
    line(&BLANK)?;
    notes(report, lang).try_for_each(|note| line(&[note]))
}

fn book<'a>(report: &'a Report, lang: Lang, gauge: &'a Gauge) -> Book<'a> {
    let t = words::texts(lang);
    let cells = move |row: &Vec<Cell>| row.iter().map(|cell| sheet_cell(cell, lang)).collect();
    let sheets = report.sections.iter().map(|section| Sheet {
        name: words::heading(section.title, lang),
        columns: section.columns.iter().map(|one| sheet_column(*one, lang)).collect(),
        rows: Box::new(section.rows.iter().take_while(move |_| gauge.count(MAX_WORKBOOK_ROWS)).map(cells)),
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
        ColumnKind::Money | ColumnKind::Price | ColumnKind::Energy | ColumnKind::Mass | ColumnKind::Power => Unit::Decimals,
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
        Cell::Mass(mass) => number(mass.0, 1_000),
        Cell::Power(watts) => number(*watts, 1_000),
        Cell::Permille(permille) => number(*permille, 1_000),
        Cell::Day(day) => workbook::Cell::Day(*day),
        Cell::Month { year, month } => match Date::from_ymd(*year, *month, 1) {
            Some(first) => workbook::Cell::Month(first),
            None => workbook::Cell::Empty,
        },
        Cell::Year(year) => number(*year, 1),
        Cell::Time(at) => workbook::Cell::Time(*at),
        Cell::Text(_) | Cell::Room { .. } | Cell::Word(_) | Cell::Tender(_) => workbook::Cell::text(words::cell(cell, lang)),
        Cell::Event(_) | Cell::Level(_) | Cell::Case(_) | Cell::Gaps(_) => workbook::Cell::text(words::cell(cell, lang)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use model::money::Money;
    use model::report::{Grain, Heading, Note, ReportKind, ReportQuery, Section};
    use model::time::Timestamp;

    fn report() -> Report {
        let day = Date::from_ymd(2026, 11, 29).unwrap();
        let columns = vec![Column::time(Heading::Day), Column::summed(Heading::Sales, ColumnKind::Money)];
        let rows = vec![vec![Cell::Day(day), Cell::Money(Money(632_000))], vec![Cell::Day(day), Cell::Money(Money(-50))]];
        let section = Section { title: Heading::ByTime, columns, rows, chart: None };
        let by = Grain::Day;
        let query = ReportQuery { from: day, until: day, by, place: String::new(), room: String::new(), age: 0 };
        let (about, made_at, notes) = ("=1号楼".to_owned(), Timestamp(0), vec![Note::LedgerAgrees]);
        Report { kind: ReportKind::Sales, query, about, made_at, sections: vec![section], notes }
    }

    #[test]
    fn titles_of_sections_are_names_of_sheets() {
        // What Excel accepts; it does not tell capitals from small letters.
        const LONGEST: usize = 31;
        for lang in Lang::ALL {
            let mut names: Vec<String> = Heading::TITLES.into_iter().map(|title| words::heading(title, lang)).collect();
            names.push(words::texts(lang).notes.to_owned());
            for name in &names {
                let is_short = (1..=LONGEST).contains(&name.encode_utf16().count());
                let is_quoted = name.starts_with('\'') || name.ends_with('\'');
                assert!(is_short && !name.contains(['[', ']', ':', '*', '?', '/', '\\']) && !is_quoted, "{name}");
            }
            let distinct: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
            assert_eq!(distinct.len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn a_report_about_an_instant_is_named_by_its_day() {
        assert_eq!(file_name(&report(), ReportFile::Csv), "sales-2026-11-29-2026-11-29.csv");
        let held = Report { kind: ReportKind::Liability, ..report() };
        assert_eq!(file_name(&held, ReportFile::Xlsx), "liability-2026-11-29.xlsx");
    }

    #[test]
    fn a_csv_file_has_each_section_with_its_total() {
        let (mut file, gauge) = (Vec::new(), Gauge::default());
        write_report(&report(), ReportFile::Csv, Lang::En, &mut file, (None, &gauge)).unwrap();
        assert_eq!(gauge.rows(), 2);
        let text = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "\u{feff}Sales,'=1号楼,2026-11-29 to 2026-11-29");
        assert_eq!(lines[1..7], ["", "Over time", "Day,Sales (yuan)", "2026-11-29,63.20", "2026-11-29,-0.0050", "Total,63.1950"]);
        assert!(lines[8].starts_with("Made 1970-01-01 08:00:00") && lines[9].contains("equal"));
    }
}
