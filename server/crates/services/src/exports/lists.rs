//! Lists as rows that are read piece by piece: for the answer to a browser, and for files that are made in the background.

mod audit;
mod meters;
mod readings;
mod register;

use std::sync::Arc;

use futures::stream::BoxStream;
use model::error::AppError;
use model::export::ExportList;
use model::language::Lang;
use model::person::Who;
use model::time::Date;
use workbook::{Cell, csv_line};

use super::Fields;
use crate::Context;
use crate::console::ConsoleService;

/// Rows that are read at once.
pub type Rows = Result<Vec<Vec<Cell>>, AppError>;

/// A list that is being read.
pub struct Listing {
    /// Of the file: ASCII, without its ending.
    pub name: String,
    pub title: &'static str,
    pub head: Vec<&'static str>,
    /// How many rows it has, where that is known.
    pub total: Option<i64>,
    pub rows: BoxStream<'static, Rows>,
}

/// The list of an address, for an operator, whose permission is checked here.
pub async fn open(
    (context, console): (&Context, &Arc<ConsoleService>),
    who: &Who,
    list: ExportList,
    fields: &Fields,
    lang: Lang,
) -> Result<Listing, AppError> {
    if !who.may(list.permission()) {
        return Err(AppError::Forbidden);
    }
    let today = context.now().date();
    match list {
        ExportList::Register => Ok(register::listing(&context.db, who.user, fields, lang)),
        ExportList::Audit => Ok(audit::listing(&context.db, who.user, fields, lang)),
        ExportList::Readings => readings::listing(console, who, readings::parse(fields, today)?, lang).await,
        ExportList::Meters => meters::listing(console, who, (fields, today), lang).await,
    }
}

/// What the list of an address is about, and its days, for people.
pub async fn about(
    context: &Context,
    who: &Who,
    list: ExportList,
    fields: &Fields,
) -> Result<(String, Option<(Date, Date)>), AppError> {
    match list {
        ExportList::Register | ExportList::Audit => {
            let day = |name| fields.get(name).parse().ok();
            Ok((fields.get("q").chars().take(100).collect(), day("from").zip(day("until"))))
        }
        ExportList::Readings => {
            let (meter, query) = readings::parse(fields, context.now().date())?;
            let meter = queries::meter(&context.db, who.user, meter).await?.ok_or(AppError::NotFound)?;
            let serial = meter.serial.clone();
            Ok((format!("{} {serial}", meter.room()), Some((query.from, query.until))))
        }
        ExportList::Meters => Ok((String::new(), None)),
    }
}

/// The head of a CSV file. Without the byte order mark, spreadsheets read the file in the system's old code page.
pub fn csv_head(head: &[&str]) -> String {
    let head: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
    format!("\u{feff}{}", csv_line::line(&head))
}

/// Rows of a CSV file.
pub fn csv_rows(rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    rows.into_iter().map(|cells| csv_line::line(&cells.into_iter().map(Cell::plain).collect::<Vec<_>>())).collect()
}

/// A number of tenths or hundredths in decimal notation.
fn decimal(value: i64, unit: i64) -> String {
    let digits = if unit == 10 { 1 } else { 2 };
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.abs() / unit, value.abs() % unit);
    format!("{sign}{whole}.{rest:0digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_values_keep_their_decimals() {
        assert_eq!((decimal(2_301, 10), decimal(-5, 100), decimal(1_234, 100)), ("230.1".into(), "-0.05".into(), "12.34".into()));
    }
}
