//! A section of a report: its chart, and its table.

use leptos::prelude::*;

use crate::i18n::Lang;
use crate::i18n::reports::{AndOne, Chart as ChartLabel, Heat as HeatLabel, HeatOf, Most, cell, column, heading, texts};
use crate::ui::heat::{Heat, HeatRow};
use crate::ui::lines::{Line, Lines};
use crate::ui::series::{self, Series};
use crate::ui::table_scroll::TableScroll;
use model::report::{Cell, Chart, Heading, Report, Section};

/// The section. Without rows it says so.
pub fn view(section: &Section, report: &Report, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let title = heading(section.title, lang);
    if section.rows.is_empty() {
        let words = if report.kind.is_well_without(section.title) { t.none_found } else { t.nothing };
        return view! { <section class="stack-tight"><h2>{title}</h2><p class="empty">{words}</p></section> }.into_any();
    }
    let chart = match section.chart {
        Some(Chart::Series(index)) => Some(series(section, index, report, lang).into_any()),
        Some(Chart::Lines { first, count }) => Some(lines(section, first, count, report, lang).into_any()),
        Some(Chart::Heat) => Some(heat(section, report, lang).into_any()),
        Some(Chart::Bars(_)) | None => None,
    };
    let heads = section.columns.iter().map(|one| {
        view! { <th scope="col" class=one.is_number().then_some("number")>{column(*one, lang)}</th> }
    });
    let heads = heads.collect_view();
    let bars = match section.chart {
        Some(Chart::Bars(index)) => Some((index, highest(section, index))),
        _ => None,
    };
    let exact = exact_columns(section);
    let rows = section.rows.iter().map(|row| table_row(section, row, (bars, exact.as_slice()), lang)).collect_view();
    let foot = section.totals().map(|totals| {
        let cells = totals.iter().zip(&section.columns).zip(&exact).skip(1).map(|((total, column), is_exact)| {
            view! { <td class=column.is_number().then_some("number")>{amount(total, *is_exact, lang)}</td> }
        });
        view! { <tfoot><tr><th scope="row">{t.total}</th>{cells.collect_view()}</tr></tfoot> }
    });
    view! {
        <section class="stack-tight">
            <h2>{title.clone()}</h2>
            {chart}
            <TableScroll label=title.clone()>
                <table class="table sticky">
                    <caption class="visually-hidden">{title}</caption>
                    <thead><tr>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                    {foot}
                </table>
            </TableScroll>
        </section>
    }
    .into_any()
}

/// Of each column, whether it has amounts with parts of a fen: all of its amounts have four decimals then.
fn exact_columns(section: &Section) -> Vec<bool> {
    let has_parts = |value: &Cell| matches!(value, Cell::Money(money) if money.0 % 100 != 0);
    let is_exact = |index: usize| section.rows.iter().filter_map(|row| row.get(index)).any(has_parts);
    (0..section.columns.len()).map(is_exact).collect()
}

/// A value of a column.
fn amount(value: &Cell, is_exact: bool, lang: Lang) -> String {
    match value {
        Cell::Money(money) if is_exact => money.to_string(),
        _ => cell(value, lang),
    }
}

/// `bars` is the column that has bars, and its highest value; `exact` is of each column.
fn table_row(
    section: &Section,
    row: &[Cell],
    (bars, exact): (Option<(usize, i64)>, &[bool]),
    lang: Lang,
) -> impl IntoView + use<> {
    let cells = row.iter().zip(&section.columns).zip(exact).enumerate().map(|(index, ((value, column), is_exact))| {
        let text = match value {
            Cell::Room { meter, name } => view! { <a href=format!("/rooms/{meter}")>{name.clone()}</a> }.into_any(),
            _ => amount(value, *is_exact, lang).into_any(),
        };
        if index == 0 {
            return view! { <th scope="row" class=column.is_number().then_some("number")>{text}</th> }.into_any();
        }
        let bar = bars.filter(|(column, _)| *column == index).map(|(_, most)| bar(value, most));
        view! { <td class=column.is_number().then_some("number")>{bar}{text}</td> }.into_any()
    });
    view! { <tr>{cells.collect_view()}</tr> }
}

/// The highest value of a column, at least 1.
fn highest(section: &Section, index: usize) -> i64 {
    section.rows.iter().filter_map(|row| row.get(index)?.amount()).max().unwrap_or(0).max(1)
}

/// A bar beside a value, as long as its part of the highest one.
fn bar(value: &Cell, most: i64) -> impl IntoView + use<> {
    let length = i128::from(value.amount().unwrap_or(0).clamp(0, most)) * 100 / i128::from(most);
    view! {
        <svg class="value-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <rect width=length.to_string() height="8" />
        </svg>
    }
}

