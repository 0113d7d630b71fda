//! The bytes of a connection: one request out, its whole answer in.
//!
//! A gateway passes a late answer on to whoever is connected by then. So an answer is read to its last byte and not beyond, and
//! anything received before a request or after an answer is out of step. On the bare bus of a transparent gateway no number ties
//! an answer to its request either: a fresh connection there begins with listening until the bus has been silent for longer than
//! a meter may be late.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::LinkError;
use super::target::Stream;
use crate::decoding::{OutOfStep, Progress};

/// More bytes than this on a bus without a request are no late answers: another master is on it.
const MAX_LATE: usize = 4_096;
/// The longest that a broadcast is on the wire, and nothing says when it has ended: 22 bytes at 1200 baud.
const BROADCAST: Duration = Duration::from_millis(250);

/// The longest answer of any framing, and one byte to notice that there is more.
const LONGEST: usize = 281;

#[derive(Debug)]
pub(super) struct Transport(Box<dyn Stream>);

impl Transport {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self(stream)
    }

    /// Waits until nothing has been received for so long; what is received belongs to requests that timed out.
    pub(super) async fn settle(&mut self, silence: Duration) -> std::io::Result<()> {
        let mut total = 0;
        let mut bytes = [0; 256];
        while let Ok(read) = timeout(silence, self.0.read(&mut bytes)).await {
            total += match read? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => count,
            };
            if total > MAX_LATE {
                return Err(Error::other("the bus is never silent: another master is on it"));
            }
        }
        Ok(())
    }

    /// Sends one request and receives its whole answer, as `answer` checks it.
    ///
    /// # Errors
    /// [`LinkError::Broken`] where the connection ends, or anything but that answer is received.
    pub(super) async fn exchange<T>(
        &mut self,
        request: &[u8],
        answer: impl Fn(&[u8]) -> Result<Progress<T>, OutOfStep>,
    ) -> Result<T, LinkError> {
        self.send(request).await?;
        // Everything available is read at once, which shows whether there is more than the answer.
        let (mut received, mut expected) = (Vec::with_capacity(LONGEST), 0);
        let whole = loop {
            match answer(received.get(..expected).unwrap_or_default()).map_err(|_| LinkError::Broken)? {
                Progress::Whole(whole) => break whole,
                Progress::More(missing) => expected += missing,
            }
            while received.len() < expected {
                match self.0.read_buf(&mut received).await {
                    Ok(1..) => {}
                    _ => return Err(LinkError::Broken),
                }
            }
        };
        if received.len() > expected || self.is_disturbed() { Err(LinkError::Broken) } else { Ok(whole) }
    }

    /// Sends one request that nothing answers.
    ///
    /// # Errors
    /// [`LinkError::Broken`] where the connection ends, or anything is received.
    pub(super) async fn broadcast(&mut self, request: &[u8]) -> Result<(), LinkError> {
        self.send(request).await?;
        sleep(BROADCAST).await;
        if self.is_disturbed() { Err(LinkError::Broken) } else { Ok(()) }
    }

    async fn send(&mut self, request: &[u8]) -> Result<(), LinkError> {
        self.0.write_all(request).await.map_err(|_| LinkError::Broken)?;
        self.0.flush().await.map_err(|_| LinkError::Broken)
    }

    /// Whether bytes are there that answer no request, or the gateway has closed.
    pub(super) fn is_disturbed(&mut self) -> bool {
        self.0.read(&mut [0]).now_or_never().is_some()
    }
}
