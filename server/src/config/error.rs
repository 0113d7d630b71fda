//! What is wrong with the configuration: which key, where it was given, and what belongs there. Values are never repeated,
//! because a secret may stand in the wrong place.

use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A key or a value that cannot be used, with its place.
    #[error("{0}")]
    Key(String),
}

impl ConfigError {
    /// A value of the right type that makes no sense; `problem` begins with the key.
    #[must_use]
    pub fn unusable(problem: &str, file: Option<&Path>) -> Self {
        let place = file.map_or_else(|| "the configuration".to_owned(), |file| file.display().to_string());
        Self::Key(format!("{place}: {problem}"))
    }

    /// Text that is not TOML.
    pub(super) fn syntax(error: &toml::de::Error, text: &str, file: &Path) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        Self::Key(format!("{} line {}: {}", file.display(), before.matches('\n').count() + 1, error.message()))
    }

    /// A key that does not exist, or a value of another type.
    pub(super) fn value(place: &str, message: &str) -> Self {
        let expected = message.split_once(", expected ").map(|(_, expected)| expected);
        let problem = match expected {
            Some(known) if message.starts_with("unknown field") => format!("there is no such key; there are {known}"),
            Some(expected) => format!("expected {expected}"),
            None => message.to_owned(),
        };
        Self::Key(format!("{place}: {problem}"))
    }
}
