//! The meter's side of DL/T 645-2007: replies to frames, and their effect on the meter.

mod control;
mod frame;
mod items;
#[cfg(test)]
mod tests;

use super::load::Load;
use super::meter::Meter;
use super::secured::FrameEffect;

pub use control::{OPERATOR, PASSWORD};
pub use frame::{Address, ENVELOPE, Frame};

pub const LONGEST: usize = ENVELOPE + 4 + 200;
/// Bytes of a value in one reply besides its identifier; longer values continue in further frames.
const PIECE: usize = 196;

mod code {
    pub const TIME: u8 = 0x08;
    pub const READ: u8 = 0x11;
    pub const READ_ON: u8 = 0x12;
    pub const READ_ADDRESS: u8 = 0x13;
    pub const WRITE: u8 = 0x14;
    pub const RELAY: u8 = 0x1c;
    pub const SECURITY: u8 = 0x03;
}

/// Why a request was refused: the error byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    Other = 0x01,
    NoData = 0x02,
    /// Wrong password, or no permission.
    Unauthorised = 0x04,
}

/// "Authentication failed" as answered to security requests: two bytes, low byte first.
const NOT_AUTHENTICATED: [u8; 2] = [0x08, 0x00];

/// Executes a frame; broadcasts have no reply.
pub fn receive(meter: &mut Meter, load: &Load, frame: &Frame) -> (Option<Frame>, FrameEffect) {
    let data = &*frame.data;
    let (answer, effect) = match frame.control {
        code::TIME => return (None, control::broadcast_time(meter, data)),
        code::READ => (read(meter, load, data, 0, data), FrameEffect::Refused),
        code::READ_ON => (read_on(meter, load, data), FrameEffect::Refused),
        code::READ_ADDRESS => (Ok((meter.serial.bytes().into_iter().rev().collect(), false)), FrameEffect::Refused),
        code::WRITE => done(control::write(meter, data)),
        code::RELAY => done(control::relay(meter, data)),
        code::SECURITY => (Err(Refusal::Unauthorised), FrameEffect::Refused),
        _ => (Err(Refusal::Other), FrameEffect::Refused),
    };
    let (control, data) = match answer {
        Ok((data, more)) => (frame.control | 0x80 | u8::from(more) << 5, data),
        Err(_) if frame.control == code::SECURITY => (0xc3, NOT_AUTHENTICATED.to_vec()),
        Err(refusal) => (frame.control | 0xc0, vec![refusal as u8]),
    };
    (Some(Frame { address: Address::Meter(meter.serial), control, data }), effect)
}

/// The error reply of a busy meter.
#[must_use]
pub fn refusal(meter: &Meter, frame: &Frame) -> Frame {
    Frame { address: Address::Meter(meter.serial), control: frame.control | 0xc0, data: vec![Refusal::Other as u8] }
}

type Answer = Result<(Vec<u8>, bool), Refusal>;

/// One piece of a value after `echo`, and whether another piece follows.
fn read(meter: &Meter, load: &Load, identifier: &[u8], piece: usize, echo: &[u8]) -> Answer {
    let Some(&[d0, d1, d2, d3]) = identifier.first_chunk() else { return Err(Refusal::Other) };
    if identifier.len() > 4 {
        return Err(Refusal::NoData);
    }
    let mut value = items::read(meter, load, u32::from_be_bytes([d3, d2, d1, d0])).ok_or(Refusal::NoData)?;
    match [d3, d2, d1, d0] {
        [0x00, 0x01, 0xff, 0x00] if meter.odd_items => value.truncate(12),
        [0x02, 0x01, 0x01, 0x00] if meter.odd_items => value.iter_mut().for_each(|byte| *byte |= 0x0a),
        _ => {}
    }
    let mut pieces = value.chunks(PIECE).skip(piece);
    let part = pieces.next().ok_or(Refusal::NoData)?;
    Ok(([echo, part].concat(), pieces.next().is_some()))
}

/// Further frames carry the identifier, a piece, and the frame number from 1.
fn read_on(meter: &Meter, load: &Load, data: &[u8]) -> Answer {
    let (Some(identifier), Some(&sequence), 5) = (data.get(..4), data.get(4), data.len()) else { return Err(Refusal::Other) };
    if sequence == 0 {
        return Err(Refusal::Other);
    }
    let (mut answer, more) = read(meter, load, identifier, sequence.into(), identifier)?;
    answer.push(sequence);
    Ok((answer, more))
}

fn done(result: Result<(), Refusal>) -> (Answer, FrameEffect) {
    match result {
        Ok(()) => (Ok((Vec::new(), false)), FrameEffect::Changed),
        Err(refusal) => (Err(refusal), FrameEffect::Refused),
    }
}
