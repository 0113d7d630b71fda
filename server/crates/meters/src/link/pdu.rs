//! What tokio-modbus does not check about PDUs: how much a request may ask for, and whether an answer belongs to the request.

use std::borrow::Cow;

use tokio_modbus::Request;

use super::Registers;
use crate::decoding::OutOfStep;
use crate::profile::Area;

const WRITE_MULTIPLE: u8 = 0x10;
const EXCEPTION: u8 = 0x80;
/// The most registers of one request, by the specification.
const MAX_READ: u16 = 125;
const MAX_WRITE: usize = 123;
/// Function, address and register count: a request begins with them, and the answer to a write consists of them.
const HEAD: usize = 5;

/// The request in the library's terms; `None` where it asks for nothing or for more than a frame can carry.
pub(super) fn request(registers: &Registers) -> Option<Request<'_>> {
    match registers {
        Registers::Read { area, address, count } if (1..=MAX_READ).contains(count) => Some(match area {
            Area::Holding => Request::ReadHoldingRegisters(*address, *count),
            Area::Input => Request::ReadInputRegisters(*address, *count),
        }),
        Registers::Write { address, words } if (1..=MAX_WRITE).contains(&words.len()) => {
            Some(Request::WriteMultipleRegisters(*address, Cow::Borrowed(words)))
        }
        _ => None,
    }
}

/// The length of the PDU that begins with these two bytes, which are the shortest PDU there is.
///
/// # Errors
/// [`OutOfStep`] where it cannot answer the request.
pub(super) fn answer_length(request: &[u8], [function, second]: [u8; 2]) -> Result<usize, OutOfStep> {
    let [requested, _, _, high, low] = *request.first_chunk::<HEAD>().ok_or(OutOfStep)?;
    if function == requested | EXCEPTION {
        Ok(2)
    } else if function != requested {
        Err(OutOfStep)
    } else if function == WRITE_MULTIPLE {
        Ok(HEAD)
    } else if u16::from(second) == u16::from_be_bytes([high, low]).saturating_mul(2) {
        Ok(2 + usize::from(second))
    } else {
        Err(OutOfStep)
    }
}

/// Whether a PDU of that length answers the request: the answer to a write repeats address and register count.
pub(super) fn is_answer(request: &[u8], answer: &[u8]) -> bool {
    answer.first() != Some(&WRITE_MULTIPLE) || request.get(..HEAD) == Some(answer)
}
