//! The texts of all languages: what is in the files, and what the build refuses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../build/catalogue.rs"]
mod catalogue;

use std::collections::BTreeMap;
use std::path::Path;

use catalogue::{Catalogue, Entry};
use model::language::Lang;

fn merge(zh: &str, en: &str) -> Result<Catalogue, String> {
    let table = |text: &str| text.parse().unwrap();
    catalogue::merge(BTreeMap::from([("en".to_owned(), table(en)), ("zh-CN".to_owned(), table(zh))]))
}

/// Calls `check` with the key and the text of each entry in the language at `index`.
fn walk(entry: &Entry, path: &str, index: usize, check: &mut dyn FnMut(&str, &str)) {
    match entry {
        Entry::Text { texts, .. } => check(path, &texts[index]),
        Entry::Plural { one, other, .. } => {
            check(path, &other[index]);
            one[index].iter().for_each(|one| check(path, one));
        }
        Entry::List(items) => items.iter().for_each(|item| walk(item, path, index, check)),
        Entry::Table(entries) => entries.iter().for_each(|(key, entry)| walk(entry, &format!("{path}.{key}"), index, check)),
    }
}

#[test]
fn every_language_has_the_same_keys_and_arguments() {
    let catalogue = catalogue::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("locales")).unwrap();
    let tags: Vec<&str> = catalogue.languages.iter().map(String::as_str).collect();
    assert!(Lang::ALL.iter().all(|lang| tags.contains(&lang.tag())) && tags.len() == Lang::ALL.len(), "{tags:?}");
    for (index, language) in tags.iter().enumerate() {
        let mut texts = 0;
        for (area, entry) in &catalogue.areas {
            walk(entry, area, index, &mut |key, text| {
                texts += 1;
                assert!(!text.is_empty() && text.trim() == text, "{language}: {key} is empty or has blanks around it");
                assert!(*language != "en" || !text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{language}: {key}");
            });
        }
        assert!(texts > 1_000, "{language} has only {texts} texts");
    }
}

#[test]
fn missing_keys_and_other_arguments_fail_the_build() {
    for (zh, en, message) in [
        ("[a]\nb = '甲'\nc = '乙'", "[a]\nb = 'x'", "a.c is missing in en"),
        ("[a]\nb = '甲'", "[a]\nb = 'x'\nc = 'y'", "a.c is missing in zh-CN"),
        ("[a]\nb = '甲 {n}'", "[a]\nb = 'x'", "a.b has the arguments {\"n\"} in zh-CN, elsewhere {}"),
        ("[a]\nb = '甲 {n}'", "[a]\nb = 'x {m}'", "a.b has the arguments"),
        ("[a]\nb = ' '", "[a]\nb = 'x'", "a.b is empty in zh-CN"),
        ("[a]\nb = '甲'", "[a]\nb = ['x']", "a.b is not the same kind"),
        ("[a]\nb = ['甲']", "[a]\nb = ['x', 'y']", "a.b has lists of different lengths"),
        ("[a]\nb = '{n'", "[a]\nb = '{n}'", "a.b has an open brace"),
        ("[a]\nb = '{other = 1}'", "[a]\nb = '{n}'", "a.b has braces around"),
        ("[a.b]\nother = '甲'", "[a.b]\nother = 'x'", "a.b depends on {count}"),
    ] {
        let refused = merge(zh, en).unwrap_err();
        assert!(refused.contains(message), "{refused}");
    }
    assert!(merge("[a.b]\nother = '{count} 间'", "[a.b]\none = '1 room'\nother = '{count} rooms'").is_ok());
}
