//! Modbus RTU as a master speaks it: unit, PDU, CRC. There is no transregisters number, so every byte is compared with the request.

use super::{LinkError, Registers};
use crate::meters::framing::{OutOfStep, Progress};
use crate::meters::profile::Area;

const READ_HOLDING: u8 = 0x03;
const READ_INPUT: u8 = 0x04;
const WRITE_MULTIPLE: u8 = 0x10;
const EXCEPTION: u8 = 0x80;
/// The most registers of one request, by the specification.
const MOST_READ: u16 = 125;
const MOST_WRITE: usize = 123;

/// The bytes of a request; `None` where it asks for more than a frame can carry.
pub(super) fn request(unit: u8, registers: &Registers) -> Option<Vec<u8>> {
    let mut bytes = vec![unit];
    match registers {
        Registers::Read { address, count, .. } => {
            if !(1..=MOST_READ).contains(count) {
                return None;
            }
            bytes.push(function(registers));
            bytes.extend(address.to_be_bytes());
            bytes.extend(count.to_be_bytes());
        }
        Registers::Write { address, words } => {
            if !(1..=MOST_WRITE).contains(&words.len()) {
                return None;
            }
            bytes.push(function(registers));
            bytes.extend(address.to_be_bytes());
            bytes.extend(u16::try_from(words.len()).ok()?.to_be_bytes());
            bytes.push(u8::try_from(2 * words.len()).ok()?);
            bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
    }
    bytes.extend(crc(&bytes).to_le_bytes());
    Some(bytes)
}

/// Reads the answer to a request as it comes in: a meter's exception is an answer too.
///
/// # Errors
/// [`OutOfStep`] with the first byte that cannot belong to it.
pub(super) fn answer(unit: u8, registers: &Registers, came: &[u8]) -> Result<Progress<Result<Vec<u16>, LinkError>>, OutOfStep> {
    // The shortest answer of all is an exception: unit, function, code, CRC.
    let Some([from, what, third, ..]) = came.first_chunk::<5>() else { return Ok(Progress::More(5 - came.len())) };
    if *from != unit || *what & !EXCEPTION != function(registers) {
        return Err(OutOfStep);
    }
    let refused = *what & EXCEPTION != 0;
    let length = match registers {
        _ if refused => 5,
        Registers::Read { count, .. } => {
            if usize::from(*third) != 2 * usize::from(*count) {
                return Err(OutOfStep);
            }
            5 + usize::from(*third)
        }
        Registers::Write { .. } => 8,
    };
    if came.len() < length {
        return Ok(Progress::More(length - came.len()));
    }
    let (frame, check) = came.split_at_checked(length - 2).ok_or(OutOfStep)?;
    if check != crc(frame).to_le_bytes() {
        return Err(OutOfStep);
    }
    if refused {
        return Ok(Progress::Whole(Err(LinkError::Exception(*third))));
    }
    let words = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect::<Vec<u16>>();
    match registers {
        Registers::Read { .. } => Ok(Progress::Whole(Ok(words(frame.get(3..).unwrap_or_default())))),
        // The address and the count are given back.
        Registers::Write { address, words: wrote } => {
            let echo = words(frame.get(2..).unwrap_or_default());
            if echo.len() == 2 && echo.first() == Some(address) && echo.last().map(|&n| usize::from(n)) == Some(wrote.len()) {
                Ok(Progress::Whole(Ok(Vec::new())))
            } else {
                Err(OutOfStep)
            }
        }
    }
}

const fn function(registers: &Registers) -> u8 {
    match registers {
        Registers::Read { area: Area::Holding, .. } => READ_HOLDING,
        Registers::Read { area: Area::Input, .. } => READ_INPUT,
        Registers::Write { .. } => WRITE_MULTIPLE,
    }
}

/// CRC-16/MODBUS: polynomial 0x8005, reflected, begun with ones.
pub(super) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 0 { 0 } else { 0xa001 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(body: &[u8]) -> Vec<u8> {
        [body, &crc(body).to_le_bytes()].concat()
    }

    const READ: Registers = Registers::Read { area: Area::Holding, address: 0x6b, count: 3 };

    fn write() -> Registers {
        Registers::Write { address: 0x0200, words: vec![0x0102, 0x0304] }
    }

    #[test]
    fn requests_as_published() {
        // The check value of CRC-16/MODBUS, and the specification's own example of function 03.
        assert_eq!(crc(b"123456789"), 0x4b37);
        assert_eq!(request(0x11, &READ).unwrap(), [0x11, 3, 0, 0x6b, 0, 3, 0x76, 0x87]);
        let bytes = request(1, &write()).unwrap();
        assert_eq!(bytes[..11], [1, 0x10, 2, 0, 0, 2, 4, 1, 2, 3, 4]);
        assert_eq!(bytes.len(), 13);
        for registers in [126, 0].map(|count| Registers::Read { area: Area::Input, address: 0, count }) {
            assert_eq!(request(1, &registers), None);
        }
        assert_eq!(request(1, &Registers::Write { address: 0, words: vec![0; 124] }), None);
    }

    #[test]
    fn an_answer_is_taken_whole_and_never_a_byte_more() {
        let good = framed(&[0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64]);
        for end in 0..good.len() {
            let Ok(Progress::More(missing)) = answer(0x11, &READ, &good[..end]) else { panic!("{end} bytes are not enough") };
            assert!(missing > 0 && end + missing <= good.len(), "{missing} more after {end}");
        }
        assert_eq!(answer(0x11, &READ, &good), Ok(Progress::Whole(Ok(vec![0x022b, 0, 0x64]))));
        let written = framed(&[1, 0x10, 2, 0, 0, 2]);
        assert_eq!(answer(1, &write(), &written), Ok(Progress::Whole(Ok(Vec::new()))));
        let refused = framed(&[0x11, 0x83, 2]);
        assert_eq!(answer(0x11, &READ, &refused), Ok(Progress::Whole(Err(LinkError::Exception(2)))));
    }

    #[test]
    fn what_belongs_to_another_request_is_out_of_step() {
        let others: [&[u8]; 5] = [
            &[0x12, 3, 6, 0, 0, 0, 0, 0, 0],
            &[0x11, 4, 6, 0, 0, 0, 0, 0, 0],
            &[0x11, 3, 4, 0, 0, 0, 0],
            &[0x12, 0x83, 2],
            &[0x11, 0x90, 2],
        ];
        for other in others {
            assert_eq!(answer(0x11, &READ, &framed(other)), Err(OutOfStep), "{other:x?}");
        }
        for other in [[1, 0x10, 2, 1, 0, 2], [1, 0x10, 2, 0, 0, 3]] {
            assert_eq!(answer(1, &write(), &framed(&other)), Err(OutOfStep), "{other:x?}");
        }
        let mut broken = framed(&[0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64]);
        broken[4] ^= 1;
        assert_eq!(answer(0x11, &READ, &broken), Err(OutOfStep));
    }
}
