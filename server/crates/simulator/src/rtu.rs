//! The slave's side of Modbus RTU: unit, PDU, CRC. Implemented independently of the server's, so that each tests the other.

use super::modbus;

/// Unit id before a PDU and CRC after it.
pub const ENVELOPE: usize = 3;

/// Parses a request at the start of `bytes`: unit, PDU and length in bytes. `None` for an incomplete request or a wrong CRC, to
/// which a meter does not reply.
#[must_use]
pub fn request(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let length = match bytes {
        [_, 0x10, _, _, _, _, data, ..] => 7 + usize::from(*data),
        [_, 0x01..=0x06, ..] => 6,
        _ => return None,
    };
    let (frame, check) = (bytes.get(..length)?, bytes.get(length..length + 2)?);
    let (unit, pdu) = frame.split_first()?;
    (crc(frame).to_le_bytes() == check).then(|| (*unit, pdu.to_vec(), length + 2))
}

/// A PDU as transmitted by a meter.
#[must_use]
pub fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pdu.len() + ENVELOPE);
    out.push(unit);
    out.extend(pdu);
    out.extend(crc(&out).to_le_bytes());
    out
}

/// CRC-16/MODBUS, bit by bit.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 })
    })
}

/// The longest request: a write of 123 registers.
pub const LONGEST: usize = 7 + 2 * modbus::MAX_WRITE as usize + 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_check_value() {
        assert_eq!(crc(b"123456789"), 0x4b37);
    }

    #[test]
    fn requests_are_told_from_noise_by_their_crc() {
        let read = frame(0x68, &[3, 0, 0, 0, 2]);
        assert_eq!(request(&read), Some((0x68, vec![3, 0, 0, 0, 2], 8)));
        assert_eq!(request(&read[..7]), None);
        let write = frame(1, &[16, 2, 0, 0, 1, 2, 9, 8]);
        assert_eq!(request(&write), Some((1, vec![16, 2, 0, 0, 1, 2, 9, 8], 11)));
        let mut broken = write;
        broken[8] ^= 1;
        assert_eq!(request(&broken), None);
    }
}
