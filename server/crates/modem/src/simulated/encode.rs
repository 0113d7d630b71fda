//! What a network sends to a modem.

use model::time::Timestamp;

use super::SentPart;
use crate::pdu::{Address, Concatenation, DeliveryStatus, Reference, encode_stamp, encode_user_data, split};

/// The parts of a message from a number, with a reference made of its text.
pub fn deliver(from: &str, text: &str, at: Timestamp) -> Vec<String> {
    let Ok(from) = Address::number(from) else { return Vec::new() };
    let payloads = split(text).unwrap_or_default();
    let parts = u8::try_from(payloads.len()).unwrap_or_default();
    let reference = Reference::Eight(text.bytes().fold(0, u8::wrapping_add));
    let pdu = |(part, payload)| {
        let concatenation = (parts > 1).then_some(Concatenation { reference, parts, part });
        let mut pdu = vec![0, if parts > 1 { 0x44 } else { 0x04 }];
        from.encode(&mut pdu);
        let (scheme, length, octets) = encode_user_data(&payload, concatenation);
        pdu.extend([0, scheme]);
        encode_stamp(at, &mut pdu);
        pdu.push(length);
        pdu.extend(octets);
        hex::encode_upper(pdu)
    };
    (1..=parts).zip(payloads).map(pdu).collect()
}

pub fn report(sent: &SentPart, status: DeliveryStatus, at: Timestamp) -> String {
    let mut pdu = vec![0, 0x06, sent.reference];
    if let Ok(to) = Address::number(&sent.to) {
        to.encode(&mut pdu);
    }
    encode_stamp(at, &mut pdu);
    encode_stamp(at, &mut pdu);
    pdu.push(match status {
        DeliveryStatus::Delivered => 0x00,
        DeliveryStatus::Pending => 0x20,
        DeliveryStatus::Undelivered => 0x40,
    });
    hex::encode_upper(pdu)
}
