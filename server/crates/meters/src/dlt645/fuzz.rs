//! Fuzzing of DL/T 645 frames and answers: whatever is accepted re-encodes to the same bytes.

use super::frame::{Address, Frame};
use super::*;
use crate::fuzz::feed;
use domain::bcd::BcdTime;
use domain::serial::Serial;
use test_support::fuzz::run;

/// The frame without its preamble.
fn bare(bytes: &[u8]) -> &[u8] {
    let wakes = bytes.iter().take_while(|&&byte| byte == 0xfe).count();
    &bytes[wakes..]
}

/// Corrects length, checksum and end byte for the data between them.
fn repair(input: &mut [u8]) {
    let start = input.len() - bare(input).len();
    let Some(data) = input.len().checked_sub(start + 12).filter(|&data| data <= 255) else { return };
    input[start + 9] = data as u8;
    let end = input.len() - 2;
    input[end] = input[start..end].iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    input[end + 1] = 0x16;
}

#[test]
fn fuzz_frames() {
    run("dlt645_frame", repair, |input| {
        let Some((taken, Ok(frame))) = feed(input, Frame::decode) else { return };
        let encoded = frame.encode().unwrap();
        assert_eq!(hex::encode(bare(taken)), hex::encode(bare(&encoded)));
        assert!(taken.len() - bare(taken).len() <= 4);
    });
}

#[test]
fn fuzz_answers() {
    let meter: Serial = "000000000161".parse().unwrap();
    let di = 0x0001_0000;
    let time = BcdTime::from_bytes([0x26, 0x11, 0x22, 0x18, 0x30, 0x05]).unwrap();
    let requests = [
        Dlt645Request::Read { meter, di },
        Dlt645Request::Follow { meter, di, sequence: 1 },
        Dlt645Request::Switch { meter, command: Switch::Trip },
        Dlt645Request::Clock { meter, di, part: ClockPart::Time, time },
    ];
    run("dlt645_answer", repair, |input| {
        for request in requests {
            let Some((taken, Ok(answer))) = feed(input, |received| request.answer(received)) else { continue };
            let (control, sequence) = match request {
                Dlt645Request::Read { .. } => (0x91, &[][..]),
                Dlt645Request::Follow { .. } => (0x92, &[1][..]),
                Dlt645Request::Clock { .. } => (0x94, &[][..]),
                _ => (0x9c, &[][..]),
            };
            let (control, data) = match answer {
                Ok(Answer::Data { bytes, more }) => {
                    (control | u8::from(more) << 5, [&di.to_le_bytes(), &*bytes, sequence].concat())
                }
                Ok(Answer::Done) => (control, Vec::new()),
                Ok(Answer::Address(other)) => panic!("{request:?} is answered by the address {other}"),
                Err(Refusal::Error(error)) => (control | 0x40, vec![error]),
                Err(Refusal::Security(error)) => (control | 0x40, error.to_le_bytes().to_vec()),
            };
            let frame = Frame { address: Address::Meter(meter), control, data }.encode().unwrap();
            assert_eq!(hex::encode(bare(taken)), hex::encode(bare(&frame)), "{request:?}");
        }
    });
}
