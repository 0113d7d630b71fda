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
use tokio::time::{Instant, sleep, timeout};

use super::LinkError;
use super::target::Stream;
use crate::decoding::{OutOfStep, Progress};

/// More bytes than this on a bus without a request are no late answers: another master is on it.
const MAX_LATE: usize = 4_096;
/// So many times the silence is waited for at most: single bytes of a noisy line would put it off for ever.
const MOST_SILENCES: u32 = 8;
/// The longest that a broadcast is on the wire, and nothing says when it has ended: 22 bytes at 1200 baud.
const BROADCAST: Duration = Duration::from_millis(250);

/// The longest answer of any framing, and one byte to notice that there is more.
const LONGEST: usize = 281;

/// Adapters to RS-485 put stray bytes around frames when the driver of the bus turns round. So many belong to no answer.
const MOST_NOISE: usize = 4;

/// What makes a connection unfit for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disturbance {
    /// Bytes that answer no request.
    Bytes,
    /// The gateway has closed.
    Closed,
}

#[derive(Debug)]
pub(super) struct Transport {
    stream: Box<dyn Stream>,
    /// How many stray bytes around an answer are accepted.
    accepts: usize,
    /// Bytes that were received since the last request.
    heard: usize,
    /// How often stray bytes were accepted.
    noise: u64,
}

impl Transport {
    /// For frames that nothing disturbs: a stray byte is out of step.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, accepts: 0, heard: 0, noise: 0 }
    }

    /// For the bare bus behind a transparent gateway.
    pub(super) fn of_bus(stream: Box<dyn Stream>) -> Self {
        Self { accepts: MOST_NOISE, ..Self::new(stream) }
    }

    /// What it means that the answer did not come in time: bytes that never became one are no silence, but for the few stray
    /// ones that an adapter adds to a request as well.
    pub(super) const fn no_answer(&mut self) -> LinkError {
        if self.heard > self.accepts {
            return LinkError::Garbled;
        }
        self.noise += (self.heard > 0) as u64;
        LinkError::Timeout
    }

    /// How often stray bytes were accepted since the last call.
    pub(super) const fn take_noise(&mut self) -> u64 {
        std::mem::replace(&mut self.noise, 0)
    }

    /// Waits until nothing has been received for so long; what is received belongs to requests that timed out.
    pub(super) async fn settle(&mut self, silence: Duration) -> std::io::Result<()> {
        let mut total = 0;
        let mut bytes = [0; 256];
        let end = Instant::now() + silence * MOST_SILENCES;
        while let Ok(read) = timeout(silence, self.stream.read(&mut bytes)).await {
            total += match read? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => count,
            };
            if total > MAX_LATE || Instant::now() >= end {
                return Err(Error::other("the bus is never silent: another master is on it, or the line is noisy"));
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
                    Ok(count @ 1..) => self.heard += count,
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
        self.heard = 0;
        self.stream.write_all(request).await.map_err(|_| LinkError::Broken)?;
        self.stream.flush().await.map_err(|_| LinkError::Broken)
    }

    /// Whether more than stray bytes are there that answer no request, or the gateway has closed.
    pub(super) fn disturbance(&mut self) -> Option<Disturbance> {
        match self.take_stray(0) {
            Ok(()) => None,
            Err(LinkError::Broken) => Some(Disturbance::Closed),
            Err(_) => Some(Disturbance::Bytes),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::rtu;
    use domain::rng::Rng;
    use tokio::io::duplex;

    /// What a request ends with where nothing but these bytes comes, and how often it was noise.
    async fn without_answer(of: fn(Box<dyn Stream>) -> Transport, received: &[u8]) -> (LinkError, u64) {
        let (near, mut far) = duplex(64);
        far.write_all(received).await.unwrap();
        let mut transport = of(Box::new(near));
        let whole = |_: &[u8]| Ok::<_, OutOfStep>(Progress::<()>::More(64));
        assert!(timeout(Duration::from_millis(20), transport.exchange(&[0], whole)).await.is_err());
        (transport.no_answer(), transport.take_noise())
    }

    #[tokio::test]
    async fn stray_bytes_alone_are_no_answer_on_a_bus() {
        assert_eq!(without_answer(Transport::of_bus, &[]).await, (LinkError::Timeout, 0));
        assert_eq!(without_answer(Transport::of_bus, &[0; MOST_NOISE]).await, (LinkError::Timeout, 1));
        assert_eq!(without_answer(Transport::of_bus, &[0; MOST_NOISE + 1]).await, (LinkError::Garbled, 0));
        assert_eq!(without_answer(Transport::new, &[0]).await, (LinkError::Garbled, 0));
    }

    #[tokio::test]
    async fn a_line_that_is_never_silent_ends_the_wait() {
        let (near, mut far) = duplex(64);
        let chatter = tokio::spawn(async move {
            while far.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        });
        let mut transport = Transport::of_bus(Box::new(near));
        let ended = timeout(Duration::from_secs(10), transport.settle(Duration::from_millis(50))).await;
        assert!(ended.unwrap().unwrap_err().to_string().contains("never silent"));
        chatter.abort();
    }

    #[tokio::test]
    async fn no_random_stream_is_taken_for_an_answer() {
        let request = [&[0x11, 3, 0, 0x6b, 0, 3][..], &rtu::crc(&[0x11, 3, 0, 0x6b, 0, 3]).to_le_bytes()].concat();
        let rng = Rng::from_seed([5; 32]);
        for n in 0..100_000 {
            let mut stream: [u8; 24] = rng.bytes();
            // Every second one begins like the answer, behind up to four bytes of noise.
            if n % 2 == 0
                && let Some(head) = stream.get_mut(n / 2 % (MOST_NOISE + 1)..).and_then(<[u8]>::first_chunk_mut)
            {
                *head = [0x11, 3, 6];
            }
            let (near, mut far) = duplex(64);
            far.write_all(&stream).await.unwrap();
            drop(far);
            let answer = Transport::of_bus(Box::new(near)).exchange(&request, |received| rtu::answer(&request, received)).await;
            assert!(answer.is_err(), "{stream:x?}");
        }
    }
}
