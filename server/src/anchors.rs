//! Anchors of the audit chain outside the database: one a line in a file, the newest last. Who can write to the database but not
//! to this file cannot cut lines off the chain unnoticed.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use store::audit::Anchor;

/// A file of anchors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error("audit.anchor_file {file}: {source}")]
    File { file: String, source: std::io::Error },
    #[error("audit.anchor_file {file}: line {line} is not an anchor")]
    Line { file: String, line: usize },
}

/// The anchors in a file, as number and hash of their lines; none where there is no file yet.
///
/// # Errors
/// Where it cannot be read, or a line is something else.
pub fn read(file: &Path) -> Result<Vec<(i64, Vec<u8>)>, AnchorError> {
    let name = || file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(AnchorError::File { file: name(), source }),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(n, line)| parse(line).ok_or_else(|| AnchorError::Line { file: name(), line: n + 1 })).collect()
}

/// Day, time, number, hash.
fn parse(line: &str) -> Option<(i64, Vec<u8>)> {
    let mut words = line.split_whitespace().skip(2);
    let (seq, hash) = (words.next()?.parse().ok()?, hex::decode(words.next()?).ok()?);
    words.next().is_none().then_some((seq, hash))
}

/// Appends an anchor, durably, unless the file ends with it.
///
/// # Errors
/// Where the file cannot be read or written.
pub fn append(file: &Path, anchor: &Anchor) -> Result<bool, AnchorError> {
    if read(file)?.last().is_some_and(|(seq, _)| *seq == anchor.seq) {
        return Ok(false);
    }
    let write = || {
        let mut opened: File = OpenOptions::new().create(true).append(true).open(file)?;
        writeln!(opened, "{} {} {}", anchor.at, anchor.seq, hex::encode(&anchor.hash))?;
        opened.sync_all()
    };
    write().map_err(|source| AnchorError::File { file: file.display().to_string(), source })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Timestamp;

    #[test]
    fn anchors_are_appended_once_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("anchors.txt");
        assert_eq!(read(&file).unwrap(), []);
        let anchor = |seq| Anchor { seq, at: Timestamp(1_795_600_000_000), hash: vec![seq as u8; 32] };
        assert!(append(&file, &anchor(1)).unwrap());
        assert!(!append(&file, &anchor(1)).unwrap());
        assert!(append(&file, &anchor(7)).unwrap());
        assert_eq!(read(&file).unwrap(), [(1, vec![1; 32]), (7, vec![7; 32])]);
        std::fs::write(&file, "2026-11-29 01:00:00 seven ab\n").unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("line 1"));
    }
}
