//! What Modbus says, whatever carries it: the PDU of a request, and which PDU can answer it.

use super::{LinkError, Registers};
use crate::decoding::OutOfStep;
use crate::profile::Area;

const READ_HOLDING: u8 = 0x03;
const READ_INPUT: u8 = 0x04;
const WRITE_MULTIPLE: u8 = 0x10;
const EXCEPTION: u8 = 0x80;
/// The most registers of one request, by the specification.
const MOST_READ: u16 = 125;
const MOST_WRITE: usize = 123;

/// The PDU of a request; `None` where it asks for more than a frame can carry.
pub(super) fn request(registers: &Registers) -> Option<Vec<u8>> {
    let mut bytes = vec![function(registers)];
    match registers {
        Registers::Read { address, count, .. } => {
            if !(1..=MOST_READ).contains(count) {
                return None;
            }
            bytes.extend(address.to_be_bytes());
            bytes.extend(count.to_be_bytes());
        }
        Registers::Write { address, words } => {
            if !(1..=MOST_WRITE).contains(&words.len()) {
                return None;
            }
            bytes.extend(address.to_be_bytes());
            bytes.extend(u16::try_from(words.len()).ok()?.to_be_bytes());
            bytes.push(u8::try_from(2 * words.len()).ok()?);
            bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
    }
    Some(bytes)
}

/// How long the PDU is that begins with these two bytes, the shortest of all.
///
/// # Errors
/// [`OutOfStep`] where it cannot answer the request.
pub(super) fn length(registers: &Registers, [what, second]: [u8; 2]) -> Result<usize, OutOfStep> {
    if what == function(registers) | EXCEPTION {
        return Ok(2);
    }
    match registers {
        _ if what != function(registers) => Err(OutOfStep),
        Registers::Read { count, .. } if usize::from(second) == 2 * usize::from(*count) => Ok(2 + usize::from(second)),
        Registers::Read { .. } => Err(OutOfStep),
        Registers::Write { .. } => Ok(5),
    }
}

/// What a PDU of that length says: a meter's exception is an answer too.
///
/// # Errors
/// [`OutOfStep`] where it answers another request.
pub(super) fn decode(registers: &Registers, pdu: &[u8]) -> Result<Result<Vec<u16>, LinkError>, OutOfStep> {
    let (what, rest) = pdu.split_first().ok_or(OutOfStep)?;
    let words = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect::<Vec<u16>>();
    match registers {
        _ if what & EXCEPTION != 0 => rest.first().map(|code| Err(LinkError::Exception(*code))).ok_or(OutOfStep),
        Registers::Read { .. } => Ok(Ok(words(rest.get(1..).unwrap_or_default()))),
        // The address and the count are given back.
        Registers::Write { address, words: wrote } => {
            let echo = words(rest);
            if echo.len() == 2 && echo.first() == Some(address) && echo.last().map(|&n| usize::from(n)) == Some(wrote.len()) {
                Ok(Ok(Vec::new()))
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
