//! The meter's side of DL/T 645-2007 frames: `68 A0..A5 68 C L DATA+33 CS 16`. Implemented independently of the server's decoder,
//! so that each tests the other.

use domain::bcd::all_digits;
use domain::serial::Serial;

/// Length of a frame without data.
pub const ENVELOPE: usize = 12;
/// Added to each data byte on the wire.
const OFFSET: u8 = 0x33;
const START: u8 = 0x68;
const END: u8 = 0x16;
/// Preamble that wakes the receiver.
const WAKE: u8 = 0xfe;
/// Addresses all meters; none answers.
const BROADCAST: [u8; 6] = [0x99; 6];
/// Addresses the only meter on a line.
const WILDCARD: [u8; 6] = [0xaa; 6];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Meter(Serial),
    All,
    /// The only meter on the line.
    Anyone,
}

/// A frame; its data without the offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub address: Address,
    pub control: u8,
    pub data: Vec<u8>,
}

impl Frame {
    /// Parses a frame at the start of `bytes`, with an optional preamble; returns it with its length. `None` for an incomplete
    /// frame or a wrong checksum, to which a meter does not reply.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let woken = bytes.iter().take_while(|&&byte| byte == WAKE).count();
        let bytes = bytes.get(woken..)?;
        let [START, a0, a1, a2, a3, a4, a5, START, control, length, rest @ ..] = bytes else { return None };
        let length = usize::from(*length);
        let (data, [sum, END]) = (rest.get(..length)?, rest.get(length..length + 2)?) else { return None };
        if checksum(bytes.get(..10 + length)?) != *sum {
            return None;
        }
        let data = data.iter().map(|byte| byte.wrapping_sub(OFFSET)).collect();
        let address = Address::parse([*a5, *a4, *a3, *a2, *a1, *a0])?;
        Some((Self { address, control: *control, data }, woken + ENVELOPE + length))
    }

    /// The same frame with another meter's address.
    #[must_use]
    pub fn with_other_address(self) -> Self {
        let [a, b, c, d, e, last] = self.address.bytes();
        let next = if last == 0 { 1 } else { 0 };
        Self { address: Address::parse([a, b, c, d, e, next]).unwrap_or(self.address), ..self }
    }

    /// The frame as transmitted, with two preamble bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut frame = vec![START];
        frame.extend(self.address.bytes().iter().rev());
        frame.extend([START, self.control, u8::try_from(self.data.len()).unwrap_or(u8::MAX)]);
        frame.extend(self.data.iter().map(|byte| byte.wrapping_add(OFFSET)));
        frame.extend([checksum(&frame), END]);
        [&[WAKE; 2][..], &frame].concat()
    }
}

impl Address {
    fn parse(bytes: [u8; 6]) -> Option<Self> {
        match bytes {
            BROADCAST => Some(Self::All),
            WILDCARD => Some(Self::Anyone),
            _ if all_digits(&bytes) => Serial::from_bytes(bytes).map(Self::Meter),
            _ => None,
        }
    }

    const fn bytes(self) -> [u8; 6] {
        match self {
            Self::Meter(serial) => serial.bytes(),
            Self::All => BROADCAST,
            Self::Anyone => WILDCARD,
        }
    }
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_request() {
        let bytes = hex::decode("68610100000000681104333334331416").unwrap();
        let (frame, length) = Frame::parse(&bytes).unwrap();
        assert_eq!((frame.address, length), (Address::Meter("000000000161".parse().unwrap()), 16));
        assert_eq!((frame.control, &*frame.data), (0x11, &[0, 0, 1, 0][..]));
        assert_eq!(frame.bytes()[2..], bytes);
    }

    #[test]
    fn noise_is_not_a_frame() {
        let good = Frame { address: Address::All, control: 8, data: vec![1, 2, 3] }.bytes();
        assert_eq!(Frame::parse(&good).unwrap().1, good.len());
        for cut in 0..good.len() {
            assert_eq!(Frame::parse(&good[..cut]), None);
        }
        for at in 2..good.len() {
            let mut broken = good.clone();
            broken[at] ^= 0x40;
            assert_eq!(Frame::parse(&broken), None, "byte {at}");
        }
    }
}
