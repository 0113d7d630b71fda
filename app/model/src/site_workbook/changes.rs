//! What an import does, row by row.

use std::fmt;

use super::{Column, Counts, Problem, Sheet};
use crate::gateway::Framing;
use crate::meter::Wallet;
use crate::money::Fen;
use crate::parameters::{PlanEntry, TierPeriod};
use crate::tariff::DayTable;
use crate::word_enum;

word_enum! {
    /// What an import does with a row.
    pub enum RowEffect {
        Created = "created",
        Changed = "changed",
        Unchanged = "unchanged",
    }
}

/// The value of a cell; pages say it in words and units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellValue {
    Blank,
    Text(String),
    Framing(Framing),
    Wallet(Wallet),
    Period(TierPeriod),
    Amount(Fen),
    /// 0.0001 yuan/kWh.
    Price(u32),
    Seconds(i64),
    Kwh(i64),
    DayTable(DayTable),
    DatePlan(Vec<PlanEntry>),
}

impl CellValue {
    /// Text; empty text is a blank cell.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Blank } else { Self::Text(text) }
    }
}

/// As the cell of a file has it.
impl fmt::Display for CellValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Framing(framing) => f.write_str(framing.as_str()),
            Self::Wallet(wallet) => f.write_str(wallet.as_str()),
            Self::Period(period) => f.write_str(period.as_str()),
            Self::Amount(amount) => amount.fmt(f),
            Self::Price(price) => write!(f, "{}.{:04}", price / 10_000, price % 10_000),
            Self::Seconds(number) | Self::Kwh(number) => number.fmt(f),
            Self::DayTable(table) => table.fmt(f),
            Self::DatePlan(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    write!(f, "{}{entry}", if index == 0 { "" } else { " " })?;
                }
                Ok(())
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellChange {
    pub column: Column,
    pub before: CellValue,
    pub after: CellValue,
}

/// A row and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    pub sheet: Sheet,
    /// From 1, as spreadsheets count.
    pub row: u32,
    pub effect: RowEffect,
    /// What the row is about, by the names that people know it by.
    pub subject: String,
    /// What differs; of a row that is created, its money.
    pub changes: Vec<CellChange>,
}

/// What an import does, or what is in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// In the order of [`Sheet::ALL`].
    pub counts: [Counts; Sheet::ALL.len()],
    /// The first [`Self::LISTED`] of each sheet and effect, sheet by sheet.
    pub rows: Vec<RowChange>,
    /// The first [`Self::SHOWN`].
    pub problems: Vec<Problem>,
    /// How many there are.
    pub problem_count: u32,
}

impl Preview {
    /// The most problems that are listed.
    pub const SHOWN: usize = 200;
    /// The most rows of a sheet with the same effect that are listed.
    pub const LISTED: usize = 20;

    /// Nothing is created or changed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.counts.iter().all(|counts| counts.created == 0 && counts.changed == 0)
    }
}
