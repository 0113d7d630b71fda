//! Modbus RTU as a master speaks it: unit, PDU, CRC. There is no transaction number, so every byte is compared with the request.

use super::{LinkError, Registers, pdu};
use crate::decoding::{OutOfStep, Progress};

/// The bytes of a request; `None` where it asks for more than a frame can carry.
pub(super) fn request(unit: u8, registers: &Registers) -> Option<Vec<u8>> {
    let mut bytes = vec![unit];
    bytes.extend(pdu::request(registers)?);
    bytes.extend(crc(&bytes).to_le_bytes());
    Some(bytes)
}

/// Reads the answer to a request as it comes in.
///
/// # Errors
/// [`OutOfStep`] with the first byte that cannot belong to it.
pub(super) fn answer(unit: u8, registers: &Registers, came: &[u8]) -> Result<Progress<Result<Vec<u16>, LinkError>>, OutOfStep> {
    // The shortest answer of all is an exception: unit, function, code, CRC.
    let Some([from, what, second, ..]) = came.first_chunk::<5>() else { return Ok(Progress::More(5 - came.len())) };
    if *from != unit {
        return Err(OutOfStep);
    }
    let end = 1 + pdu::length(registers, [*what, *second])?;
    let Some(check) = came.get(end..end + 2) else { return Ok(Progress::More(end + 2 - came.len())) };
    let frame = came.get(..end).unwrap_or_default();
    if check != crc(frame).to_le_bytes() {
        return Err(OutOfStep);
    }
    pdu::decode(registers, frame.get(1..).unwrap_or_default()).map(Progress::Whole)
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
    use crate::profile::Area;

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
