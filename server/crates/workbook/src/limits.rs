//! How much is read.

/// The largest file, bytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// The largest workbook when it is unpacked, bytes: 10,000 rooms take about ten million.
pub(crate) const MAX_PLAIN_BYTES: usize = 96 << 20;
/// Most files inside a workbook.
pub(crate) const MAX_ENTRIES: usize = 500;
/// Most rows of a sheet, with its head.
pub(crate) const MAX_ROWS: u32 = 50_001;
/// Columns that are read; more are ignored where they are empty and unknown where they are not.
pub(crate) const MAX_COLUMNS: u32 = 64;
/// Most characters of a cell.
pub(crate) const MAX_CHARACTERS: usize = 1_000;
