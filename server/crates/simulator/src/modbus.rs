//! The slave's side of Modbus: functions 03, 04 and 16, parsed strictly, and the TCP header.

use meters::profile::Area;

/// Length of a Modbus TCP header: transaction, protocol, length, unit.
pub const HEADER: usize = 7;
/// The most registers of one read.
const MAX_READ: u16 = 125;
/// The most registers of one write.
pub const MAX_WRITE: u16 = 123;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exception {
    IllegalFunction = 0x01,
    IllegalAddress = 0x02,
    /// Invalid length or value.
    IllegalValue = 0x03,
    /// The meter failed, for example to store a change.
    DeviceFailure = 0x04,
    Busy = 0x06,
    /// The meter did not answer the gateway.
    NoAnswer = 0x0b,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Function 03 or 04.
    Read { area: Area, address: u16, count: u16 },
    Write {
        address: u16,
        /// Two bytes per register.
        bytes: &'a [u8],
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Repeated in the reply.
    pub transaction: u16,
    /// Length of the PDU that follows, bytes.
    pub length: usize,
    pub unit: u8,
}

impl Header {
    /// Parses a header; `None` if it is invalid, after which the connection cannot be resynchronised.
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

/// A PDU with its Modbus TCP header.
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

/// Parses a request.
///
/// # Errors
/// The exception to reply with.
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

/// The reply to a read.
#[must_use]
pub fn registers(area: Area, registers: &[u16]) -> Vec<u8> {
    let function = if area == Area::Holding { 0x03 } else { 0x04 };
    let mut pdu = vec![function, u8::try_from(registers.len() * 2).unwrap_or(u8::MAX)];
    pdu.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
    pdu
}

/// The reply to a write.
#[must_use]
pub fn written(address: u16, bytes: usize) -> Vec<u8> {
    let [a0, a1] = address.to_be_bytes();
    let [c0, c1] = u16::try_from(bytes / 2).unwrap_or(u16::MAX).to_be_bytes();
    vec![0x10, a0, a1, c0, c1]
}

/// The exception reply to a request.
#[must_use]
pub fn exception(request: &[u8], exception: Exception) -> Vec<u8> {
    vec![request.first().copied().unwrap_or(0) | 0x80, exception as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_parsed_strictly() {
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
    fn invalid_headers_are_rejected() {
        assert_eq!(Header::parse([1, 2, 0, 0, 0, 6, 9]), Some(Header { transaction: 0x102, length: 5, unit: 9 }));
        for bytes in [[0, 0, 0, 1, 0, 6, 1], [0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 1]] {
            assert_eq!(Header::parse(bytes), None, "{bytes:?}");
        }
    }
}
