//! The serial port.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use serial2_tokio::SerialPort;
use tokio::time::timeout;

use crate::at::{Lines, Token};
use crate::error::ModemFailure;

/// A modem that takes no bytes for so long hangs.
const WRITE: Duration = Duration::from_secs(5);

pub(crate) struct Port {
    port: SerialPort,
    lines: Lines,
    /// Held as long as the port: two servers on one line would read each other's answers.
    _lock: File,
}

impl Port {
    pub fn open(device: &Path, baud: u32) -> std::io::Result<Self> {
        // Without waiting for a carrier, which a modem has only in a call.
        let lock = rustix::fs::open(device, OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        let lock = File::from(lock);
        lock.try_lock().map_err(|_| std::io::ErrorKind::ResourceBusy)?;
        let port = SerialPort::open(device, baud)?;
        // A modem talks only to a terminal that is ready; what has no such lines, as a pseudo-terminal, refuses.
        let _ = port.set_dtr(true).and_then(|()| port.set_rts(true));
        Ok(Self { port, lines: Lines::default(), _lock: lock })
    }

    pub async fn write(&self, bytes: &[u8]) -> Result<(), ModemFailure> {
        timeout(WRITE, self.port.write_all(bytes)).await.map_err(|_| ModemFailure::Silent)?.map_err(ModemFailure::Port)
    }

    /// The next line or prompt. Nothing is lost where this is dropped.
    pub async fn token(&mut self) -> Result<Token, ModemFailure> {
        loop {
            if let Some(token) = self.lines.pop() {
                return Ok(token);
            }
            let mut chunk = [0; 512];
            match self.port.read(&mut chunk).await? {
                0 => return Err(ModemFailure::Port(std::io::ErrorKind::UnexpectedEof.into())),
                read => self.lines.push(chunk.get(..read).unwrap_or_default()),
            }
        }
    }

    /// Drops what has arrived until nothing more does.
    pub async fn drain(&mut self, quiet: Duration, most: Duration) -> Result<(), ModemFailure> {
        let port = &self.port;
        let drained = async {
            let mut chunk = [0; 512];
            while let Ok(read) = timeout(quiet, port.read(&mut chunk)).await {
                if read? == 0 {
                    return Err(ModemFailure::Port(std::io::ErrorKind::UnexpectedEof.into()));
                }
            }
            Ok(())
        };
        let ended = timeout(most, drained).await.unwrap_or(Err(ModemFailure::Garbage));
        self.lines.clear();
        ended
    }
}
