//! Loads the built-in profiles and those of a directory. Problems are reported with file and line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::check::findings;
use super::{Plan, Profile};
use crate::instruments::InstrumentProfiles;

macro_rules! embedded {
    ($($file:literal),* $(,)?) => { &[$(($file, include_str!(concat!("../../profiles/", $file)))),*] };
}

const EMBEDDED: &[(&str, &str)] = embedded![
    "acrel-ddsy1352.toml",
    "acrel-dtsy1352.toml",
    "chint-ddsu666.toml",
    "dlt645.toml",
    "eastron-sdm320y.toml",
    "eastron-sdm530y.toml",
    "generic-float.toml",
    "generic-integer.toml",
    "hiking-dds238.toml",
    "rpp.toml",
];

/// A problem of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileProblem {
    pub file: String,
    /// Line number, starting at 1.
    pub line: usize,
    /// Path of the key, such as `block[1].values[3].step`; empty for a syntax error.
    pub key: String,
    pub message: String,
}

impl fmt::Display for ProfileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Why profiles cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("meter profile {file} cannot be read")]
    Io {
        file: String,
        #[source]
        source: std::io::Error,
    },
    /// Problems in the contents.
    #[error("meter profile {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nmeter profile "))]
    Wrong(Vec<ProfileProblem>),
}

impl Profile {
    /// Parses and checks a profile; `file` is used in messages only.
    ///
    /// # Errors
    /// [`ProfileError::Wrong`] with all problems.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let mut profile: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let (key, message) = (String::new(), error.message().to_owned());
            ProfileError::Wrong(vec![ProfileProblem { file: file.into(), line, key, message }])
        })?;
        let found = findings(&profile).0;
        if found.is_empty() {
            profile.plan = Plan::of(&profile);
            return Ok(profile);
        }
        let problem =
            |(key, message): (String, String)| ProfileProblem { file: file.into(), line: line_of_key(text, &key), key, message };
        Err(ProfileError::Wrong(found.into_iter().map(problem).collect()))
    }

    /// Reads a profile from a file.
    ///
    /// # Errors
    /// [`ProfileError`] if the file cannot be read or has problems.
    pub fn open(file: &str) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(file).map_err(|source| ProfileError::Io { file: file.into(), source })?;
        Self::parse(file, &text)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

/// The line of a key, or of the nearest enclosing key that is present.
fn line_of_key(text: &str, key: &str) -> usize {
    let Ok(root) = DeTable::parse(text) else { return 1 };
    let mut offset = 0;
    let mut table = Some(root.get_ref());
    let mut array = None;
    for part in key.split(['.', '[']) {
        let found = if let Some(index) = part.strip_suffix(']') {
            array.and_then(|array: &toml::de::DeArray<'_>| array.get(index.parse::<usize>().ok()?))
        } else {
            table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == part)).map(|(_, value)| value)
        };
        let Some(value) = found else { break };
        offset = value.span().start;
        (table, array) = match value.get_ref() {
            DeValue::Table(table) => (Some(table), None),
            DeValue::Array(array) => (None, Some(array)),
            _ => (None, None),
        };
    }
    line_of(text, offset)
}

/// All profiles, by name.
#[derive(Clone, Debug)]
pub struct Profiles {
    meters: Arc<BTreeMap<String, Arc<Profile>>>,
    instruments: InstrumentProfiles,
}

