//! DL/T 645 frames: `FE.. 68 A0..A5 68 C L DATA CS 16`, with 33H added to each byte of DATA and CS the sum from the first 68H.

use crate::decoding::{OutOfStep, Progress};
use domain::serial::Serial;

const START: u8 = 0x68;
const END: u8 = 0x16;
/// Preamble that wakes the receiver; up to four bytes.
const WAKE: u8 = 0xfe;
const MAX_PREAMBLE: usize = 4;
const OFFSET: u8 = 0x33;
/// Length from the first start byte to the length byte.
const HEAD: usize = 10;
/// The most data bytes of a frame, by the standard.
pub const MOST_DATA: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Meter(Serial),
    /// All meters; none answers.
    All,
    /// Whoever is alone on the bus.
    Anyone,
}

/// A frame; its data without the offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Receiver of a request, or sender of an answer.
    pub address: Address,
    pub control: u8,
    /// At most [`MOST_DATA`] bytes.
    pub data: Vec<u8>,
}

impl Frame {
    /// The bytes to transmit, with four preamble bytes; `None` if the data exceeds a frame.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.data.len()).ok().filter(|&length| usize::from(length) <= MOST_DATA)?;
        let mut bytes = vec![START];
        bytes.extend(self.address.bytes().iter().rev());
        bytes.extend([START, self.control, length]);
        bytes.extend(self.data.iter().map(|byte| byte.wrapping_add(OFFSET)));
        bytes.extend([sum(&bytes), END]);
        Some([&[WAKE; MAX_PREAMBLE][..], &bytes].concat())
    }

    /// Decodes a frame from the bytes received so far.
    ///
    /// # Errors
    /// [`OutOfStep`] at the first invalid byte.
    pub fn decode(received: &[u8]) -> Result<Progress<Self>, OutOfStep> {
        let wakes = received.iter().take_while(|&&byte| byte == WAKE).count();
        let Some(frame) = received.get(wakes..).filter(|_| wakes <= MAX_PREAMBLE) else { return Err(OutOfStep) };
        if frame.first().is_some_and(|&byte| byte != START) || frame.get(HEAD - 3).is_some_and(|&byte| byte != START) {
            return Err(OutOfStep);
        }
        let Some(head) = frame.first_chunk::<HEAD>() else { return Ok(Progress::More(HEAD + 2 - frame.len())) };
        let [_, a0, a1, a2, a3, a4, a5, _, control, length] = *head;
        let end = HEAD + usize::from(length) + 2;
        if usize::from(length) > MOST_DATA || frame.len() > end {
            return Err(OutOfStep);
        }
        let Some(data) = frame.get(HEAD..end - 2) else { return Ok(Progress::More(end - frame.len())) };
        let Some([check, last]) = frame.get(end - 2..end) else { return Ok(Progress::More(end - frame.len())) };
        if *check != sum(frame.get(..end - 2).unwrap_or_default()) || *last != END {
            return Err(OutOfStep);
        }
        let address = Address::parse([a5, a4, a3, a2, a1, a0]).ok_or(OutOfStep)?;
        let data = data.iter().map(|byte| byte.wrapping_sub(OFFSET)).collect();
        Ok(Progress::Whole(Self { address, control, data }))
    }
}

impl Address {
    const ALL: [u8; 6] = [0x99; 6];
    const ANYONE: [u8; 6] = [0xaa; 6];

    fn parse(bytes: [u8; 6]) -> Option<Self> {
        if bytes == Self::ALL { Some(Self::All) } else { Serial::from_bytes(bytes).map(Self::Meter) }
    }

    const fn bytes(self) -> [u8; 6] {
        match self {
            Self::Meter(serial) => serial.bytes(),
            Self::All => Self::ALL,
            Self::Anyone => Self::ANYONE,
        }
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Frame {
        match Frame::decode(bytes) {
            Ok(Progress::Whole(frame)) => frame,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn published_frames() {
        let request = hex::decode("68610100000000681104333334331416").unwrap();
        let frame = whole(&request);
        assert_eq!(frame.address, Address::Meter("000000000161".parse().unwrap()));
        assert_eq!((frame.control, &*frame.data), (0x11, &[0, 0, 1, 0][..]));
        assert_eq!(frame.encode().unwrap()[4..], request, "the checksum is 14");
        // Its reply, 0.26 kWh: the checksum is 8A.
        let reply = whole(&hex::decode("6861010000000068910833333433593333338a16").unwrap());
        assert_eq!((reply.control, &*reply.data), (0x91, &[0, 0, 1, 0, 0x26, 0, 0, 0][..]));
    }

    #[test]
    fn a_frame_is_consumed_exactly() {
        let frame = Frame { address: Address::All, control: 0x08, data: vec![1, 2, 3, 4, 5, 6] };
        let bytes = frame.encode().unwrap();
        for end in 0..bytes.len() {
            let Ok(Progress::More(missing)) = Frame::decode(&bytes[..end]) else { panic!("{end} bytes are not enough") };
            assert!(missing > 0 && end + missing <= bytes.len(), "{missing} more after {end}");
        }
        assert_eq!(whole(&bytes), frame);
        assert_eq!(whole(&bytes[4..]), frame, "the preamble may be missing");
        assert_eq!(Frame::decode(&[&bytes[..], &[0]].concat()), Err(OutOfStep));
        assert_eq!(Frame { data: vec![0; 201], ..frame }.encode(), None);
    }

    #[test]
    fn a_changed_bit_is_detected() {
        let frame = Frame { address: Address::Meter("000000000161".parse().unwrap()), control: 0x91, data: vec![9; 8] };
        let good = frame.encode().unwrap();
        for at in 4..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert!(!matches!(Frame::decode(&bad), Ok(Progress::Whole(_))), "bit {bit} of byte {at}");
            }
        }
    }
}
