//! The bytes of a bus, as a transparent gateway passes them on.
//!
//! An answer carries no number that ties it to its request, and a gateway passes a late one on to whoever is connected by then.
//! So an answer is read to its last byte and not beyond; anything that lies there before a request or after an answer is out of
//! step; and a fresh connection begins with listening, for longer than a meter may be late, until the bus is silent.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::LinkError;
use super::target::Stream;
use crate::meters::framing::{OutOfStep, Progress};

/// More than this on a bus that nobody asks is no late answer: something else is master there.
const MOST_LATE: usize = 4_096;
/// A broadcast is on the wire for this long at most, and nothing says when it has ended: 22 bytes at 1200 baud.
const BROADCAST: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Bus(Box<dyn Stream>);

impl Bus {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self(stream)
    }

    /// Waits until nothing has come for so long; what comes belongs to requests that were given up.
    pub(super) async fn settle(&mut self, silence: Duration) -> Result<()> {
        let mut heard = 0;
        let mut bytes = [0; 256];
        while let Ok(read) = timeout(silence, self.0.read(&mut bytes)).await {
            heard += match read? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => count,
            };
            if heard > MOST_LATE {
                return Err(Error::other("the bus is never silent: another master is on it"));
            }
        }
        Ok(())
    }

    /// One request and its whole answer, as `answer` reads it.
    pub(super) async fn exchange<T>(
        &mut self,
        request: &[u8],
        answer: impl Fn(&[u8]) -> std::result::Result<Progress<T>, OutOfStep>,
    ) -> std::result::Result<T, LinkError> {
        self.send(request).await?;
        let mut came = Vec::new();
        let whole = loop {
            match answer(&came).map_err(|_| LinkError::Broken)? {
                Progress::Whole(whole) => break whole,
                Progress::More(missing) => {
                    let start = came.len();
                    came.resize(start + missing, 0);
                    let rest = came.get_mut(start..).unwrap_or_default();
                    self.0.read_exact(rest).await.map_err(|_| LinkError::Broken)?;
                }
            }
        };
        if self.is_disturbed() { Err(LinkError::Broken) } else { Ok(whole) }
    }

    /// One request that nothing answers.
    pub(super) async fn tell(&mut self, request: &[u8]) -> std::result::Result<(), LinkError> {
        self.send(request).await?;
        tokio::time::sleep(BROADCAST).await;
        if self.is_disturbed() { Err(LinkError::Broken) } else { Ok(()) }
    }

    async fn send(&mut self, request: &[u8]) -> std::result::Result<(), LinkError> {
        if self.is_disturbed() {
            return Err(LinkError::Broken);
        }
        self.0.write_all(request).await.map_err(|_| LinkError::Broken)?;
        self.0.flush().await.map_err(|_| LinkError::Broken)
    }

    /// Something lies there that nobody asked for, or the gateway has closed.
    fn is_disturbed(&mut self) -> bool {
        self.0.read(&mut [0]).now_or_never().is_some()
    }
}
