//! Modbus TCP as a master speaks it: transaction, protocol, length, unit, PDU.
//!
//! Transaction numbers go on from one connection of an endpoint to the next and begin anywhere. Where they begin anew with each
//! connection, an answer that a gateway hands late to the next one carries a number that was just given out again: 198 of 10,011
//! late answers were taken for another's then (`poll.misattributed`).

use super::{LinkError, Registers, pdu};
use crate::decoding::{OutOfStep, Progress};
use domain::rng::Rng;

/// Transaction, protocol, length, unit.
const HEADER: usize = 7;

/// The transaction numbers of an endpoint.
#[derive(Debug)]
pub(super) struct Transactions(u16);

impl Transactions {
    /// What a process before this one asked may still be answered, so they begin anywhere.
    pub(super) fn new(rng: &Rng) -> Self {
        let [high, low] = rng.bytes();
        Self(u16::from_be_bytes([high, low]))
    }

    /// One that the 65,535 requests before did not have.
    pub(super) const fn next(&mut self) -> u16 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// The bytes of a request; `None` where it asks for more than a frame can carry.
pub(super) fn request(transaction: u16, unit: u8, registers: &Registers) -> Option<Vec<u8>> {
    let pdu = pdu::request(registers)?;
    let length = u16::try_from(1 + pdu.len()).ok()?;
    Some([&header(transaction, length, unit)[..], &pdu].concat())
}

/// Reads the answer to a request as it comes in: every byte of the header is known beforehand.
///
/// # Errors
/// [`OutOfStep`] with the first bytes that cannot belong to it.
pub(super) fn answer(
    transaction: u16,
    unit: u8,
    registers: &Registers,
    came: &[u8],
) -> Result<Progress<Result<Vec<u16>, LinkError>>, OutOfStep> {
    // The shortest answer of all is an exception: function, code.
    let Some((head, pdu)) = came.split_at_checked(HEADER).filter(|(_, pdu)| pdu.len() >= 2) else {
        return Ok(Progress::More(HEADER + 2 - came.len()));
    };
    let length = pdu::length(registers, *pdu.first_chunk().ok_or(OutOfStep)?)?;
    if head != header(transaction, u16::try_from(1 + length).map_err(|_| OutOfStep)?, unit) {
        return Err(OutOfStep);
    }
    match pdu.get(..length) {
        Some(pdu) => pdu::decode(registers, pdu).map(Progress::Whole),
        None => Ok(Progress::More(length - pdu.len())),
    }
}

const fn header(transaction: u16, length: u16, unit: u8) -> [u8; HEADER] {
    let ([t0, t1], [l0, l1]) = (transaction.to_be_bytes(), length.to_be_bytes());
    [t0, t1, 0, 0, l0, l1, unit]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Area;

    const READ: Registers = Registers::Read { area: Area::Holding, address: 0x6b, count: 3 };
    const ANSWER: [u8; 15] = [0x12, 0x34, 0, 0, 0, 9, 0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];

    fn write() -> Registers {
        Registers::Write { address: 0x0200, words: vec![0x0102, 0x0304] }
    }

    #[test]
    fn requests_as_published() {
        assert_eq!(request(0x1234, 0x11, &READ).unwrap(), [0x12, 0x34, 0, 0, 0, 6, 0x11, 3, 0, 0x6b, 0, 3]);
        let bytes = request(0xffff, 1, &write()).unwrap();
        assert_eq!(bytes, [0xff, 0xff, 0, 0, 0, 11, 1, 0x10, 2, 0, 0, 2, 4, 1, 2, 3, 4]);
        for count in [126, 0] {
            assert_eq!(request(0, 1, &Registers::Read { area: Area::Input, address: 0, count }), None);
        }
    }

    #[test]
    fn an_answer_is_taken_whole_and_never_a_byte_more() {
        for end in 0..ANSWER.len() {
            let Ok(Progress::More(missing)) = answer(0x1234, 0x11, &READ, &ANSWER[..end]) else { panic!("{end} are not enough") };
            assert!(missing > 0 && end + missing <= ANSWER.len(), "{missing} more after {end}");
        }
        assert_eq!(answer(0x1234, 0x11, &READ, &ANSWER), Ok(Progress::Whole(Ok(vec![0x022b, 0, 0x64]))));
        let written = [0, 7, 0, 0, 0, 6, 1, 0x10, 2, 0, 0, 2];
        assert_eq!(answer(7, 1, &write(), &written), Ok(Progress::Whole(Ok(Vec::new()))));
        let refused = [0, 7, 0, 0, 0, 3, 1, 0x90, 0x0b];
        assert_eq!(answer(7, 1, &write(), &refused), Ok(Progress::Whole(Err(LinkError::Exception(0x0b)))));
    }

    #[test]
    fn a_byte_that_is_not_as_it_must_be_is_out_of_step() {
        // Transaction, protocol, length, unit, function, byte count: the values behind them are the meter's.
        for at in 0..9 {
            let mut odd = ANSWER;
            odd[at] ^= 1;
            assert_eq!(answer(0x1234, 0x11, &READ, &odd), Err(OutOfStep), "byte {at}");
        }
        for at in [5, 8, 9, 10, 11] {
            let mut odd = [0, 7, 0, 0, 0, 6, 1, 0x10, 2, 0, 0, 2];
            odd[at] ^= 1;
            assert_eq!(answer(7, 1, &write(), &odd), Err(OutOfStep), "byte {at}");
        }
        let longer = [0, 7, 0, 0, 0, 4, 1, 0x83, 2, 0];
        assert_eq!(answer(7, 1, &READ, &longer), Err(OutOfStep), "an exception with something behind it");
    }

    #[test]
    fn numbers_go_on_and_come_round() {
        let mut numbers = Transactions(0xfffe);
        assert_eq!([numbers.next(), numbers.next(), numbers.next()], [0xffff, 0, 1]);
        let [one, other] = [[1; 32], [2; 32]].map(|seed| Transactions::new(&Rng::from_seed(seed)).next());
        assert_ne!(one, other, "two processes begin apart");
    }
}
