//! Anchors of the audit chain outside the database: one a line in a file, the newest last. Who can write to the database but not
//! to this file cannot cut lines off the chain unnoticed. The file is only ever appended to, as `chattr +a` demands.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use store::audit::{self, Anchor};
use store::{Db, StoreError};

/// Ends a line that a crash cut off, when the next one is appended.
const TORN: &str = "# torn";
/// Bytes of a line's hash.
const HASH_BYTES: usize = 32;

/// A file of anchors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error("audit.anchor_file {file}: {source}")]
    File { file: String, source: std::io::Error },
    #[error("audit.anchor_file {file}: line {line} is not an anchor")]
    Line { file: String, line: usize },
    #[error("audit.anchor_file {file}: line {line} does not come after the line before")]
    Order { file: String, line: usize },
    #[error(
        "audit.anchor_file {file}: line {seq} of the audit chain is missing in the database or another one there. Somebody cut \
         or changed the chain, put an older database back, or the file is of another database: no anchor is added to it \
         (dormwatt verify)"
    )]
    Foreign { file: String, seq: i64 },
    #[error("the audit chain cannot be read")]
    Store(#[from] StoreError),
}

/// The anchors in a file, as number and hash of their lines; none where there is no file yet. A last line that a crash cut
/// off is no anchor.
///
/// # Errors
/// Where it cannot be read, a line is something else, or does not come after the one before.
pub fn read(file: &Path) -> Result<Vec<(i64, Vec<u8>)>, AnchorError> {
    parse_all(file, &text(file)?)
}

fn text(file: &Path) -> Result<String, AnchorError> {
    match std::fs::read(file) {
        // What a crash leaves at the end may be anything.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(AnchorError::File { file: file.display().to_string(), source }),
    }
}

fn parse_all(file: &Path, text: &str) -> Result<Vec<(i64, Vec<u8>)>, AnchorError> {
    let name = || file.display().to_string();
    let mut anchors: Vec<(i64, Vec<u8>)> = Vec::new();
    for (line, text) in (1..).zip(text.split_inclusive('\n')) {
        if text.trim().is_empty() || text.trim_end().ends_with(TORN) {
            continue;
        }
        match parse(text) {
            Some((seq, _)) if anchors.last().is_some_and(|(before, _)| *before >= seq) => {
                return Err(AnchorError::Order { file: name(), line });
            }
            Some(anchor) => anchors.push(anchor),
            None if !text.ends_with('\n') => {}
            None => return Err(AnchorError::Line { file: name(), line }),
        }
    }
    Ok(anchors)
}

/// Day, time, number, hash.
fn parse(line: &str) -> Option<(i64, Vec<u8>)> {
    let mut words = line.split_whitespace().skip(2);
    let (seq, hash) = (words.next()?.parse().ok()?, hex::decode(words.next()?).ok()?);
    (words.next().is_none() && hash.len() == HASH_BYTES).then_some((seq, hash))
}

/// Whether the database has the line that the file names last, and so all before it; `verify` looks for each. Gives the
/// number of anchors.
///
/// # Errors
/// [`AnchorError::Foreign`] where it has not, otherwise as [`read`].
pub async fn check(db: &Db, file: &Path) -> Result<usize, AnchorError> {
    let anchors = read(file)?;
    let last = anchors.last().map(std::slice::from_ref).unwrap_or_default();
    match audit::missing_anchors(db, last).await?.first() {
        Some(&seq) => Err(AnchorError::Foreign { file: file.display().to_string(), seq }),
        None => Ok(anchors.len()),
    }
}

/// Appends an anchor, durably and with one write, unless the file ends with it.
///
/// # Errors
/// Where the file cannot be read or written, or ends with a later line.
pub fn append(file: &Path, anchor: &Anchor) -> Result<bool, AnchorError> {
    let name = || file.display().to_string();
    let before = text(file)?;
    match parse_all(file, &before)?.last() {
        Some((seq, hash)) if *seq == anchor.seq && *hash == anchor.hash => return Ok(false),
        Some((seq, _)) if *seq >= anchor.seq => return Err(AnchorError::Foreign { file: name(), seq: *seq }),
        _ => {}
    }
    let last = before.split_inclusive('\n').next_back().unwrap_or_default();
    let end_of_last = match last.ends_with('\n') || last.is_empty() {
        true => String::new(),
        // Only its end was cut off.
        false if parse(last).is_some() => "\n".to_owned(),
        false => format!(" {TORN}\n"),
    };
    let line = format!("{end_of_last}{} {} {}\n", anchor.at, anchor.seq, hex::encode(&anchor.hash));
    let write = || {
        let mut opened: File = OpenOptions::new().create(true).append(true).open(file)?;
        opened.write_all(line.as_bytes())?;
        opened.sync_all()
    };
    write().map_err(|source| AnchorError::File { file: name(), source })?;
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

    #[test]
    fn a_line_that_a_crash_cut_off_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let anchor = |seq| Anchor { seq, at: Timestamp(1_795_600_000_000), hash: vec![seq as u8; 32] };
        let whole = directory.path().join("whole.txt");
        assert!(append(&whole, &anchor(1)).unwrap() && append(&whole, &anchor(2)).unwrap());
        let bytes = std::fs::read(&whole).unwrap();
        let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in first..bytes.len() {
            let file = directory.path().join(format!("{end}.txt"));
            std::fs::write(&file, &bytes[..end]).unwrap();
            // Of the second line only the end of line may be missing.
            let is_whole = end + 1 == bytes.len();
            assert_eq!(read(&file).unwrap().len(), 1 + usize::from(is_whole), "{end} bytes");
            assert_eq!(append(&file, &anchor(2)).unwrap(), !is_whole);
            assert!(append(&file, &anchor(3)).unwrap());
            assert_eq!(read(&file).unwrap(), [1, 2, 3].map(|seq| (seq, vec![seq as u8; 32])), "{end} bytes");
            assert!(std::fs::read(&file).unwrap().starts_with(&bytes[..end]), "only appended to");
        }
    }

    #[test]
    fn an_earlier_line_is_not_appended() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("anchors.txt");
        let anchor = |seq, hash| Anchor { seq, at: Timestamp(1_795_600_000_000), hash: vec![hash; 32] };
        assert!(append(&file, &anchor(7, 1)).unwrap());
        for (seq, hash) in [(6, 1), (7, 2)] {
            assert!(append(&file, &anchor(seq, hash)).unwrap_err().to_string().contains("line 7 of the audit chain is missing"));
        }
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}{text}")).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("line 2 does not come after"));
    }
}
