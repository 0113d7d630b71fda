//! Bytes of a gateway's TCP connection in its framing: parsing requests from a stream, and encoding replies.

use super::dlt645::{self, Frame};
use super::modbus::{self, HEADER, Header};
use super::rtu;
use domain::framing::Framing;

/// A request of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Modbus {
        unit: u8,
        pdu: Vec<u8>,
    },
    /// The frame names its meter.
    Dlt645(Frame),
}

/// A reply of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Modbus { unit: u8, pdu: Vec<u8> },
    Dlt645(Frame),
}

impl Ask {
    /// Length on a serial bus without the Modbus envelope, for bus timing.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Modbus { pdu, .. } => pdu.len(),
            Self::Dlt645(frame) => frame.data.len() + dlt645::ENVELOPE - rtu::ENVELOPE,
        }
    }
}

impl Reply {
    /// The same reply with another meter's address.
    #[must_use]
    pub fn of_another(self) -> Self {
        match self {
            Self::Modbus { unit, pdu } => Self::Modbus { unit: unit.wrapping_add(1), pdu },
            Self::Dlt645(frame) => Self::Dlt645(frame.of_another()),
        }
    }

    /// The same reply without its last two bytes, with a consistent frame around it.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        let (Self::Modbus { pdu: bytes, .. } | Self::Dlt645(Frame { data: bytes, .. })) = &mut self;
        bytes.truncate(bytes.len().saturating_sub(2).max(1));
        self
    }

    /// As [`Ask::length`].
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Modbus { pdu, .. } => pdu.len(),
            Self::Dlt645(frame) => frame.data.len() + dlt645::ENVELOPE - rtu::ENVELOPE,
        }
    }
}

/// The beginning of the received bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A request, with its transaction number if the framing has one.
    Ask(u16, Ask),
    /// An incomplete request.
    More,
    /// Bytes that do not match the framing; the connection cannot be resynchronised.
    Foreign,
}

/// Removes the next request from the received bytes.
pub fn take(framing: Framing, came: &mut Vec<u8>) -> Step {
    match framing {
        Framing::ModbusTcp | Framing::ModbusTls => take_tcp(came),
        Framing::Transparent => take_bus(came),
    }
}

fn take_tcp(came: &mut Vec<u8>) -> Step {
    let Some(start) = came.first_chunk::<HEADER>() else { return Step::More };
    let Some(Header { transaction, length, unit }) = Header::parse(*start) else { return Step::Foreign };
    let Some(pdu) = came.get(HEADER..HEADER + length).map(<[u8]>::to_vec) else { return Step::More };
    came.drain(..HEADER + length);
    Step::Ask(transaction, Ask::Modbus { unit, pdu })
}

/// Meters of both protocols share the bus; bytes that belong to neither are skipped.
fn take_bus(came: &mut Vec<u8>) -> Step {
    for start in 0..came.len() {
        let rest = came.get(start..).unwrap_or_default();
        let found = rtu::request(rest).map(|(unit, pdu, length)| (Ask::Modbus { unit, pdu }, length));
        let found = found.or_else(|| Frame::parse(rest).map(|(frame, length)| (Ask::Dlt645(frame), length)));
        if let Some((ask, length)) = found {
            came.drain(..start + length);
            return Step::Ask(0, ask);
        }
    }
    // Of noise, keeps only what may be the beginning of a request.
    came.drain(..came.len().saturating_sub(rtu::LONGEST.max(dlt645::LONGEST)));
    Step::More
}

/// Encodes the reply to a transaction.
#[must_use]
pub fn put(framing: Framing, transaction: u16, reply: &Reply) -> Vec<u8> {
    match (framing, reply) {
        (Framing::Transparent, Reply::Modbus { unit, pdu }) => rtu::frame(*unit, pdu),
        (_, Reply::Modbus { unit, pdu }) => modbus::frame(transaction, *unit, pdu),
        (_, Reply::Dlt645(frame)) => frame.bytes(),
    }
}

/// Encodes a reply with a wrong check value: transaction number, CRC or checksum.
#[must_use]
pub fn put_broken(framing: Framing, transaction: u16, reply: &Reply) -> Vec<u8> {
    let mut bytes = put(framing, transaction.wrapping_add(1), reply);
    let check = match (framing, reply) {
        (Framing::Transparent, Reply::Modbus { .. }) => bytes.last_mut(),
        (_, Reply::Dlt645(_)) => bytes.iter_mut().rev().nth(1),
        _ => None,
    };
    if let Some(check) = check {
        *check ^= 0x5a;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlt645::Address;

    fn read() -> Ask {
        Ask::Modbus { unit: 0x68, pdu: vec![3, 0, 0, 0, 2] }
    }

    #[test]
    fn both_protocols_share_a_stream_and_noise_is_skipped() {
        let time = Frame { address: Address::All, control: 8, data: vec![0; 6] };
        let mut came = vec![0xff, 0x00, 0x68];
        came.extend(rtu::frame(0x68, &[3, 0, 0, 0, 2]));
        came.extend(time.bytes());
        came.extend([1, 3, 0]);
        assert_eq!(take(Framing::Transparent, &mut came), Step::Ask(0, read()));
        assert_eq!(take(Framing::Transparent, &mut came), Step::Ask(0, Ask::Dlt645(time)));
        assert_eq!(take(Framing::Transparent, &mut came), Step::More);
        came.extend(vec![0; 5_000]);
        assert_eq!(take(Framing::Transparent, &mut came), Step::More);
        assert!(came.len() < 300, "noise is discarded");
    }

    #[test]
    fn a_header_of_another_protocol_is_foreign() {
        assert_eq!(take(Framing::ModbusTcp, &mut b"GET / HTTP/1.1".to_vec()), Step::Foreign);
        let mut came = modbus::frame(7, 0x68, &[3, 0, 0, 0, 2]);
        let last = came.pop().unwrap();
        assert_eq!(take(Framing::ModbusTls, &mut came), Step::More);
        came.push(last);
        assert_eq!(take(Framing::ModbusTls, &mut came), Step::Ask(7, read()));
        assert!(came.is_empty());
    }

    #[test]
    fn a_bad_check_is_that_of_the_framing() {
        let reply = Reply::Modbus { unit: 1, pdu: vec![3, 2, 0, 1] };
        assert_eq!(put_broken(Framing::ModbusTcp, 7, &reply), put(Framing::ModbusTcp, 8, &reply));
        let [good, bad] = [put(Framing::Transparent, 0, &reply), put_broken(Framing::Transparent, 0, &reply)];
        assert_eq!(good[..6], bad[..6]);
        assert_ne!(good[6], bad[6]);
        let frame = Frame { address: Address::All, control: 0x91, data: vec![1] };
        assert_eq!(Frame::parse(&put_broken(Framing::Transparent, 0, &Reply::Dlt645(frame))), None);
    }
}
