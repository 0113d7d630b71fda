//! What tokio-modbus does not check about Modbus TCP frames. It numbers the transactions of each connection from 0, so a late
//! answer that a gateway passes on to the next connection can carry the number of a request there. The numbers of an endpoint
//! therefore continue across its connections and start anywhere; frames are renumbered on their way to and from the library.

use super::pdu;
use crate::decoding::{OutOfStep, Progress};
use domain::rng::Rng;

/// Transaction, protocol, length, unit.
const HEADER: usize = 7;

/// The transaction numbers of an endpoint.
#[derive(Debug)]
pub(super) struct Transactions(u16);

impl Transactions {
    /// Starts anywhere, because requests of an earlier process may still be answered.
    pub(super) fn new(rng: &Rng) -> Self {
        let [high, low] = rng.bytes();
        Self(u16::from_be_bytes([high, low]))
    }

    /// A number that none of the 65,535 requests before had.
    pub(super) const fn next(&mut self) -> u16 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// Replaces a frame's transaction number and returns the former one.
pub(super) fn renumber(frame: &mut [u8], number: [u8; 2]) -> [u8; 2] {
    frame.first_chunk_mut().map_or(number, |field| std::mem::replace(field, number))
}

/// Checks an answer while it is received; every byte of its header is known beforehand.
///
/// # Errors
/// [`OutOfStep`] at the first bytes that cannot belong to the answer.
pub(super) fn answer(request: &[u8], received: &[u8]) -> Result<Progress<Vec<u8>>, OutOfStep> {
    let (&[t0, t1, p0, p1, _, _, unit], request) = request.split_first_chunk::<HEADER>().ok_or(OutOfStep)?;
    // The shortest answer is an exception: function, code.
    let Some((header, pdu)) = received.split_at_checked(HEADER).filter(|(_, pdu)| pdu.len() >= 2) else {
        return Ok(Progress::More(HEADER + 2 - received.len()));
    };
    let length = pdu::answer_length(request, *pdu.first_chunk().ok_or(OutOfStep)?)?;
    let [l0, l1] = u16::try_from(1 + length).map_err(|_| OutOfStep)?.to_be_bytes();
    if header != [t0, t1, p0, p1, l0, l1, unit] {
        return Err(OutOfStep);
    }
    match pdu.get(..length) {
        Some(pdu) if pdu::is_answer(request, pdu) => Ok(Progress::Whole([header, pdu].concat())),
        Some(_) => Err(OutOfStep),
        None => Ok(Progress::More(length - pdu.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [u8; 12] = [0x12, 0x34, 0, 0, 0, 6, 0x11, 3, 0, 0x6b, 0, 3];
    const ANSWER: [u8; 15] = [0x12, 0x34, 0, 0, 0, 9, 0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];
    const WRITE: [u8; 17] = [0, 7, 0, 0, 0, 11, 1, 0x10, 2, 0, 0, 2, 4, 1, 2, 3, 4];

    #[test]
    fn an_answer_is_taken_whole_and_never_a_byte_more() {
        for end in 0..ANSWER.len() {
            let Ok(Progress::More(missing)) = answer(&READ, &ANSWER[..end]) else { panic!("{end} are not enough") };
            assert!(missing > 0 && end + missing <= ANSWER.len(), "{missing} more after {end}");
        }
        assert_eq!(answer(&READ, &ANSWER), Ok(Progress::Whole(ANSWER.to_vec())));
        let written = [0, 7, 0, 0, 0, 6, 1, 0x10, 2, 0, 0, 2];
        assert_eq!(answer(&WRITE, &written), Ok(Progress::Whole(written.to_vec())));
        let refused = [0, 7, 0, 0, 0, 3, 1, 0x90, 0x0b];
        assert_eq!(answer(&WRITE, &refused), Ok(Progress::Whole(refused.to_vec())));
    }

    #[test]
    fn a_wrong_byte_is_out_of_step() {
        // Transaction, protocol, length, unit, function, byte count: the values behind them are the meter's.
        for at in 0..9 {
            let mut odd = ANSWER;
            odd[at] ^= 1;
            assert_eq!(answer(&READ, &odd), Err(OutOfStep), "byte {at}");
        }
        for at in [5, 8, 9, 10, 11] {
            let mut odd = [0, 7, 0, 0, 0, 6, 1, 0x10, 2, 0, 0, 2];
            odd[at] ^= 1;
            assert_eq!(answer(&WRITE, &odd), Err(OutOfStep), "byte {at}");
        }
        let longer = [0x12, 0x34, 0, 0, 0, 4, 0x11, 0x83, 2, 0];
        assert_eq!(answer(&READ, &longer), Err(OutOfStep), "an exception with something behind it");
    }

    #[test]
    fn renumbering_changes_two_bytes_and_returns_them() {
        let mut frame = READ;
        assert_eq!(renumber(&mut frame, [0xab, 0xcd]), [0x12, 0x34]);
        assert_eq!((&frame[..2], &frame[2..]), (&[0xab, 0xcd][..], &READ[2..]));
        assert_eq!(renumber(&mut frame, [0x12, 0x34]), [0xab, 0xcd]);
        assert_eq!(frame, READ);
    }

    #[test]
    fn numbers_continue_and_wrap_around() {
        let mut numbers = Transactions(0xfffe);
        assert_eq!([numbers.next(), numbers.next(), numbers.next()], [0xffff, 0, 1]);
        let [one, other] = [[1; 32], [2; 32]].map(|seed| Transactions::new(&Rng::from_seed(seed)).next());
        assert_ne!(one, other, "two processes start apart");
    }
}
