//! What is wrong with the configuration, said so that it can be mended: which key, in which file, and what belongs there.

use std::path::{Path, PathBuf};

use figment::error::Kind;

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
    /// A value of the right form that makes no sense; `problem` begins with the key.
    #[must_use]
    pub fn unusable(problem: &str, file: Option<&Path>) -> Self {
        let place = file.map_or_else(|| "the configuration".to_owned(), |file| file.display().to_string());
        Self::Key(format!("{place}: {problem}"))
    }

    /// figment's error in one line, with the place.
    pub(super) fn explain(error: figment::Error, file: Option<&Path>) -> Self {
        let lines: Vec<String> = error.into_iter().map(|one| line(&one, file)).collect();
        Self::Key(lines.join("\n"))
    }
}

fn line(error: &figment::Error, file: Option<&Path>) -> String {
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    let key = path.join(".");
    let from_environment = error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment"));
    let place = match file {
        _ if from_environment => format!("DORMWATT_{} in the environment", path.join("__").to_uppercase()),
        Some(file) if key.is_empty() => file.display().to_string(),
        Some(file) => format!("{key} in {}", file.display()),
        None => format!("DORMWATT_{} in the environment", path.join("__").to_uppercase()),
    };
    let problem = match &error.kind {
        Kind::UnknownField(_, known) => {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("there is no such key; there are {}", known.join(", "))
        }
        // Values are left out: this may be a secret that stands in the wrong place.
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("expected {expected}"),
        Kind::UnknownVariant(_, known) => format!("expected one of {}", known.join(", ")),
        other => other.to_string(),
    };
    format!("{place}: {problem}")
}
