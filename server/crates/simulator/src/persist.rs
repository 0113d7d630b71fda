//! The meters' memory in a file: what a meter keeps through a power cut.
//!
//! The file is a journal of lines of JSON, each with the whole memory of one meter; the last line of a meter counts. A
//! line is on disk before the command that caused it is answered. Energy needs no lines of its own: load is a function
//! of time, so a restart makes up for the time since the last line and finds the same energy again. From time to time
//! the file is rewritten with one line a meter.

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

/// A line, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Clock(Anchor),
    Meter { gateway: usize, unit: u8, memory: &'a Meter },
}

/// A line, as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Restoring {
    Clock(Anchor),
    Meter { gateway: usize, unit: u8, memory: Box<Meter> },
}

/// What a file remembers.
#[derive(Debug, Default)]
pub struct Restored {
    /// How site time ran.
    pub anchor: Option<Anchor>,
    /// By gateway and unit.
    pub meters: HashMap<(usize, u8), Meter>,
}

/// The state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be opened, read or written.
    #[error("state file {}: {source}", .file.display())]
    Io { file: PathBuf, source: io::Error },
    /// Another simulator has it open.
    #[error("state file {}: in use by another simulator", .0.display())]
    InUse(PathBuf),
    /// A line in its middle cannot be read.
    #[error("state file {}, line {line}: not written by this simulator", .file.display())]
    Line { file: PathBuf, line: usize },
}

/// The open state file.
pub struct StateFile {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl StateFile {
    /// Opens or creates a file and reads what it remembers. A last line that was cut short is dropped: its command was
    /// never answered.
    ///
    /// # Errors
    /// [`StateError`] names the file.
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

    /// Puts a meter's memory on disk.
    ///
    /// # Errors
    /// Why it is not there.
    pub async fn append(&self, gateway: usize, unit: u8, meter: &Meter) -> Result<(), String> {
        let line = encode(&Line::Meter { gateway, unit, memory: meter })?;
        self.ask(|done| Job::Append(line, done)).await
    }

    /// Puts the course of site time on disk.
    ///
    /// # Errors
    /// Why it is not there.
    pub async fn append_clock(&self, anchor: Anchor) -> Result<(), String> {
        let line = encode(&Line::Clock(anchor))?;
        self.ask(|done| Job::Append(line, done)).await
    }

    /// From now on lines are kept aside, too, so that a rewriting that began before them does not lose them.
    ///
    /// # Errors
    /// The file cannot be written any more.
    pub async fn begin_rewriting(&self) -> Result<(), String> {
        self.ask(Job::Begin).await
    }

    /// Replaces the file by what all meters remember, and the lines since [`StateFile::begin_rewriting`] behind it.
    ///
    /// # Errors
    /// Why the old file had to stay.
    pub async fn rewrite(&self, anchor: Anchor, meters: &[(usize, u8, Meter)]) -> Result<(), String> {
        let mut text = encode(&Line::Clock(anchor))?;
        for (gateway, unit, memory) in meters {
            text.extend(encode(&Line::Meter { gateway: *gateway, unit: *unit, memory })?);
        }
        self.ask(|done| Job::Rewrite(text, done)).await
    }

    /// Waits for what is under way and closes the file.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            thread.join().ok();
        }
    }

    async fn ask(&self, job: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Job) -> Result<(), String> {
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

fn encode(line: &Line<'_>) -> Result<Vec<u8>, String> {
    let mut text = serde_json::to_vec(line).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(text)
}

/// What the whole lines say, and how many bytes they take.
fn restore(path: &Path, text: &[u8]) -> Result<(Restored, u64), StateError> {
    let mut restored = Restored::default();
    let mut good = 0;
    for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let Some(whole) = line.strip_suffix(b"\n") else { break };
        match serde_json::from_slice(whole) {
            Ok(Restoring::Clock(anchor)) => restored.anchor = Some(anchor),
            Ok(Restoring::Meter { gateway, unit, memory }) => {
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
