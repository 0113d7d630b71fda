//! The thread that writes the state file, with one fsync for many lines.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

type Done = oneshot::Sender<Result<(), String>>;

/// Jobs of the thread; each is answered when it is on disk.
pub(super) enum Job {
    Append(Vec<u8>, Done),
    Begin(Done),
    Rewrite(Vec<u8>, Done),
}

pub(super) struct Writer {
    path: PathBuf,
    file: File,
    /// Length of the file up to its last complete line on disk.
    good: u64,
    /// Lines appended since a rewrite started.
    since_rewrite: Option<Vec<u8>>,
}

impl Writer {
    pub(super) const fn new(path: PathBuf, file: File, good: u64) -> Self {
        Self { path, file, good, since_rewrite: None }
    }

    /// Runs until all senders are gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let (mut text, mut waiting) = (Vec::new(), Vec::new());
            let mut other = None;
            for job in std::iter::once(first).chain(jobs.try_iter()) {
                match job {
                    Job::Append(line, done) => {
                        text.extend(line);
                        waiting.push(done);
                    }
                    job => {
                        other = Some(job);
                        break;
                    }
                }
            }
            if !waiting.is_empty() {
                let written = self.append(&text).map_err(|error| error.to_string());
                waiting.into_iter().for_each(|done| answer(done, written.clone()));
            }
            match other {
                Some(Job::Begin(done)) => {
                    self.since_rewrite = Some(Vec::new());
                    answer(done, Ok(()));
                }
                Some(Job::Rewrite(text, done)) => {
                    let written = self.rewrite(text).map_err(|error| error.to_string());
                    answer(done, written);
                }
                _ => {}
            }
        }
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(text).and_then(|()| self.file.sync_data()) {
            // A partial line must not precede the next one.
            self.file.set_len(self.good)?;
            return Err(error);
        }
        self.good += text.len() as u64;
        if let Some(since_rewrite) = &mut self.since_rewrite {
            since_rewrite.extend(text);
        }
        Ok(())
    }

    fn rewrite(&mut self, mut text: Vec<u8>) -> io::Result<()> {
        text.extend(self.since_rewrite.take().unwrap_or_default());
        let new_path = self.path.with_added_extension("new");
        // Left behind by an earlier attempt.
        std::fs::remove_file(&new_path).ok();
        let mut file = File::options().append(true).create_new(true).open(&new_path)?;
        file.try_lock()?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&new_path, &self.path)?;
        if let Some(directory) = self.path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            File::open(directory)?.sync_all()?;
        }
        (self.file, self.good) = (file, text.len() as u64);
        Ok(())
    }
}

/// The requester may be gone.
fn answer(done: Done, result: Result<(), String>) {
    done.send(result).ok();
}
