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

use model::gateway::Heartbeat;

use super::LinkError;
use super::target::Stream;
use crate::decoding::{OutOfStep, Progress};

/// More bytes than this on a bus without a request are no late answers: another master is on it.
const MAX_LATE: usize = 4_096;
/// So many times the silence is waited for at most: single bytes of a noisy line would put it off for ever.
const MOST_SILENCES: u32 = 8;
/// The longest that a broadcast is on the wire, and nothing says when it has ended: 22 bytes at 1200 baud.
const BROADCAST: Duration = Duration::from_millis(250);

/// How long the answer to a heartbeat may take to leave.
const HEARTBEAT_ANSWER: Duration = Duration::from_secs(3);

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
    /// What a gateway that dials in sends between answers.
    heartbeat: Option<Heartbeat>,
    /// Bytes that were received and belong to no answer: a heartbeat that has not all arrived.
    ahead: Vec<u8>,
    /// Heartbeats that were not answered yet.
    beats: u32,
}

impl Transport {
    /// For frames that nothing disturbs: a stray byte is out of step.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, accepts: 0, heard: 0, noise: 0, heartbeat: None, ahead: Vec::new(), beats: 0 }
    }

    /// For the bare bus behind a transparent gateway.
    pub(super) fn of_bus(stream: Box<dyn Stream>) -> Self {
        Self { accepts: MOST_NOISE, ..Self::new(stream) }
    }

    pub(super) fn expect_heartbeat(&mut self, heartbeat: Option<Heartbeat>) {
        self.heartbeat = heartbeat;
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
        self.ahead.clear();
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
        received.append(&mut self.ahead);
        let whole = loop {
            match answer(received.get(skipped..expected).unwrap_or_default()) {
                Ok(Progress::Whole(whole)) => break whole,
                Ok(Progress::More(missing)) => expected += missing,
                Err(OutOfStep) if self.skip_heartbeat(&mut received, skipped).await? => expected = skipped,
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
        self.ahead.extend(received.get(expected..).unwrap_or_default());
        self.take_stray(skipped)?;
        self.answer_heartbeats().await?;
        Ok(whole)
    }

    /// Takes a heartbeat out that was received in the place of an answer; waits for the rest of one that has begun.
    async fn skip_heartbeat(&mut self, received: &mut Vec<u8>, at: usize) -> Result<bool, LinkError> {
        let Some(beat) = self.heartbeat.as_ref().map(|heartbeat| heartbeat.pattern.bytes()) else { return Ok(false) };
        loop {
            let rest = received.get(at..).unwrap_or_default();
            if rest.starts_with(beat) {
                received.drain(at..at + beat.len());
                self.beats += 1;
                return Ok(true);
            }
            if rest.is_empty() || !beat.starts_with(rest) {
                return Ok(false);
            }
            match self.stream.read_buf(received).await {
                Ok(1..) => {}
                _ => return Err(LinkError::Broken),
            }
        }
    }

    /// Waits for bytes while nothing is requested. May be given up at any time: nothing that was received is lost.
    ///
    /// # Errors
    /// [`LinkError::Broken`] where the connection ends; [`LinkError::Garbled`] for bytes that are no heartbeat.
    pub(super) async fn listen(&mut self) -> Result<(), LinkError> {
        match self.stream.read_buf(&mut self.ahead).await {
            Ok(1..) => {}
            _ => return Err(LinkError::Broken),
        }
        self.take_stray(0)?;
        self.answer_heartbeats().await
    }

    async fn answer_heartbeats(&mut self) -> Result<(), LinkError> {
        let answer = self.heartbeat.as_ref().and_then(|heartbeat| heartbeat.answer.as_ref());
        let Some(answer) = answer.filter(|_| self.beats > 0) else { return Ok(()) };
        // One answer is enough for several that were received at once.
        self.beats = 0;
        let sent = timeout(HEARTBEAT_ANSWER, async {
            self.stream.write_all(answer.bytes()).await?;
            self.stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            _ => Err(LinkError::Broken),
        }
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

    /// Takes the bytes that are there although nothing is expected, besides as many that were received before. Heartbeats among
    /// them do not count, and the beginning of one is kept.
    fn take_stray(&mut self, before: usize) -> Result<(), LinkError> {
        let mut bytes = [0; 64];
        while before + self.ahead.len() <= MAX_LATE
            && let Some(read) = self.stream.read(&mut bytes).now_or_never()
        {
            match read {
                Ok(count @ 1..) => self.ahead.extend(bytes.iter().take(count)),
                _ => return Err(LinkError::Broken),
            }
        }
        let mut stray = before;
        while !self.ahead.is_empty() && stray <= self.accepts {
            match self.heartbeat.as_ref().map(|heartbeat| heartbeat.pattern.bytes()) {
                Some(beat) if self.ahead.starts_with(beat) => {
                    self.ahead.drain(..beat.len());
                    self.beats += 1;
                }
                Some(beat) if beat.starts_with(&self.ahead) => break,
                _ => {
                    self.ahead.remove(0);
                    stray += 1;
                }
            }
        }
        if stray > self.accepts {
            self.ahead.clear();
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

    /// A connection with a heartbeat of three bytes that is answered by one, and its far end.
    fn beating(of: fn(Box<dyn Stream>) -> Transport) -> (Transport, tokio::io::DuplexStream) {
        let (near, far) = duplex(256);
        let mut transport = of(Box::new(near));
        let pattern = |text| model::gateway::BytePattern::parse(text).unwrap();
        transport.expect_heartbeat(Some(Heartbeat { pattern: pattern("hex:FE 11 03"), answer: Some(pattern("K")) }));
        (transport, far)
    }

    #[tokio::test]
    async fn heartbeats_are_answered_and_belong_to_no_answer() {
        const BEAT: [u8; 3] = [0xfe, 0x11, 3];
        let request = [&[0x11, 3, 0, 0x6b, 0, 3][..], &rtu::crc(&[0x11, 3, 0, 0x6b, 0, 3]).to_le_bytes()].concat();
        let good = [0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];
        let good = [&good[..], &rtu::crc(&good).to_le_bytes()].concat();
        for (before, after) in [(&BEAT[..], &[][..]), (&[], &BEAT), (&BEAT, &BEAT[..2]), (&[&BEAT[..], &BEAT].concat(), &[])] {
            let (mut transport, mut far) = beating(Transport::of_bus);
            far.write_all(&[before, &good, after].concat()).await.unwrap();
            let answer = transport.exchange(&request, |received| rtu::answer(&request, received)).await;
            assert_eq!(answer.unwrap(), good, "{before:x?} {after:x?}");
            if !after.is_empty() {
                // The rest of a heartbeat that arrived in two pieces.
                far.write_all(&BEAT[after.len()..]).await.unwrap();
            }
            assert_eq!((transport.disturbance(), transport.take_noise()), (None, 0));
            transport.answer_heartbeats().await.unwrap();
            let mut sent = vec![0; request.len() + 1];
            far.read_exact(&mut sent).await.unwrap();
            assert_eq!((&sent[..request.len()], sent.last()), (&request[..], Some(&b'K')));
        }
    }

    #[tokio::test]
    async fn what_is_no_heartbeat_is_out_of_step() {
        let (mut transport, mut far) = beating(Transport::new);
        far.write_all(&[0xfe, 0x11]).await.unwrap();
        assert_eq!(transport.listen().await, Ok(()), "the beginning of one is waited for");
        far.write_all(&[4]).await.unwrap();
        assert_eq!(transport.listen().await, Err(LinkError::Garbled));
        drop(far);
        assert_eq!(transport.listen().await, Err(LinkError::Broken));
    }
}
