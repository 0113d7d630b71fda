//! The slave's side of Modbus: functions 03, 04 and 16, read strictly, and the TCP header around them.

use meters::profile::Area;

/// Header of Modbus TCP: transaction, protocol, length, unit.
pub const HEADER: usize = 7;
/// The most registers that one read may ask for.
const MAX_READ: u16 = 125;
/// The most registers that one write may carry.
pub const MAX_WRITE: u16 = 123;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exception {
    /// No such function here.
    IllegalFunction = 0x01,
    /// No such registers.
    IllegalAddress = 0x02,
    /// Lengths or values that cannot be.
    IllegalValue = 0x03,
    /// The meter failed: what it should keep could not be kept.
    DeviceFailure = 0x04,
    Busy = 0x06,
    /// The gateway heard nothing from the meter.
    NoAnswer = 0x0b,
}

/// What is asked of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Function 03 or 04.
    Read {
        /// Of which area.
        area: Area,
        address: u16,
        count: u16,
    },
    Write {
        address: u16,
        /// Two bytes a register.
        bytes: &'a [u8],
    },
}

/// A Modbus TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Given back with the answer.
    pub transaction: u16,
    /// Bytes of the PDU that follows.
    pub length: usize,
    pub unit: u8,
}

impl Header {
    /// Reads a header; `None` where it is none, after which nothing on the connection can be trusted.
    #[must_use]
    pub fn parse(bytes: [u8; HEADER]) -> Option<Self> {
        let [t0, t1, p0, p1, l0, l1, unit] = bytes;
        let length = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(1)?;
        ((p0, p1) == (0, 0) && (1..=253).contains(&length)).then_some(Self {
            transaction: u16::from_be_bytes([t0, t1]),
            length,
            unit,
        })
    }
}

/// A PDU behind its header, ready to be sent.
#[must_use]
pub fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + pdu.len());
    out.extend(transaction.to_be_bytes());
    out.extend([0, 0]);
    out.extend(u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX).to_be_bytes());
    out.push(unit);
    out.extend(pdu);
    out
}

/// Reads a request.
///
/// # Errors
/// The exception to answer with.
pub fn parse(pdu: &[u8]) -> Result<Request<'_>, Exception> {
    match pdu {
        [function @ (0x03 | 0x04), a0, a1, c0, c1] => {
            let area = if *function == 0x03 { Area::Holding } else { Area::Input };
            let count = u16::from_be_bytes([*c0, *c1]);
            if !(1..=MAX_READ).contains(&count) {
                return Err(Exception::IllegalValue);
            }
            Ok(Request::Read { area, address: u16::from_be_bytes([*a0, *a1]), count })
        }
        [0x10, a0, a1, c0, c1, length, bytes @ ..] => {
            let count = u16::from_be_bytes([*c0, *c1]);
            let whole = usize::from(*length) == bytes.len() && usize::from(count) * 2 == bytes.len();
            if !(1..=MAX_WRITE).contains(&count) || !whole {
                return Err(Exception::IllegalValue);
            }
            Ok(Request::Write { address: u16::from_be_bytes([*a0, *a1]), bytes })
        }
        [0x03 | 0x04 | 0x10, ..] => Err(Exception::IllegalValue),
        _ => Err(Exception::IllegalFunction),
    }
}

/// The answer to a read.
#[must_use]
pub fn registers(area: Area, registers: &[u16]) -> Vec<u8> {
    let function = if area == Area::Holding { 0x03 } else { 0x04 };
    let mut pdu = vec![function, u8::try_from(registers.len() * 2).unwrap_or(u8::MAX)];
    pdu.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
    pdu
}

/// The answer to a write.
#[must_use]
pub fn written(address: u16, bytes: usize) -> Vec<u8> {
    let [a0, a1] = address.to_be_bytes();
    let [c0, c1] = u16::try_from(bytes / 2).unwrap_or(u16::MAX).to_be_bytes();
    vec![0x10, a0, a1, c0, c1]
}

/// The answer to a request that is refused.
#[must_use]
pub fn exception(request: &[u8], exception: Exception) -> Vec<u8> {
    vec![request.first().copied().unwrap_or(0) | 0x80, exception as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_strictly() {
        assert_eq!(parse(&[3, 1, 0, 0, 38]), Ok(Request::Read { area: Area::Holding, address: 0x100, count: 38 }));
        assert_eq!(parse(&[16, 2, 0, 0, 1, 2, 9, 8]), Ok(Request::Write { address: 0x200, bytes: &[9, 8] }));
        for pdu in [
            &[3, 1, 0, 0][..],
            &[3, 1, 0, 0, 38, 0],
            &[3, 1, 0, 0, 0],
            &[3, 1, 0, 0, 126],
            &[16, 2, 0, 0, 1, 2, 9],
            &[16, 2, 0, 0, 2, 2, 9, 8],
            &[16, 2, 0, 0, 0, 0],
            &[16, 2, 0],
        ] {
            assert_eq!(parse(pdu), Err(Exception::IllegalValue), "{pdu:?}");
        }
        assert_eq!(parse(&[6, 1, 0, 0, 1]), Err(Exception::IllegalFunction));
        assert_eq!(parse(&[]), Err(Exception::IllegalFunction));
    }

    #[test]
    fn headers_of_other_protocols_are_refused() {
        assert_eq!(Header::parse([1, 2, 0, 0, 0, 6, 9]), Some(Header { transaction: 0x102, length: 5, unit: 9 }));
        for bytes in [[0, 0, 0, 1, 0, 6, 1], [0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 1]] {
            assert_eq!(Header::parse(bytes), None, "{bytes:?}");
        }
    }
}
