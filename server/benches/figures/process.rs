//! A child process and its resource usage as the kernel reports it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// Clock ticks of `/proc` in a second: fixed by the kernel's interface.
const TICKS: f64 = 100.0;

/// `dormwatt`, or another program, with some arguments; killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it; its output goes to a file.
    pub fn start(log: &Path, arguments: &[String]) -> Outcome<Self> {
        Self::start_program(Path::new(env!("CARGO_BIN_EXE_dormwatt")), log, arguments)
    }

    /// The same with another program.
    pub fn start_program(program: &Path, log: &Path, arguments: &[String]) -> Outcome<Self> {
        let (out, err) = (File::create(log)?, File::options().append(true).open(log)?);
        let mut command = Command::new(program);
        let child = command.args(arguments).stdin(Stdio::null()).stdout(out).stderr(err).spawn()?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Leaves it one processor.
    pub fn confine(&self, processor: usize) -> Outcome<()> {
        let mut command = Command::new("taskset");
        command.args(["--all-tasks", "--pid", "--cpu-list", &processor.to_string(), &self.child.id().to_string()]);
        let done = command.stdout(Stdio::null()).status().map_err(|error| format!("taskset (util-linux): {error}"))?;
        if done.success() { Ok(()) } else { Err("taskset refuses".into()) }
    }

    pub fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// CPU seconds since it started, user and system.
    pub fn cpu(&self) -> Outcome<f64> {
        cpu_of(&self.child.id().to_string())
    }

    /// Resident memory, bytes.
    pub fn resident(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024.0)
    }

    /// The last lines of its output.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n")
    }
}

/// CPU seconds of that process, or of `self`, since it started, user and system.
pub fn cpu_of(process: &str) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything; the third field follows it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).ok_or("an unknown /proc/stat");
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
