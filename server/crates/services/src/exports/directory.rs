//! Where finished files lie: a directory of this process alone, in which a file has the id of its export as its name.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::rng::Rng;
use model::ids::{ExportId, Uuid};
use model::time::Timestamp;

/// Processes that may share a configuration on one machine: each takes a directory of its own.
const MOST: usize = 8;
/// Holds the id of the directory, and the lock of the process that has it.
const OWNER: &str = "owner";

/// The directory of this process, made when the first file is asked for.
pub struct ExportFiles {
    base: PathBuf,
    rng: Rng,
    opened: Mutex<Option<Arc<Directory>>>,
}

/// A directory that this process holds.
pub struct Directory {
    pub id: Uuid,
    path: PathBuf,
    owner: File,
}

impl ExportFiles {
    #[must_use]
    pub const fn new(base: PathBuf, rng: Rng) -> Self {
        Self { base, rng, opened: Mutex::new(None) }
    }

    /// The directory, where there is one already.
    pub fn found(&self, at: Timestamp) -> Result<Option<Arc<Directory>>> {
        self.open(at, false)
    }

    /// The directory, which is made where there is none.
    pub fn made(&self, at: Timestamp) -> Result<Arc<Directory>> {
        self.open(at, true)?.ok_or_else(|| Error::new(ErrorKind::ResourceBusy, "other processes have all directories of exports"))
    }

    /// Leaves the directory to the next process.
    pub fn close(&self) {
        if let Some(directory) = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever still holds it only writes what nobody reads.
            let _ = directory.owner.unlock();
        }
    }

    fn open(&self, at: Timestamp, may_make: bool) -> Result<Option<Arc<Directory>>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.is_some() {
            return Ok(opened.clone());
        }
        for number in 1..=MOST {
            let path = numbered(&self.base, number);
            if !may_make && !path.exists() {
                continue;
            }
            if let Some(directory) = Directory::take(path, || self.rng.id(at))? {
                *opened = Some(Arc::new(directory));
                break;
            }
        }
        Ok(opened.clone())
    }
}

/// `exports`, `exports-2` and so on.
fn numbered(base: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return base.to_owned();
    }
    let mut name = base.as_os_str().to_owned();
    name.push(format!("-{number}"));
    name.into()
}

impl Directory {
    /// Takes a directory that no other process has.
    fn take(path: PathBuf, new_id: impl FnOnce() -> Uuid) -> Result<Option<Self>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        let mut owner =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path.join(OWNER))?;
        match owner.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = String::new();
        owner.read_to_string(&mut text)?;
        let id = match text.parse() {
            Ok(id) => id,
            Err(_) => {
                let id = new_id();
                owner.rewind()?;
                owner.set_len(0)?;
                owner.write_all(id.to_string().as_bytes())?;
                owner.sync_all()?;
                id
            }
        };
        Ok(Some(Self { id, path, owner }))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, id: ExportId) -> PathBuf {
        self.path.join(id.to_string())
    }

    /// A new file, which nobody else may read.
    pub fn create(&self, id: ExportId) -> Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(self.file(id))
    }

    pub fn read(&self, id: ExportId) -> Result<File> {
        File::open(self.file(id))
    }

    pub fn remove(&self, id: ExportId) -> Result<()> {
        match fs::remove_file(self.file(id)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The files that are there.
    pub fn list(&self) -> Result<HashSet<ExportId>> {
        let entries = fs::read_dir(&self.path)?.collect::<Result<Vec<_>>>()?;
        // Anything else in the directory is not ours.
        Ok(entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_795_600_000_000);

    fn files(base: &Path, seed: u8) -> ExportFiles {
        ExportFiles::new(base.join("exports"), Rng::from_seed([seed; 32]))
    }

    #[test]
    fn each_process_has_a_directory_of_its_own() {
        let base = tempfile::tempdir().unwrap();
        let (first, second) = (files(base.path(), 1), files(base.path(), 2));
        assert!(first.found(AT).unwrap().is_none(), "none is made before it is needed");
        let (one, other) = (first.made(AT).unwrap(), second.made(AT).unwrap());
        assert!(one.id != other.id && one.path() != other.path());
        first.close();
        // The next process with this configuration has what was there.
        let next = files(base.path(), 3).found(AT).unwrap().unwrap();
        assert_eq!((next.id, next.path()), (one.id, one.path()));
    }

    #[test]
    fn files_are_known_by_their_ids() {
        let base = tempfile::tempdir().unwrap();
        let files = files(base.path(), 1);
        let directory = files.made(AT).unwrap();
        let id = ExportId(Uuid::from_u128(7));
        directory.create(id).unwrap().write_all(b"x").unwrap();
        fs::write(directory.path().join("notes.txt"), "of a person").unwrap();
        assert_eq!(directory.list().unwrap(), HashSet::from([id]));
        let mode = std::os::unix::fs::PermissionsExt::mode(&directory.read(id).unwrap().metadata().unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "nobody else reads it");
        directory.remove(id).unwrap();
        directory.remove(id).unwrap();
        assert!(directory.list().unwrap().is_empty() && directory.read(id).is_err());
    }
}
