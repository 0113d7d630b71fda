//! The bytes of a connection: one request out, its whole answer in.
//!
//! A gateway passes a late answer on to whoever is connected by then. So an answer is read to its last byte and not beyond, and
//! anything that lies there before a request or after an answer is out of step. On the bare bus of a transparent gateway no number
//! ties an answer to its request either: there a fresh connection begins with listening, for longer than a meter may be late,
//! until the bus is silent.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::LinkError;
use super::target::Stream;
use crate::decoding::{OutOfStep, Progress};

/// More than this on a bus that nobody asks is no late answer: something else is master there.
const MOST_LATE: usize = 4_096;
/// A broadcast is on the wire for this long at most, and nothing says when it has ended: 22 bytes at 1200 baud.
const BROADCAST: Duration = Duration::from_millis(250);

/// The longest answer of any framing, and a byte that would be too many.
const LONGEST: usize = 281;

#[derive(Debug)]
pub(super) struct Wire(Box<dyn Stream>);

impl Wire {
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
        // What is there is taken in one go, and what is too much is seen by that.
        let (mut came, mut taken) = (Vec::with_capacity(LONGEST), 0);
        let whole = loop {
            match answer(came.get(..taken).unwrap_or_default()).map_err(|_| LinkError::Broken)? {
                Progress::Whole(whole) => break whole,
                Progress::More(missing) => taken += missing,
            }
            while came.len() < taken {
                match self.0.read_buf(&mut came).await {
                    Ok(1..) => {}
                    _ => return Err(LinkError::Broken),
                }
            }
        };
        if came.len() > taken || self.is_disturbed() { Err(LinkError::Broken) } else { Ok(whole) }
    }

    /// One request that nothing answers.
    pub(super) async fn tell(&mut self, request: &[u8]) -> std::result::Result<(), LinkError> {
        self.send(request).await?;
        tokio::time::sleep(BROADCAST).await;
        if self.is_disturbed() { Err(LinkError::Broken) } else { Ok(()) }
    }

    async fn send(&mut self, request: &[u8]) -> std::result::Result<(), LinkError> {
        self.0.write_all(request).await.map_err(|_| LinkError::Broken)?;
        self.0.flush().await.map_err(|_| LinkError::Broken)
    }

    /// Something lies there that nobody asked for, or the gateway has closed.
    pub(super) fn is_disturbed(&mut self) -> bool {
        self.0.read(&mut [0]).now_or_never().is_some()
    }
}
