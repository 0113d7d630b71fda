//! The state file: what meters keep through a power cut.
//!
//! The file consists of JSON lines, each with the whole state of one meter; the last line of a meter counts. A line is on disk
//! before the command that caused it is answered. Energy needs no lines of its own: load is a function of time, so a restart
//! catches up from the last line and computes the same energy. From time to time the file is rewritten with one line per meter.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::clock::Anchor;
use super::meter::Meter;

mod writer;

use writer::{Job, Writer};

/// A line for writing.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum StateLine<'a> {
    Clock(Anchor),
    Meter { gateway: usize, unit: u8, memory: &'a Meter },
}

/// A line for reading.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredLine {
    Clock(Anchor),
    Meter { gateway: usize, unit: u8, memory: Box<Meter> },
}

/// Contents of a state file.
#[derive(Debug, Default)]
pub struct Restored {
    /// The course of site time.
    pub anchor: Option<Anchor>,
    /// By gateway index and unit.
    pub meters: HashMap<(usize, u8), Meter>,
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("state file {}: {source}", .file.display())]
    Io { file: PathBuf, source: io::Error },
    #[error("state file {}: in use by another simulator", .0.display())]
    InUse(PathBuf),
    /// A line other than the last is invalid.
    #[error("state file {}, line {line}: not written by this simulator", .file.display())]
    Line { file: PathBuf, line: usize },
}

/// An open state file.
pub struct StateFile {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl StateFile {
    /// Opens or creates a file and reads its contents. A truncated last line is dropped: its command was never answered.
    ///
    /// # Errors
    /// [`StateError`] with the file.
    pub fn open(path: &Path) -> Result<(Self, Restored), StateError> {
        let fail = |source| StateError::Io { file: path.to_owned(), source };
        let file = File::options().read(true).append(true).create(true).open(path).map_err(fail)?;
        if !file.metadata().map_err(fail)?.is_file() {
            return Err(fail(io::Error::other("not a regular file")));
        }
        if file.try_lock().is_err() {
            return Err(StateError::InUse(path.to_owned()));
        }
        let text = std::fs::read(path).map_err(fail)?;
        let (restored, good) = restore(path, &text)?;
        file.set_len(good).map_err(fail)?;
        let (jobs, queue) = mpsc::channel();
        let writer = Writer::new(path.to_owned(), file, good);
        let thread = std::thread::Builder::new().name("sim-state".into()).spawn(move || writer.run(&queue)).map_err(fail)?;
        Ok((Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) }, restored))
    }

    /// Writes a meter's state to disk.
    ///
    /// # Errors
    /// Why it could not be written.
    pub async fn append(&self, gateway: usize, unit: u8, meter: &Meter) -> Result<(), String> {
        let line = encode(&StateLine::Meter { gateway, unit, memory: meter })?;
        self.submit(|done| Job::Append(line, done)).await
    }

    /// Writes the course of site time to disk.
    ///
    /// # Errors
    /// Why it could not be written.
    pub async fn append_clock(&self, anchor: Anchor) -> Result<(), String> {
        let line = encode(&StateLine::Clock(anchor))?;
        self.submit(|done| Job::Append(line, done)).await
    }

    /// Starts a rewrite: lines appended from now on are also kept in memory, to follow the rewritten contents.
    ///
    /// # Errors
    /// If the file is closed.
    pub async fn begin_rewriting(&self) -> Result<(), String> {
        self.submit(Job::Begin).await
    }

    /// Replaces the file by the state of all meters, followed by the lines since [`StateFile::begin_rewriting`].
    ///
    /// # Errors
    /// Why the old file was kept.
    pub async fn rewrite(&self, anchor: Anchor, meters: &[(usize, u8, Meter)]) -> Result<(), String> {
        let mut text = encode(&StateLine::Clock(anchor))?;
        for (gateway, unit, memory) in meters {
            text.extend(encode(&StateLine::Meter { gateway: *gateway, unit: *unit, memory })?);
        }
        self.submit(|done| Job::Rewrite(text, done)).await
    }

    /// Finishes pending writes and closes the file.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            thread.join().ok();
        }
    }

    async fn submit(&self, job: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Job) -> Result<(), String> {
        let (done, answer) = oneshot::channel();
        let sent = match &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(jobs) => jobs.send(job(done)).is_ok(),
            None => false,
        };
        if !sent {
            return Err("the state file is closed".into());
        }
        answer.await.unwrap_or_else(|_| Err("the state file is closed".into()))
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        self.close();
    }
}

fn encode(line: &StateLine<'_>) -> Result<Vec<u8>, String> {
    let mut text = serde_json::to_vec(line).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(text)
}

/// Parses the complete lines; returns their contents and length in bytes.
fn restore(path: &Path, text: &[u8]) -> Result<(Restored, u64), StateError> {
    let mut restored = Restored::default();
    let mut good = 0;
    for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let Some(whole) = line.strip_suffix(b"\n") else { break };
        match serde_json::from_slice(whole) {
            Ok(StoredLine::Clock(anchor)) => restored.anchor = Some(anchor),
            Ok(StoredLine::Meter { gateway, unit, memory }) => {
                restored.meters.insert((gateway, unit), *memory);
            }
            Err(_) => return Err(StateError::Line { file: path.to_owned(), line: index + 1 }),
        }
        good += line.len() as u64;
    }
    Ok((restored, good))
}

#[cfg(test)]
mod tests;
