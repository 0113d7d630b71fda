//! The machine that the server runs on: the space left where data is kept, the newest backup, and the server's own certificates.

use std::path::{Path, PathBuf};

use meters::{CertificateInUse, OwnCertificate};
use model::time::{HOUR, Timestamp};

/// Files of the backup directory that are looked at.
const MOST_FILES: usize = 10_000;
/// The age that stands for no backup at all, h.
const NEVER_H: i64 = 9_999;

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Where data is kept.
    pub data: PathBuf,
    /// Where backups are put; `None`: none is watched.
    pub backups: Option<PathBuf>,
    /// What this server shows to gateways.
    pub certificates: Vec<OwnCertificate>,
}

impl Host {
    /// The space that is left for this user, in percent of all; `None` where that cannot be read.
    pub async fn free_percent(&self) -> Option<i64> {
        let data = self.data.clone();
        tokio::task::spawn_blocking(move || free_percent(&data)).await.ok()?
    }

    /// Hours since the newest file of the backup directory was written; many where there is none. `None` where none is watched.
    pub async fn hours_since_backup(&self, now: Timestamp) -> Option<i64> {
        let directory = self.backups.clone()?;
        let newest = tokio::task::spawn_blocking(move || newest_file(&directory)).await.ok()?;
        Some(newest.map_or(NEVER_H, |at| now.since(at).div_euclid(HOUR).clamp(0, NEVER_H)))
    }

    /// The server's own certificates by key and file, as they are in use: not what a file holds that cannot be used. Where
    /// nothing is in use, why.
    pub async fn certificates(&self) -> Vec<(String, Result<CertificateInUse, String>)> {
        let own = self.certificates.clone();
        let read = move || own.iter().map(|one| (one.name(), one.in_use().map_err(|error| error.explained()))).collect();
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }
}

fn free_percent(path: &Path) -> Option<i64> {
    let found = rustix::fs::statvfs(path).ok()?;
    i64::try_from(u128::from(found.f_bavail) * 100 / u128::from(found.f_blocks.max(1))).ok()
}

fn newest_file(directory: &Path) -> Option<Timestamp> {
    let files = std::fs::read_dir(directory).ok()?.take(MOST_FILES).flatten();
    let written = files.filter_map(|file| file.metadata().ok().filter(std::fs::Metadata::is_file)?.modified().ok());
    let newest = written.max()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(newest.as_millis()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_file_is_the_backup() {
        let directory = tempfile::tempdir().unwrap();
        let backups = Some(directory.path().to_owned());
        let host = Host { data: directory.path().to_owned(), backups, certificates: Vec::new() };
        assert_eq!(host.hours_since_backup(Timestamp(0)).await, Some(NEVER_H), "empty");
        std::fs::write(directory.path().join("dormwatt.tar"), "x").unwrap();
        let written = newest_file(directory.path()).unwrap();
        assert_eq!(host.hours_since_backup(written.plus(26 * HOUR)).await, Some(26));
        assert_eq!(host.hours_since_backup(written.plus(-HOUR)).await, Some(0), "from the future");
        assert_eq!(Host { backups: None, ..host.clone() }.hours_since_backup(written).await, None);
        assert!(host.free_percent().await.is_some_and(|percent| (0..=100).contains(&percent)));
        assert_eq!(Host { data: "/no/such/place".into(), ..host }.free_percent().await, None);
    }
}
