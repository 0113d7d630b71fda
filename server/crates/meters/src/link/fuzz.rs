//! Modbus answers of all kinds against one request: what is accepted is, byte for byte, the one frame that answers it, and
//! tokio-modbus decodes every frame that is accepted.

use futures::executor::block_on;
use test_support::fuzz::run;

use super::modbus::Adu;
use super::modbus::tests::{decode, encode};
use super::*;
use crate::fuzz::feed;

const UNIT: u8 = 0x11;
const READ: Registers = Registers::Read { area: Area::Holding, address: 0x6b, count: 3 };

fn write() -> Registers {
    Registers::Write { address: 0x0200, words: vec![1, 2] }
}

/// Unit and PDU of an answer.
fn body(request: &Registers, answer: &Result<Vec<u16>, LinkError>) -> Vec<u8> {
    match (request, answer) {
        (Registers::Read { .. }, Ok(words)) => {
            [vec![UNIT, 3, 2 * words.len() as u8], words.iter().flat_map(|word| word.to_be_bytes()).collect()].concat()
        }
        (Registers::Write { .. }, Ok(_)) => vec![UNIT, 0x10, 2, 0, 0, 2],
        (Registers::Read { .. }, Err(LinkError::Exception(code))) => vec![UNIT, 0x83, *code],
        (Registers::Write { .. }, Err(LinkError::Exception(code))) => vec![UNIT, 0x90, *code],
        (_, Err(other)) => panic!("{other}"),
    }
}

/// Runs the decoder's corpus; `enclose` makes a frame of unit and PDU.
fn accepts_one_frame(
    (decoder, adu, registers): (&str, Adu, &Registers),
    repair: fn(&mut [u8]),
    enclose: impl Fn(Vec<u8>) -> Vec<u8>,
) {
    let request = block_on(encode(adu, 0, UNIT, registers)).unwrap();
    run(decoder, repair, |input| {
        let Some((taken, Ok(whole))) = feed(input, |received| adu.answer(&request, received)) else { return };
        assert_eq!(hex::encode(taken), hex::encode(whole));
        let answer = block_on(decode(adu, 0, UNIT, registers, taken));
        assert_eq!(hex::encode(taken), hex::encode(enclose(body(registers, &answer))));
    });
}

fn repair_crc(input: &mut [u8]) {
    if let Some(end) = input.len().checked_sub(2) {
        let crc = rtu::crc(&input[..end]).to_le_bytes();
        input[end..].copy_from_slice(&crc);
    }
}

#[test]
fn fuzz_rtu_answers() {
    let enclose = |body: Vec<u8>| [&*body, &rtu::crc(&body).to_le_bytes()].concat();
    accepts_one_frame(("rtu_read", Adu::Rtu, &READ), repair_crc, enclose);
    accepts_one_frame(("rtu_write", Adu::Rtu, &write()), repair_crc, enclose);
}

/// Sets the length in the header to that of what follows.
fn repair_length(input: &mut [u8]) {
    let length = input.len().saturating_sub(6) as u16;
    if let Some(field) = input.get_mut(4..6) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

#[test]
fn fuzz_modbus_tcp_answers() {
    let enclose = |body: Vec<u8>| [&[0, 0, 0, 0, 0, body.len() as u8], &*body].concat();
    accepts_one_frame(("tcp_read", Adu::Mbap, &READ), repair_length, enclose);
    accepts_one_frame(("tcp_write", Adu::Mbap, &write()), repair_length, enclose);
}
