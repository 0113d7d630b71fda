//! The mailbox at 0x0200: the checks before an operation is applied, in the order of the profile.

use std::collections::VecDeque;

use model::time::{MINUTE, Timestamp};
use serde::{Deserialize, Serialize};

use super::apply::apply;
use super::load::mix;
use super::meter::Meter;
use super::modbus::Exception;
use meters::frame::{self, FrameError, FrameResult, OpenedFrame};
use meters::keys::MasterKeys;

/// This many bad MACs within a minute lock the mailbox for a minute.
const PATIENCE: usize = 5;

/// State of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Challenges are derived from this counter, so that none repeats, even after a restart.
    chain: u64,
    /// Operation code and result of the last frame.
    pub last: [u8; 2],
    #[serde(skip)]
    bad: VecDeque<Timestamp>,
    #[serde(skip)]
    locked_until: Option<Timestamp>,
}

impl Mailbox {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { chain: mix(seed ^ 0x6368_616c), last: [0; 2], bad: VecDeque::new(), locked_until: None }
    }

    /// The value that the next frame must carry.
    #[must_use]
    pub fn challenge(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = mix(self.chain).to_be_bytes();
        [a, b, c, d]
    }

    fn renew(&mut self) {
        let old = self.challenge();
        while self.challenge() == old {
            self.chain = self.chain.wrapping_add(1);
        }
    }

    /// After a power cut: another challenge, no result, no bad MACs.
    pub fn restart(&mut self) {
        self.renew();
        self.last = [0; 2];
        self.bad.clear();
        self.locked_until = None;
    }

    fn locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    fn bad_mac(&mut self, now: Timestamp) {
        self.bad.retain(|&at| now.since(at) < MINUTE);
        self.bad.push_back(now);
        if self.bad.len() >= PATIENCE {
            self.bad.clear();
            self.locked_until = Some(now.plus(MINUTE));
        }
    }
}

/// Whether a frame changed the meter's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameEffect {
    /// Only register 0x0112 changed.
    Refused,
    /// At least the challenge changed, which must be stored before the reply.
    Changed,
}

/// Processes a frame at `now`, to which the meter has already advanced. The write is acknowledged unless an exception is
/// returned; the result is in register 0x0112.
///
/// # Errors
/// Exception 06 while locked; 03 for a frame of invalid length, or of an unknown or unannounced version.
pub fn receive(meter: &mut Meter, keys: &MasterKeys, bytes: &[u8], now: Timestamp) -> Result<FrameEffect, Exception> {
    if meter.mailbox.locked(now) {
        return Err(Exception::Busy);
    }
    let announced = bytes.first().is_some_and(|&version| matches!(version, 1 | 2) && meter.versions & u16::from(version) != 0);
    if !announced {
        return Err(Exception::IllegalValue);
    }
    let code = bytes.get(1).copied().unwrap_or(0);
    let opened = match frame::open(keys, meter.serial, bytes) {
        Ok(opened) => opened,
        Err(FrameError::Version | FrameError::Length) => return Err(Exception::IllegalValue),
        Err(FrameError::Mac) => {
            meter.mailbox.bad_mac(now);
            meter.mailbox.last = [code, FrameResult::Mac as u8];
            return Ok(FrameEffect::Refused);
        }
        Err(FrameError::Cipher) => return Err(Exception::DeviceFailure),
    };
    let before = (meter.lost_writes > 0).then(|| meter.clone());
    let (effect, result) = judge(meter, opened);
    meter.mailbox.last = [code, result as u8];
    if let (FrameEffect::Changed, Some(mut before)) = (effect, before) {
        before.lost_writes -= 1;
        before.restart();
        *meter = before;
    }
    Ok(effect)
}

fn judge(meter: &mut Meter, opened: OpenedFrame) -> (FrameEffect, FrameResult) {
    if opened.header.epoch != meter.wallet.epoch {
        return (FrameEffect::Refused, FrameResult::Epoch);
    }
    if opened.header.challenge != meter.mailbox.challenge() {
        return (FrameEffect::Refused, FrameResult::Challenge);
    }
    meter.mailbox.renew();
    let result = match opened.operation {
        _ if opened.serial != meter.serial.bytes() => FrameResult::Serial,
        Ok(operation) => apply(meter, &operation),
        Err(_) => FrameResult::Range,
    };
    (FrameEffect::Changed, result)
}

#[cfg(test)]
mod tests;
