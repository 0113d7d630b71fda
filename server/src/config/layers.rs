//! The layers of the configuration: defaults, a TOML file, then `DORMWATT_SECTION__KEY` from the environment.
//!
//! A variable is text. Whether `0123` is a number is decided by the type of its key alone, so a text key keeps its leading zeros:
//! each variable is read as text first, and as a TOML value only where its key does not take text.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::ConfigError;

/// What every variable of the configuration begins with.
const PREFIX: &str = "DORMWATT_";

/// A variable that names a key.
struct Variable {
    name: String,
    path: Vec<String>,
    /// Its text, until it was read as a TOML value.
    text: Option<String>,
}

/// Reads the file, if one is named, and the variables over it. `set_aside` may take a wrong key out of the table; it says whether
/// it did.
///
/// # Errors
/// Names the key, and the file or variable where it was given.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    variables: impl Iterator<Item = (String, String)>,
    mut set_aside: impl FnMut(&mut Table, &str, &ConfigError) -> bool,
) -> Result<T, ConfigError> {
    let mut table = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
            text.parse::<Table>().map_err(|error| ConfigError::syntax(&error, &text, path))?
        }
        None => Table::new(),
    };
    let mut given = BTreeMap::new();
    for (name, text) in variables {
        // Variables without a section (`DORMWATT_CONFIG`, ...) are no keys of the file.
        let Some(key) = name.strip_prefix(PREFIX).filter(|key| key.contains("__")) else { continue };
        let path: Vec<String> = key.to_lowercase().split("__").map(str::to_owned).collect();
        set(&mut table, &path, Value::String(text.clone()));
        given.insert(path.join("."), Variable { name, path, text: Some(text) });
    }
    loop {
        let error = match serde_path_to_error::deserialize(table.clone()) {
            Ok(config) => return Ok(config),
            Err(error) => error,
        };
        let key = error.path().to_string();
        let message = error.inner().message();
        let place = match (given.get_mut(&key), file) {
            // Each turn takes the text of one variable, so this ends.
            (Some(variable), _) => match variable.text.take().and_then(|text| literal(&text)) {
                Some(value) => {
                    set(&mut table, &variable.path, value);
                    continue;
                }
                None => format!("{} in the environment", variable.name),
            },
            (None, Some(file)) if key == "." || key.is_empty() => file.display().to_string(),
            (None, Some(file)) => format!("{key} in {}", file.display()),
            (None, None) => format!("{PREFIX}{} in the environment", key.replace('.', "__").to_uppercase()),
        };
        let error = ConfigError::value(&place, message);
        if !set_aside(&mut table, &key, &error) {
            return Err(error);
        }
    }
}

/// The text as a TOML value that is not text.
fn literal(text: &str) -> Option<Value> {
    let table = format!("value = {}", text.trim()).parse::<Table>().ok()?;
    table.into_iter().next().map(|(_, value)| value).filter(|value| !value.is_str())
}

/// Puts a value where the path leads; tables on the way are made, and what is no table is replaced.
fn set(table: &mut Table, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    let next = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
    if !next.is_table() {
        *next = Value::Table(Table::new());
    }
    if let Value::Table(next) = next {
        set(next, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        section: Section,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Section {
        number: u16,
        text: String,
        on: bool,
        list: Vec<String>,
        deep: Option<Deep>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Deep {
        text: String,
        ratio: f64,
    }

    fn from(variables: &[(&str, &str)]) -> Result<Section, String> {
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        load::<Example>(None, variables, |_, _, _| false).map(|example| example.section).map_err(|error| error.to_string())
    }

    #[test]
    fn the_type_of_the_key_decides_what_a_variable_is() {
        let section = from(&[
            ("DORMWATT_SECTION__NUMBER", "8080"),
            ("DORMWATT_SECTION__TEXT", "0123"),
            ("DORMWATT_SECTION__ON", "true"),
            ("DORMWATT_SECTION__LIST", r#"["a", "007"]"#),
            ("DORMWATT_SECTION__DEEP__TEXT", "1e3"),
            ("DORMWATT_SECTION__DEEP__RATIO", "0.5"),
            ("DORMWATT_CONFIG", "ignored"),
            ("PATH", "ignored"),
        ]);
        let deep = Some(Deep { text: "1e3".into(), ratio: 0.5 });
        let list = vec!["a".into(), "007".into()];
        assert_eq!(section, Ok(Section { number: 8080, text: "0123".into(), on: true, list, deep }));
    }

    #[test]
    fn text_keys_take_any_text() {
        for text in ["", "true", "2026-11-28", "[]", "{ a = 1 }", "00000000", "\"quoted\"", "0x10"] {
            assert_eq!(from(&[("DORMWATT_SECTION__TEXT", text)]).map(|section| section.text), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_wrong_variable_is_named_without_its_value() {
        for (name, text) in [
            ("DORMWATT_SECTION__NUMBER", "hunter2"),
            ("DORMWATT_SECTION__NUMBER", "70000"),
            ("DORMWATT_SECTION__NUMBER", "\"1\""),
            ("DORMWATT_SECTION__ON", "hunter2"),
            ("DORMWATT_SECTION__NOSUCH", "hunter2"),
            ("DORMWATT_SECTION", "hunter2__"),
        ] {
            if name == "DORMWATT_SECTION" {
                assert!(from(&[(name, text)]).is_ok(), "no section, no key");
                continue;
            }
            let error = from(&[(name, text)]).unwrap_err();
            assert!(error.contains(name) && !error.contains("hunter2") && !error.contains("70000"), "{error}");
        }
    }
}
