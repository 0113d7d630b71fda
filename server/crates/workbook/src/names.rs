//! How the titles of sheets and columns are recognised. Files are read in either language, whatever the language of the reader.

use model::language::Lang;
use model::site_workbook::{Column, Sheet};

/// The sheet of notes that the template has.
pub const NOTES: [&str; 2] = ["说明", "Notes"];

pub fn is_notes(title: &str) -> bool {
    NOTES.iter().any(|notes| notes.eq_ignore_ascii_case(title.trim()))
}

/// The sheet of a title in either language, or of its word.
pub fn sheet(title: &str) -> Option<Sheet> {
    Sheet::ALL.into_iter().find(|sheet| is_title(title, [sheet.title(Lang::Zh), sheet.title(Lang::En), sheet.as_str()]))
}

/// The column of a title among those of a sheet. A star marks what must be filled and does not count.
pub fn column(sheet: Sheet, title: &str) -> Option<Column> {
    let title = title.trim_end_matches(['*', '＊', ' ']);
    sheet.columns().iter().map(|(column, _)| *column).find(|column| {
        let titles = [column.title(Lang::Zh), column.title(Lang::En), column.as_str()];
        is_title(title, titles) || column.former_titles().iter().any(|former| is_title(title, [former]))
    })
}

/// Full-width brackets and spaces do not count, nor does case.
fn is_title<const N: usize>(title: &str, names: [&str; N]) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|c| !c.is_whitespace());
        letters
            .map(|c| match c {
                '（' => '(',
                '）' => ')',
                c => c.to_ascii_lowercase(),
            })
            .collect()
    };
    let title = plain(title);
    names.into_iter().any(|name| plain(name) == title)
}
