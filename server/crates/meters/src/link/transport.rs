//! The bytes of a connection: one request out, its whole answer in.
//!
//! A gateway passes a late answer on to whoever is connected by then. So an answer is read to its last byte and not beyond, and
//! anything received before a request or after an answer is out of step, but for the few stray bytes that adapters of a bare bus
//! add to good frames. On the bare bus of a transparent gateway no number ties
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

/// Adapters to RS-485 put stray bytes around frames when the driver of the bus turns round. So many belong to no answer.
const MOST_NOISE: usize = 4;

#[derive(Debug)]
pub(super) struct Transport {
    stream: Box<dyn Stream>,
    /// How many stray bytes around an answer are accepted.
    accepts: usize,
    /// Whether anything was received since the last request.
    heard: bool,
    /// How often stray bytes were accepted.
    noise: u64,
}

impl Transport {
    /// For frames that nothing disturbs: a stray byte is out of step.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, accepts: 0, heard: false, noise: 0 }
    }

    /// For the bare bus behind a transparent gateway.
    pub(super) fn of_bus(stream: Box<dyn Stream>) -> Self {
        Self { accepts: MOST_NOISE, ..Self::new(stream) }
    }

    /// Whether anything was received since the last request.
    pub(super) const fn has_heard(&self) -> bool {
        self.heard
    }

    /// How often stray bytes were accepted since the last call.
    pub(super) const fn take_noise(&mut self) -> u64 {
        std::mem::replace(&mut self.noise, 0)
    }

    /// Waits until nothing has been received for so long; what is received belongs to requests that timed out.
    pub(super) async fn settle(&mut self, silence: Duration) -> std::io::Result<()> {
        let mut total = 0;
        let mut bytes = [0; 256];
        while let Ok(read) = timeout(silence, self.stream.read(&mut bytes)).await {
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

    /// Sends one request and receives its whole answer, as `answer` checks it. On a bus a few stray bytes may come before and
    /// after it: they are skipped as long as they cannot begin the answer.
    ///
    /// # Errors
    /// [`LinkError::Broken`] where the connection ends; [`LinkError::Garbled`] where anything but that answer is received.
    pub(super) async fn exchange<T>(
        &mut self,
        request: &[u8],
        answer: impl Fn(&[u8]) -> Result<Progress<T>, OutOfStep>,
    ) -> Result<T, LinkError> {
        self.send(request).await?;
        // Everything available is read at once, which shows whether there is more than the answer.
        let (mut received, mut skipped, mut expected) = (Vec::with_capacity(LONGEST), 0, 0);
        let whole = loop {
            match answer(received.get(skipped..expected).unwrap_or_default()) {
                Ok(Progress::Whole(whole)) => break whole,
                Ok(Progress::More(missing)) => expected += missing,
                Err(OutOfStep) if skipped < self.accepts => skipped += 1,
                Err(OutOfStep) => return Err(LinkError::Garbled),
            }
            expected = expected.max(skipped);
            while received.len() < expected {
                match self.stream.read_buf(&mut received).await {
                    Ok(1..) => self.heard = true,
                    _ => return Err(LinkError::Broken),
                }
            }
        };
        self.take_stray(skipped + received.len() - expected).map(|()| whole)
    }

    /// Sends one request that nothing answers.
    ///
    /// # Errors
    /// As [`Transport::exchange`].
    pub(super) async fn broadcast(&mut self, request: &[u8]) -> Result<(), LinkError> {
        self.send(request).await?;
        sleep(BROADCAST).await;
        self.take_stray(0)
    }

    async fn send(&mut self, request: &[u8]) -> Result<(), LinkError> {
        self.heard = false;
        self.stream.write_all(request).await.map_err(|_| LinkError::Broken)?;
        self.stream.flush().await.map_err(|_| LinkError::Broken)
    }

    /// Whether more than stray bytes are there that answer no request, or the gateway has closed.
    pub(super) fn is_disturbed(&mut self) -> bool {
        self.take_stray(0).is_err()
    }

    /// Takes the bytes that are there although nothing is expected, besides as many that were received before.
    fn take_stray(&mut self, mut stray: usize) -> Result<(), LinkError> {
        let mut bytes = [0; MOST_NOISE + 1];
        while stray <= self.accepts
            && let Some(read) = self.stream.read(&mut bytes).now_or_never()
        {
            match read {
                Ok(count @ 1..) => stray += count,
                _ => return Err(LinkError::Broken),
            }
        }
        if stray > self.accepts {
            return Err(LinkError::Garbled);
        }
        self.noise += u64::from(stray > 0);
        Ok(())
    }
}
