//! How far a file is, and what ends it: shared by whoever writes it and whoever watches.

use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use model::export::ExportTrouble;

#[derive(Debug, Default)]
pub struct Gauge {
    rows: AtomicI64,
    is_stopped: AtomicBool,
    trouble: OnceLock<ExportTrouble>,
}

impl Gauge {
    /// Rows so far.
    pub fn rows(&self) -> i64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Counts a row; `false` where no more are to be written: it is stopped, or it would be more than `most`.
    pub fn count(&self, most: i64) -> bool {
        if self.is_stopped() {
            return false;
        }
        if self.rows() >= most {
            self.fail(ExportTrouble::TooManyRows);
            return false;
        }
        self.rows.fetch_add(1, Ordering::Relaxed);
        true
    }

    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Stops it for a reason; the first one counts.
    pub fn fail(&self, trouble: ExportTrouble) {
        let _ = self.trouble.set(trouble);
        self.stop();
    }

    /// Whether it may be taken as complete.
    pub fn outcome(&self) -> std::result::Result<(), ExportTrouble> {
        match self.trouble.get() {
            Some(trouble) => Err(*trouble),
            None if self.is_stopped() => Err(ExportTrouble::Failed),
            None => Ok(()),
        }
    }
}

/// A file that is bounded, and takes nothing any more where its gauge is stopped.
pub struct Measured<W> {
    out: W,
    bytes: u64,
    most: u64,
    gauge: Arc<Gauge>,
}

impl<W> Measured<W> {
    pub const fn new(out: W, most: u64, gauge: Arc<Gauge>) -> Self {
        Self { out, bytes: 0, most, gauge }
    }
}

impl Measured<File> {
    /// Its bytes, once they are on the disk.
    pub fn finish(self) -> Result<u64> {
        self.out.sync_all()?;
        Ok(self.bytes)
    }
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.gauge.is_stopped() {
            return Err(Error::other("it is stopped"));
        }
        if self.bytes + bytes.len() as u64 > self.most {
            self.gauge.fail(ExportTrouble::FileTooLarge);
            return Err(ErrorKind::FileTooLarge.into());
        }
        let written = self.out.write(bytes).inspect_err(|error| {
            if is_of_space(error) {
                self.gauge.fail(ExportTrouble::NoSpace);
            }
        })?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.out.flush()
    }
}

/// Whether the disk is full, or this user's share of it.
pub fn is_of_space(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_ends_at_its_bound() {
        let gauge = Arc::new(Gauge::default());
        let mut file = Measured::new(Vec::new(), 10, gauge.clone());
        file.write_all(b"12345678").unwrap();
        assert_eq!((file.bytes, gauge.outcome()), (8, Ok(())));
        assert_eq!(file.write_all(b"abc").unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!((file.out, gauge.outcome()), (b"12345678".to_vec(), Err(ExportTrouble::FileTooLarge)));
    }

    #[test]
    fn a_stopped_file_takes_nothing_more() {
        let gauge = Arc::new(Gauge::default());
        let mut file = Measured::new(Vec::new(), 10, gauge.clone());
        assert!(gauge.count(2) && gauge.rows() == 1);
        gauge.stop();
        assert!(!gauge.count(2) && gauge.rows() == 1);
        assert!(file.write_all(b"1").is_err() && file.out.is_empty());
        assert_eq!(gauge.outcome(), Err(ExportTrouble::Failed));
    }

    #[test]
    fn too_many_rows_are_a_trouble_of_their_own() {
        let gauge = Gauge::default();
        assert_eq!([gauge.count(2), gauge.count(2), gauge.count(2)], [true, true, false]);
        gauge.fail(ExportTrouble::NoSpace);
        assert_eq!((gauge.rows(), gauge.outcome()), (2, Err(ExportTrouble::TooManyRows)));
    }

    #[test]
    fn a_full_disk_is_told_from_other_errors() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> Result<usize> {
                Err(ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
        let gauge = Arc::new(Gauge::default());
        assert!(Measured::new(Full, 10, gauge.clone()).write_all(b"1").is_err());
        assert_eq!(gauge.outcome(), Err(ExportTrouble::NoSpace));
    }
}
