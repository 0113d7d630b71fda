//! Reads and writes the site workbook: one XLSX file with a sheet for each kind of thing, or a CSV file for one of them.
//!
//! A file comes from anywhere, so its size is bounded before anything of it is unpacked, and again while it is.

mod contacts;
mod csv_file;
pub mod csv_line;
mod defaults;
mod fields;
mod friendly;
mod groups;
mod instruments;
pub mod invoices;
mod limits;
mod listing;
mod names;
mod number_format;
mod prices;
pub mod report;
mod settings_of;
mod sheets;
mod table;
#[cfg(test)]
mod tests;
mod write;
mod xlsx;

use std::collections::BTreeMap;

use domain::site_plan::{PartialRows, SiteRows};
use model::meter::Wallet;
use model::site_workbook::{Column, Fault, Problem, Sheet};

use table::Table;

pub use limits::MAX_FILE_BYTES;
pub use listing::{Cell, listing, write_listing};
pub use write::{WriteError, template, workbook};

/// What the wallet of a meter model can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// The wallet that it has by itself; for a cell that is blank.
    pub wallet: Wallet,
    /// Its relay can be switched, so that the server may keep the wallet.
    pub relay: bool,
}

impl Model {
    const fn allows(self, wallet: Wallet) -> bool {
        match wallet {
            Wallet::Meter => matches!(self.wallet, Wallet::Meter),
            Wallet::Server => self.relay,
            Wallet::None => true,
        }
    }
}

/// The models that a file may name, by the names of their profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models {
    pub meters: BTreeMap<String, Model>,
    pub instruments: BTreeMap<String, InstrumentModel>,
}

/// A model of instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentModel {
    pub circuits: u8,
    /// The last register at which its first counter may be, so that all are registers.
    pub last_start: u16,
    /// It answers to its number, which has twelve digits.
    pub by_number: bool,
}

/// What a file contains.
#[derive(Debug, Default)]
pub struct Contents {
    /// The rows that are right by themselves.
    pub rows: SiteRows,
    /// What is right of the others.
    pub partial: PartialRows,
    /// The names of its sheets, as they stand in the file.
    pub titles: Vec<(Sheet, String)>,
    /// The columns of each sheet, in the order of the file.
    columns: Vec<(Sheet, Vec<Option<Column>>)>,
    pub problems: Vec<Problem>,
}

impl Contents {
    /// Nothing is known of the sheets that were not found, because something could not be read that may be one of them.
    fn miss_sheets(&mut self) {
        let found = |sheet: &Sheet| self.titles.iter().any(|(of, _)| of == sheet);
        self.partial.unread.extend(Sheet::ALL.into_iter().filter(|sheet| !found(sheet)));
    }

    /// A problem of a row that was read, as the file names its sheet and counts its columns.
    #[must_use]
    pub fn locate(&self, sheet: Sheet, row: u32, column: Column, fault: Fault) -> Problem {
        let title = self.titles.iter().find(|(of, _)| *of == sheet);
        let columns = self.columns.iter().find(|(of, _)| *of == sheet);
        let index = columns.and_then(|(_, columns)| columns.iter().position(|found| *found == Some(column)));
        Problem {
            sheet: title.map_or_else(|| sheet.as_str().to_owned(), |(_, title)| title.clone()),
            row: Some(row),
            column: index.and_then(|index| u32::try_from(index).ok()),
            fault,
        }
    }
}

/// Reads one file: an XLSX workbook or, where the bytes are none, a CSV file, whose sheet its name tells (`meters.csv`,
/// `电表.csv`). `models` are the known ones.
#[must_use]
pub fn read(name: &str, bytes: &[u8], models: &Models) -> Contents {
    let mut reader = FileReader::new(models);
    reader.add(name, bytes);
    reader.finish()
}

/// Reads several files as one workbook, table by table: of each only its rows are kept.
pub struct FileReader<'a> {
    models: &'a Models,
    contents: Contents,
    /// Files that cannot be read, by name.
    faults: Vec<(String, Fault)>,
    files: usize,
    tables: usize,
}

impl<'a> FileReader<'a> {
    #[must_use]
    pub fn new(models: &'a Models) -> Self {
        Self { models, contents: Contents::default(), faults: Vec::new(), files: 0, tables: 0 }
    }

    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.files += 1;
        let (contents, models, tables) = (&mut self.contents, self.models, &mut self.tables);
        let mut take = |table: &Table| {
            *tables += 1;
            sheets::take(contents, table, models);
        };
        let read = if bytes.len() > MAX_FILE_BYTES {
            Err(Fault::FileTooLarge(megabytes(MAX_FILE_BYTES)))
        } else if is_named_workbook(name) && !bytes.starts_with(b"PK") {
            Err(Fault::NotATable)
        } else if bytes.starts_with(b"PK") {
            xlsx::read(bytes, take)
        } else {
            csv_file::read(name, bytes).map(|table| take(&table))
        };
        if let Err(fault) = read {
            self.faults.push((name.to_owned(), fault));
        }
    }

    #[must_use]
    pub fn finish(self) -> Contents {
        let is_alone = self.files == 1;
        let named = |(name, fault): (String, Fault)| Problem {
            sheet: if is_alone { String::new() } else { name },
            row: None,
            column: None,
            fault,
        };
        let problems: Vec<Problem> = self.faults.into_iter().map(named).collect();
        let mut contents = self.contents;
        if self.tables == 0 && !problems.is_empty() {
            return Contents { problems, ..contents };
        }
        sheets::finish(&mut contents);
        if !problems.is_empty() {
            contents.miss_sheets();
        }
        contents.problems.splice(..0, problems);
        contents
    }
}

/// Whether the name is one of a spreadsheet, so that no CSV file is meant.
fn is_named_workbook(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| matches!(&*extension, "xlsx" | "xlsm" | "xls" | "ods"))
}

fn megabytes(bytes: usize) -> u32 {
    u32::try_from(bytes >> 20).unwrap_or(u32::MAX)
}
