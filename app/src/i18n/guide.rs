//! The operator's guide, in the order in which a new colleague needs it.

use super::Lang;
pub use super::catalogue::guide::*;

/// The anchors and texts of the chapters.
#[must_use]
pub const fn chapters(lang: Lang) -> [(&'static str, ChapterItemTexts); 11] {
    let t = texts(lang).chapter;
    [
        ("day", t.day),
        ("money", t.money),
        ("cash-desk", t.cash_desk),
        ("reconciliation", t.reconciliation),
        ("power", t.power),
        ("estate", t.estate),
        ("batch", t.batch),
        ("reading", t.reading),
        ("lost", t.lost),
        ("people", t.people),
        ("proof", t.proof),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn each_chapter_has_its_picture_in_each_language() {
        for lang in Lang::ALL {
            for (anchor, _) in chapters(lang) {
                let file = format!("{}/../public/guide/{}/{anchor}.webp", env!("CARGO_MANIFEST_DIR"), lang.tag());
                assert!(Path::new(&file).exists(), "{file} is missing: run `npm run screenshots` in end2end");
            }
        }
    }

    #[test]
    fn each_file_that_the_guide_names_exists() {
        for lang in Lang::ALL {
            let texts = chapters(lang).into_iter().flat_map(|(_, chapter)| chapter.parts).map(|part| part.text);
            let after = texts.flat_map(|text| text.split("https://YOUR-SITE/kiosk/").skip(1));
            let is_in_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            let files: BTreeSet<&str> = after.filter_map(|rest| rest.split(|c: char| !is_in_name(c)).next()).collect();
            assert_eq!(files.len(), 4, "{files:?}");
            for file in files {
                let path = format!("{}/../public/kiosk/{file}", env!("CARGO_MANIFEST_DIR"));
                assert!(Path::new(&path).exists(), "{path} is missing");
            }
        }
    }
}
