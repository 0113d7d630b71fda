//! Where log lines go: standard error, so that a command's own output can be piped.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, Log, LogFormat};

pub fn start(log: &Log) -> Result<(), ConfigError> {
    // sqlx logs every slow statement and migration at info; our own events cover what matters.
    let filter = EnvFilter::try_new(format!("warn,sqlx=error,{}", log.level)).map_err(|_| bad_filter())?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

fn bad_filter() -> ConfigError {
    ConfigError::unusable("log.level must be a filter such as info or info,server::meters=debug", None)
}
