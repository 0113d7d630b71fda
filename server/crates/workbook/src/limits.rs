//! Limits on a file that is read, before and after it is unpacked.

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
/// Most tags of the formats, and the longest of them with the text behind it, bytes: some thousand formats with their fonts.
pub(crate) const MAX_STYLE_TAGS: u64 = 40_000;
pub(crate) const MAX_STYLE_TAG: u64 = 2_048;
/// Most tags of the texts: a million texts have four million.
pub(crate) const MAX_TEXT_TAGS: u64 = 4_000_000;
