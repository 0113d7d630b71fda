//! What tokio-modbus does not check about Modbus RTU frames. There is no transaction number, so every byte is compared with the
//! request; and a wrong CRC ends the connection, where the library skips bytes until something looks like a frame.

use super::pdu;
use crate::decoding::{OutOfStep, Progress};

/// Checks an answer while it is received.
///
/// # Errors
/// [`OutOfStep`] at the first byte that cannot belong to the answer.
pub(super) fn answer(request: &[u8], received: &[u8]) -> Result<Progress<Vec<u8>>, OutOfStep> {
    let (unit, request) = request.split_first().ok_or(OutOfStep)?;
    let requested = request.first().ok_or(OutOfStep)?;
    let begins = |at: usize, is: &[u8]| received.get(at).is_none_or(|byte| is.contains(byte));
    if !begins(0, &[*unit]) || !begins(1, &[*requested, requested | 0x80]) {
        return Err(OutOfStep);
    }
    // The shortest answer is an exception: unit, function, code, CRC.
    let Some([_, function, second, ..]) = received.first_chunk::<5>() else {
        return Ok(Progress::More(5 - received.len()));
    };
    let end = 1 + pdu::answer_length(request, [*function, *second])?;
    let Some(frame) = received.get(..end + 2) else { return Ok(Progress::More(end + 2 - received.len())) };
    let (body, check) = frame.split_last_chunk().ok_or(OutOfStep)?;
    if *check == crc(body).to_le_bytes() && pdu::is_answer(request, body.get(1..).unwrap_or_default()) {
        Ok(Progress::Whole(frame.to_vec()))
    } else {
        Err(OutOfStep)
    }
}

/// CRC-16/MODBUS: polynomial 0x8005, reflected, initial value 0xffff.
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

    fn read() -> Vec<u8> {
        framed(&[0x11, 3, 0, 0x6b, 0, 3])
    }

    fn write() -> Vec<u8> {
        framed(&[1, 0x10, 2, 0, 0, 2, 4, 1, 2, 3, 4])
    }

    #[test]
    fn the_check_value_of_the_crc() {
        assert_eq!(crc(b"123456789"), 0x4b37);
    }

    #[test]
    fn an_answer_is_taken_whole_and_never_a_byte_more() {
        let good = framed(&[0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64]);
        for end in 0..good.len() {
            let Ok(Progress::More(missing)) = answer(&read(), &good[..end]) else { panic!("{end} bytes are not enough") };
            assert!(missing > 0 && end + missing <= good.len(), "{missing} more after {end}");
        }
        let written = framed(&[1, 0x10, 2, 0, 0, 2]);
        let refused = framed(&[0x11, 0x83, 2]);
        for (request, whole) in [(read(), good), (write(), written), (read(), refused)] {
            assert_eq!(answer(&request, &whole), Ok(Progress::Whole(whole)));
        }
    }

    #[test]
    fn an_answer_to_another_request_is_out_of_step() {
        let others: [&[u8]; 5] = [
            &[0x12, 3, 6, 0, 0, 0, 0, 0, 0],
            &[0x11, 4, 6, 0, 0, 0, 0, 0, 0],
            &[0x11, 3, 4, 0, 0, 0, 0],
            &[0x12, 0x83, 2],
            &[0x11, 0x90, 2],
        ];
        for other in others {
            assert_eq!(answer(&read(), &framed(other)), Err(OutOfStep), "{other:x?}");
        }
        for other in [[1, 0x10, 2, 1, 0, 2], [1, 0x10, 2, 0, 0, 3]] {
            assert_eq!(answer(&write(), &framed(&other)), Err(OutOfStep), "{other:x?}");
        }
        let mut broken = framed(&[0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64]);
        broken[4] ^= 1;
        assert_eq!(answer(&read(), &broken), Err(OutOfStep));
    }
}
