//! Files that people have made in the background: of what, how far they are, and how long they are offered.

use std::fmt;
use std::str::FromStr;

use crate::ids::ExportId;
use crate::permission::Permission;
use crate::report::ReportKind;
use crate::saved_report::ReportFile;
use crate::time::{DAY, Date, Timestamp};
use crate::word_enum;

/// How long a file is offered, ms.
pub const OFFERED: i64 = DAY;
/// Files of one person that wait or are being made.
pub const MAX_PENDING: i64 = 3;
/// Files of one person, with those that are offered.
pub const MAX_KEPT: i64 = 10;
/// Bytes of the choice in an address.
pub const MAX_QUERY: usize = 1_000;
/// The largest file, bytes.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// The most rows of a workbook that is made in the background; CSV is bounded by its bytes alone.
pub const MAX_WORKBOOK_ROWS: i64 = 500_000;

word_enum! {
    /// Lists, by the word of the address of their files.
    pub enum ExportList {
        /// Sales, returns, refunds and shifts.
        Register = "register",
        /// The operation log.
        Audit = "audit",
        /// The history of one meter.
        Readings = "readings",
        /// What every meter showed last.
        Meters = "meters",
    }

    /// How far a file is.
    pub enum ExportState {
        Waiting = "waiting",
        Running = "running",
        /// It is offered.
        Ready = "ready",
        Failed = "failed",
        Cancelled = "cancelled",
        /// It was offered for a day, and is removed.
        Expired = "expired",
    }

    /// Why a file was not made.
    pub enum ExportTrouble {
        /// The rights of whoever asked for it changed, or they are not an operator any more.
        NotAllowed = "not_allowed",
        /// Its place, room or meter is not there any more.
        NoSuchPlace = "no_such_place",
        /// More meters and days than the report may have.
        TooLarge = "too_large",
        /// More rows than a workbook may have.
        TooManyRows = "too_many_rows",
        /// The file would be larger than [`MAX_FILE_BYTES`].
        FileTooLarge = "file_too_large",
        /// It took longer than anything may.
        TooSlow = "too_slow",
        /// The disk of the server is full.
        NoSpace = "no_space",
        /// The server ended while it was being made, more than once.
        Interrupted = "interrupted",
        /// The server could not make it; its log says why.
        Failed = "failed",
    }
}

/// What a file is made of. Its text is the address of its files without their ending: `reports/energy`, `register`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportSource {
    Report(ReportKind),
    List(ExportList),
}

impl ExportList {
    /// What an operator must be allowed to have it.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Register => Permission::Money,
            Self::Audit => Permission::Audit,
            Self::Readings | Self::Meters => Permission::Watch,
        }
    }
}

impl ExportSource {
    /// What an operator must be allowed to have it.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Report(kind) => kind.permission(),
            Self::List(list) => list.permission(),
        }
    }
}

impl fmt::Display for ExportSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(kind) => write!(f, "reports/{}", kind.as_str()),
            Self::List(list) => f.write_str(list.as_str()),
        }
    }
}

/// The text names no report and no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoExportSource;

impl FromStr for ExportSource {
    type Err = NoExportSource;

    fn from_str(text: &str) -> Result<Self, NoExportSource> {
        let source = match text.strip_prefix("reports/") {
            Some(kind) => ReportKind::parse(kind).map(Self::Report),
            None => ExportList::parse(text).map(Self::List),
        };
        source.ok_or(NoExportSource)
    }
}

impl ExportState {
    /// Whether something is still being done.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// A file that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub id: ExportId,
    pub source: ExportSource,
    /// The place, room, meter or text that it is about; empty for all.
    pub about: String,
    pub days: Option<(Date, Date)>,
    pub file: ReportFile,
    pub state: ExportState,
    pub trouble: Option<ExportTrouble>,
    /// So far, or altogether.
    pub rows: i64,
    /// Of the finished file.
    pub bytes: i64,
    pub asked_at: Timestamp,
    /// Until when it is offered.
    pub until: Option<Timestamp>,
    /// Whether the process that was asked has its file.
    pub is_here: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_the_address_of_its_files() {
        let lists = ExportList::ALL.map(ExportSource::List);
        for source in ReportKind::ALL.map(ExportSource::Report).into_iter().chain(lists) {
            assert_eq!(source.to_string().parse(), Ok(source));
        }
        for bad in ["", "reports/", "reports/register", "sales", "/register", "reports/../audit"] {
            assert_eq!(bad.parse::<ExportSource>(), Err(NoExportSource), "{bad}");
        }
    }
}
