//! Reads the texts of all languages and checks that they have the same keys and arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// What every language says under one key; the vectors have one value per language, in the order of `Catalogue::languages`.
#[derive(Debug, PartialEq)]
pub enum Entry {
    Text {
        texts: Vec<String>,
        arguments: BTreeSet<String>,
    },
    /// A text that depends on the argument `count`; a language without `one` uses `other` for every count.
    Plural {
        one: Vec<Option<String>>,
        other: Vec<String>,
        arguments: BTreeSet<String>,
    },
    List(Vec<Entry>),
    Table(BTreeMap<String, Entry>),
}

#[derive(Debug, PartialEq)]
pub struct Catalogue {
    /// BCP 47 tags.
    pub languages: Vec<String>,
    pub areas: BTreeMap<String, Entry>,
}

/// The catalogue in a folder that has one folder per language, with one file per area.
pub fn read(locales: &Path) -> Result<Catalogue, String> {
    let mut folders = BTreeMap::new();
    for language in names(locales)? {
        let folder = locales.join(&language);
        let mut areas = Table::new();
        for file in names(&folder)? {
            let path = folder.join(&file);
            let area = file.strip_suffix(".toml").ok_or_else(|| format!("{} is not a TOML file", path.display()))?;
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let table = text.parse::<Table>().map_err(|error| format!("{}: {error}", path.display()))?;
            areas.insert(area.to_owned(), Value::Table(table));
        }
        folders.insert(language, areas);
    }
    merge(folders)
}

/// One catalogue from the texts of each language.
pub fn merge(folders: BTreeMap<String, Table>) -> Result<Catalogue, String> {
    let languages: Vec<String> = folders.keys().cloned().collect();
    let values: Vec<Value> = folders.into_values().map(Value::Table).collect();
    match entry(&languages, "", &values.iter().collect::<Vec<_>>())? {
        Entry::Table(areas) if !areas.is_empty() => Ok(Catalogue { languages, areas }),
        _ => Err("there are no texts".to_owned()),
    }
}

fn names(folder: &Path) -> Result<BTreeSet<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
}

fn entry(languages: &[String], path: &str, values: &[&Value]) -> Result<Entry, String> {
    if let Some(texts) = all(values, |value| value.as_str()) {
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        let arguments = same_arguments(languages, path, &texts)?;
        return Ok(Entry::Text { texts, arguments });
    }
    if let Some(lists) = all(values, |value| value.as_array()) {
        return list(languages, path, &lists);
    }
    let tables =
        all(values, |value| value.as_table()).ok_or_else(|| format!("{path} is not the same kind of value everywhere"))?;
    if tables.iter().all(|table| is_plural(table)) { plural(languages, path, &tables) } else { nested(languages, path, &tables) }
}

fn all<'a, T>(values: &[&'a Value], convert: impl Fn(&'a Value) -> Option<T>) -> Option<Vec<T>> {
    values.iter().map(|value| convert(value)).collect()
}

fn list(languages: &[String], path: &str, lists: &[&Vec<Value>]) -> Result<Entry, String> {
    let lengths: BTreeSet<usize> = lists.iter().map(|list| list.len()).collect();
    let (Some(length), 1) = (lengths.first(), lengths.len()) else {
        return Err(format!("{path} has lists of different lengths"));
    };
    let item = |index: usize| {
        let items: Vec<&Value> = lists.iter().filter_map(|list| list.get(index)).collect();
        entry(languages, &format!("{path}[{index}]"), &items)
    };
    (0..*length).map(item).collect::<Result<_, _>>().map(Entry::List)
}

fn nested(languages: &[String], path: &str, tables: &[&Table]) -> Result<Entry, String> {
    let keys: BTreeSet<&String> = tables.iter().flat_map(|table| table.keys()).collect();
    let mut entries = BTreeMap::new();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let mut values = Vec::new();
        for (language, table) in languages.iter().zip(tables) {
            values.push(table.get(key).ok_or_else(|| format!("{path} is missing in {language}"))?);
        }
        entries.insert(key.clone(), entry(languages, &path, &values)?);
    }
    Ok(Entry::Table(entries))
}

fn is_plural(table: &Table) -> bool {
    table.contains_key("other") && table.keys().all(|key| key == "one" || key == "other")
}

fn plural(languages: &[String], path: &str, tables: &[&Table]) -> Result<Entry, String> {
    let text = |table: &Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let one: Vec<Option<String>> = tables.iter().map(|table| text(table, "one")).collect();
    let other: Option<Vec<String>> = tables.iter().map(|table| text(table, "other")).collect();
    let other = other.ok_or_else(|| format!("{path}.other is not a text"))?;
    let arguments = same_arguments(languages, path, &other)?;
    if !arguments.contains("count") {
        return Err(format!("{path} depends on {{count}} and does not contain it"));
    }
    for text in one.iter().flatten() {
        if !arguments_of(path, text)?.is_subset(&arguments) {
            return Err(format!("{path}.one has arguments that {path}.other has not"));
        }
    }
    Ok(Entry::Plural { one, other, arguments })
}

fn same_arguments(languages: &[String], path: &str, texts: &[String]) -> Result<BTreeSet<String>, String> {
    let mut expected: Option<BTreeSet<String>> = None;
    for (language, text) in languages.iter().zip(texts) {
        if text.trim().is_empty() {
            return Err(format!("{path} is empty in {language}"));
        }
        let arguments = arguments_of(path, text)?;
        match &expected {
            None => expected = Some(arguments),
            Some(expected) if *expected == arguments => {}
            Some(expected) => {
                return Err(format!("{path} has the arguments {arguments:?} in {language}, elsewhere {expected:?}"));
            }
        }
    }
    Ok(expected.unwrap_or_default())
}

/// The names in braces.
fn arguments_of(path: &str, text: &str) -> Result<BTreeSet<String>, String> {
    let mut arguments = BTreeSet::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("{path} has an open brace"))?;
        let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !named || before.contains('}') {
            return Err(format!("{path} has braces around {name:?}, which is not the name of an argument"));
        }
        arguments.insert(name.to_owned());
        rest = after;
    }
    if rest.contains('}') { Err(format!("{path} has a closing brace alone")) } else { Ok(arguments) }
}