fn series(section: &Section, index: usize, report: &Report, lang: Lang) -> impl IntoView + use<> {
    // What is unknown is no column, not even one of zero.
    let column =
        |(row, place): (&Vec<Cell>, i64)| Some(series::Column { place, low: 0, high: row.get(index).and_then(Cell::amount)? });
    let rows = on_axis(section);
    let places = i64::try_from(rows.len()).unwrap_or(1);
    let columns: Vec<_> = rows.into_iter().zip(0..).filter_map(column).collect();
    let most = most(section, index, 1, lang);
    let label = chart_label(section, (index, 1), report, lang);
    view! { <Series columns places label most marks=marks(section, lang) /> }
}

/// The highest value of some columns, in words.
fn most(section: &Section, first: usize, count: usize, lang: Lang) -> String {
    let values = section.rows.iter().flat_map(|row| row.iter().skip(first).take(count));
    let value = values.max_by_key(|one| one.amount()).map(|highest| cell(highest, lang)).unwrap_or_default();
    Most { value }.text(lang)
}

/// What a chart of some columns, from the first on, is about.
fn chart_label(section: &Section, (first, count): (usize, usize), report: &Report, lang: Lang) -> String {
    let columns = section.columns.iter().skip(first).take(count).map(|one| column(*one, lang));
    let label = ChartLabel {
        section: heading(section.title, lang),
        column: columns.reduce(|all, one| AndOne { all, one }.text(lang)).unwrap_or_default(),
        from: report.query.from,
        until: report.query.until,
    };
    label.text(lang)
}

/// The rows that a chart shows: all but the one that sums up a longer time before.
fn on_axis(section: &Section) -> Vec<&Vec<Cell>> {
    section.rows.iter().filter(|row| row.first() != Some(&Cell::Word(Heading::RestOfBefore))).collect()
}

/// The names of the first, middle and last row.
fn marks(section: &Section, lang: Lang) -> [String; 3] {
    let rows = on_axis(section);
    let name = |row: Option<&&Vec<Cell>>| row.and_then(|row| row.first()).map(|name| cell(name, lang)).unwrap_or_default();
    let middle = if rows.len() > 2 { rows.get(rows.len() / 2) } else { None };
    let last = if rows.len() > 1 { rows.last() } else { None };
    [name(rows.first()), name(middle), name(last)]
}

fn lines(section: &Section, first: usize, count: usize, report: &Report, lang: Lang) -> impl IntoView + use<> {
    let line = |index: usize| Line {
        name: section.columns.get(index).map(|one| column(*one, lang)).unwrap_or_default(),
        values: section.rows.iter().map(|row| row.get(index).and_then(Cell::amount)).collect(),
    };
    let most = most(section, first, count, lang);
    let label = chart_label(section, (first, count), report, lang);
    let lines: Vec<Line> = (first..first + count).map(line).collect();
    view! { <Lines lines label most marks=marks(section, lang) /> }
}

fn heat(section: &Section, report: &Report, lang: Lang) -> impl IntoView + use<> {
    let rows = section.rows.iter().map(|row| {
        let label = row.first().map(|name| cell(name, lang)).unwrap_or_default();
        HeatRow { label, values: row.iter().skip(1).map(Cell::amount).collect() }
    });
    let columns = section.columns.iter().skip(1).map(|one| heading(one.heading, lang)).collect();
    let (from, until) = (report.query.from, report.query.until);
    let label = match section.title {
        Heading::HoursOfDays => HeatLabel { from, until }.text(lang),
        title => HeatOf { section: &heading(title, lang), from, until }.text(lang),
    };
    view! { <Heat rows=rows.collect() columns label /> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::money::Money;
    use model::report::{Column, ColumnKind};

    #[test]
    fn amounts_of_a_column_have_the_same_decimals() {
        let columns = [Heading::Fees, Heading::Net].map(|heading| Column::summed(heading, ColumnKind::Money)).to_vec();
        let rows = [[868_574, 100], [847_400, 200]].map(|row| row.map(|e4| Cell::Money(Money(e4))).to_vec()).to_vec();
        let section = Section { title: Heading::ByTime, columns, rows, chart: None };
        assert_eq!(exact_columns(&section), [true, false]);
        let shown = |index: usize, is_exact| amount(&section.rows[1][index], is_exact, Lang::En);
        assert_eq!((shown(0, true), shown(1, false)), ("84.7400".to_owned(), "0.02".to_owned()));
    }
}
