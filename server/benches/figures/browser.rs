//! What only a browser can tell: scripts in `end2end/figures` measure it, and print it as JSON.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Outcome;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/figures");

/// Runs a script with its task; ends it where it takes longer than that.
pub async fn run(script: &str, task: &Value, within: Duration) -> Outcome<Value> {
    let mut command = Command::new("node");
    command.arg(Path::new(FOLDER).join(script)).arg(task.to_string()).stdin(Stdio::null()).kill_on_drop(true);
    let ended = timeout(within, command.output()).await.map_err(|_| format!("{script} took longer than {within:?}"))?;
    let output = ended.map_err(|error| format!("node: {error}"))?;
    if !output.status.success() {
        return Err(format!("{script}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