impl Profiles {
    /// Loads the built-in profiles, then those of a directory, which may replace them.
    ///
    /// # Errors
    /// [`ProfileError`] for a file that cannot be read, or with the problems of all files.
    pub fn load(directory: Option<&str>) -> Result<Self, ProfileError> {
        let mut all = BTreeMap::new();
        let mut problems = Vec::new();
        let built_in = EMBEDDED.iter().map(|(file, text)| Profile::parse(file, text));
        let added = directory.map(toml_files).transpose()?.unwrap_or_default();
        for read in built_in.chain(added.iter().map(|file| Profile::open(file))) {
            match read {
                Ok(profile) => drop(all.insert(profile.name.clone(), Arc::new(profile))),
                Err(ProfileError::Wrong(more)) => problems.extend(more),
                Err(error) => return Err(error),
            }
        }
        if !problems.is_empty() {
            return Err(ProfileError::Wrong(problems));
        }
        Ok(Self { meters: Arc::new(all), instruments: InstrumentProfiles::load(directory)? })
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Profile>> {
        self.meters.get(name).cloned()
    }

    /// In alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.meters.values()
    }

    /// Those of instruments, which are in the folder `instruments` of the directory.
    #[must_use]
    pub const fn instruments(&self) -> &InstrumentProfiles {
        &self.instruments
    }
}

/// The TOML files of a directory, in order.
pub(crate) fn toml_files(directory: &str) -> Result<Vec<String>, ProfileError> {
    let failed = |source| ProfileError::Io { file: directory.into(), source };
    let mut files = Vec::new();
    for entry in Path::new(directory).read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path.display().to_string());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RPP: &str = include_str!("../../profiles/rpp.toml");

    fn problems(text: &str) -> Vec<String> {
        match Profile::parse("a.toml", text) {
            Err(ProfileError::Wrong(problems)) => problems.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The reference profile with one mistake, and the line of it.
    fn wrong(right: &str, wrong: &str) -> (usize, String) {
        let at = RPP.find(right).unwrap_or_else(|| panic!("no {right}"));
        (line_of(RPP, at), RPP.replacen(right, wrong, 1))
    }

    #[test]
    fn syntax_errors_name_file_and_line() {
        let (line, text) = wrong("rates = 4", "rates = \"four\"");
        assert_eq!(problems(&text), [format!("a.toml, line {line}: invalid type: string \"four\", expected u8")]);
        let (line, text) = wrong("relay = true", "relays = true");
        let messages = problems(&text).concat();
        assert!(messages.starts_with(&format!("a.toml, line {line}: unknown field `relays`")), "{messages}");
    }

    #[test]
    fn semantic_errors_name_file_line_and_key() {
        for (right, bad, key, message) in [
            ("0x011F, type = \"u16\"", "0x0126, type = \"u16\"", "block[1].values[17].address", "Tamper is outside the block"),
            ("registers = 17", "registers = 0", "block[0].registers", "must be 1 or more, and end within the address range"),
            ("version = 1, bit = 0", "version = 3, bit = 0", "secured.versions[0]", "must be version 1 or 2 at bit 0 to 15"),
            ("max_registers = 125", "max_registers = 126", "max_registers", "must be 1 to 125"),
            ("journal = true", "journal = false", "abilities.journal", "must be true exactly if there is a [[journal]]"),
        ] {
            let (line, text) = wrong(right, bad);
            let expected = format!("a.toml, line {line}: {key}: {message}");
            assert!(problems(&text).contains(&expected), "{expected}\n{:#?}", problems(&text));
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let text = RPP.replacen("max_registers = 125", "max_registers = 0", 1).replacen("rates = 4", "rates = 3", 1);
        let messages = problems(&text);
        assert!(
            messages.iter().any(|p| p.contains("max_registers:")) && messages.iter().any(|p| p.contains("abilities.rates:")),
            "{messages:#?}"
        );
    }

    #[test]
    fn a_directory_adds_profiles() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("other.toml"), RPP.replace("name = \"rpp\"", "name = \"other\"")).unwrap();
        std::fs::write(dir.path().join("notes.txt"), "not a profile").unwrap();
        let profiles = Profiles::load(Some(dir.path().to_str().unwrap())).unwrap();
        assert!(profiles.get("other").is_some() && profiles.get("rpp").is_some());
        assert!(Profiles::load(Some("/no/such/directory")).is_err());
    }
}
