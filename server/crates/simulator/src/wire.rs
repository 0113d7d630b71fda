//! Bytes of a gateway's TCP connection in its framing: parsing requests from a stream, and encoding replies.

use super::dlt645::{self, Frame};
use super::modbus::{self, HEADER, Header};
use super::rtu;
use domain::framing::Framing;

/// A request of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusRequest {
    Modbus {
        unit: u8,
        pdu: Vec<u8>,
    },
    /// The frame names its meter.
    Dlt645(Frame),
}

/// A reply of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusReply {
    Modbus { unit: u8, pdu: Vec<u8> },
    Dlt645(Frame),
}

impl BusRequest {
    /// Length on a serial bus without the Modbus envelope, for bus timing.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Modbus { pdu, .. } => pdu.len(),
            Self::Dlt645(frame) => frame.data.len() + dlt645::ENVELOPE - rtu::ENVELOPE,
        }
    }
}

impl BusReply {
    /// The same reply with another meter's address.
    #[must_use]
    pub fn with_other_address(self) -> Self {
        match self {
            Self::Modbus { unit, pdu } => Self::Modbus { unit: unit.wrapping_add(1), pdu },
            Self::Dlt645(frame) => Self::Dlt645(frame.with_other_address()),
        }
    }

    /// The same reply without its last two bytes, with a consistent frame around it.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        let (Self::Modbus { pdu: bytes, .. } | Self::Dlt645(Frame { data: bytes, .. })) = &mut self;
        bytes.truncate(bytes.len().saturating_sub(2).max(1));
        self
    }

    /// As [`BusRequest::length`].
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
pub enum ParsedInput {
    /// A request, with its transaction number if the framing has one.
    Request(u16, BusRequest),
    /// An incomplete request.
    Incomplete,
    /// Bytes that do not match the framing; the connection cannot be resynchronised.
    Foreign,
}

/// Removes the next request from the received bytes.
pub fn parse_request(framing: Framing, received: &mut Vec<u8>) -> ParsedInput {
    match framing {
        Framing::ModbusTcp | Framing::ModbusTls => parse_tcp(received),
        Framing::Transparent => parse_bus(received),
    }
}

fn parse_tcp(received: &mut Vec<u8>) -> ParsedInput {
    let Some(start) = received.first_chunk::<HEADER>() else { return ParsedInput::Incomplete };
    let Some(Header { transaction, length, unit }) = Header::parse(*start) else { return ParsedInput::Foreign };
    let Some(pdu) = received.get(HEADER..HEADER + length).map(<[u8]>::to_vec) else { return ParsedInput::Incomplete };
    received.drain(..HEADER + length);
    ParsedInput::Request(transaction, BusRequest::Modbus { unit, pdu })
}

/// Meters of both protocols share the bus; bytes that belong to neither are skipped.
fn parse_bus(received: &mut Vec<u8>) -> ParsedInput {
    for start in 0..received.len() {
        let rest = received.get(start..).unwrap_or_default();
        let found = rtu::request(rest).map(|(unit, pdu, length)| (BusRequest::Modbus { unit, pdu }, length));
        let found = found.or_else(|| Frame::parse(rest).map(|(frame, length)| (BusRequest::Dlt645(frame), length)));
        if let Some((request, length)) = found {
            received.drain(..start + length);
            return ParsedInput::Request(0, request);
        }
    }
    // Of noise, keeps only what may be the beginning of a request.
    received.drain(..received.len().saturating_sub(rtu::LONGEST.max(dlt645::LONGEST)));
    ParsedInput::Incomplete
}

/// Encodes the reply to a transaction.
#[must_use]
pub fn encode_reply(framing: Framing, transaction: u16, reply: &BusReply) -> Vec<u8> {
    match (framing, reply) {
        (Framing::Transparent, BusReply::Modbus { unit, pdu }) => rtu::frame(*unit, pdu),
        (_, BusReply::Modbus { unit, pdu }) => modbus::frame(transaction, *unit, pdu),
        (_, BusReply::Dlt645(frame)) => frame.bytes(),
    }
}

/// Encodes a reply with a wrong check value: transaction number, CRC or checksum.
#[must_use]
pub fn encode_with_bad_check(framing: Framing, transaction: u16, reply: &BusReply) -> Vec<u8> {
    let mut bytes = encode_reply(framing, transaction.wrapping_add(1), reply);
    let check = match (framing, reply) {
        (Framing::Transparent, BusReply::Modbus { .. }) => bytes.last_mut(),
        (_, BusReply::Dlt645(_)) => bytes.iter_mut().rev().nth(1),
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

    fn read() -> BusRequest {
        BusRequest::Modbus { unit: 0x68, pdu: vec![3, 0, 0, 0, 2] }
    }

    #[test]
    fn both_protocols_share_a_stream_and_noise_is_skipped() {
        let time = Frame { address: Address::All, control: 8, data: vec![0; 6] };
        let mut received = vec![0xff, 0x00, 0x68];
        received.extend(rtu::frame(0x68, &[3, 0, 0, 0, 2]));
        received.extend(time.bytes());
        received.extend([1, 3, 0]);
        assert_eq!(parse_request(Framing::Transparent, &mut received), ParsedInput::Request(0, read()));
        assert_eq!(parse_request(Framing::Transparent, &mut received), ParsedInput::Request(0, BusRequest::Dlt645(time)));
        assert_eq!(parse_request(Framing::Transparent, &mut received), ParsedInput::Incomplete);
        received.extend(vec![0; 5_000]);
        assert_eq!(parse_request(Framing::Transparent, &mut received), ParsedInput::Incomplete);
        assert!(received.len() < 300, "noise is discarded");
    }

    #[test]
    fn a_header_of_another_protocol_is_foreign() {
        assert_eq!(parse_request(Framing::ModbusTcp, &mut b"GET / HTTP/1.1".to_vec()), ParsedInput::Foreign);
        let mut received = modbus::frame(7, 0x68, &[3, 0, 0, 0, 2]);
        let last = received.pop().unwrap();
        assert_eq!(parse_request(Framing::ModbusTls, &mut received), ParsedInput::Incomplete);
        received.push(last);
        assert_eq!(parse_request(Framing::ModbusTls, &mut received), ParsedInput::Request(7, read()));
        assert!(received.is_empty());
    }

    #[test]
    fn a_bad_check_is_that_of_the_framing() {
        let reply = BusReply::Modbus { unit: 1, pdu: vec![3, 2, 0, 1] };
        assert_eq!(encode_with_bad_check(Framing::ModbusTcp, 7, &reply), encode_reply(Framing::ModbusTcp, 8, &reply));
        let [good, bad] = [encode_reply(Framing::Transparent, 0, &reply), encode_with_bad_check(Framing::Transparent, 0, &reply)];
        assert_eq!(good[..6], bad[..6]);
        assert_ne!(good[6], bad[6]);
        let frame = Frame { address: Address::All, control: 0x91, data: vec![1] };
        assert_eq!(Frame::parse(&encode_with_bad_check(Framing::Transparent, 0, &BusReply::Dlt645(frame))), None);
    }
}
