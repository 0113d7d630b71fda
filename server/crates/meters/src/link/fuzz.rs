//! Modbus answers of all kinds against one request: what is accepted is, byte for byte, the one frame that answers it.

use super::*;
use crate::fuzz::feed;
use test_support::fuzz::run;

const UNIT: u8 = 0x11;
const READ: Registers = Registers::Read { area: Area::Holding, address: 0x6b, count: 3 };

fn write() -> Registers {
    Registers::Write { address: 0x0200, words: vec![1, 2] }
}

/// The PDU that says this, after the unit.
fn answer(request: &Registers, said: &Result<Vec<u16>, LinkError>) -> Vec<u8> {
    match (request, said) {
        (Registers::Read { .. }, Ok(words)) => {
            [vec![UNIT, 3, 2 * words.len() as u8], words.iter().flat_map(|word| word.to_be_bytes()).collect()].concat()
        }
        (Registers::Write { .. }, Ok(_)) => vec![UNIT, 0x10, 2, 0, 0, 2],
        (Registers::Read { .. }, Err(LinkError::Exception(code))) => vec![UNIT, 0x83, *code],
        (Registers::Write { .. }, Err(LinkError::Exception(code))) => vec![UNIT, 0x90, *code],
        (_, Err(other)) => panic!("{other}"),
    }
}

fn repair_crc(input: &mut [u8]) {
    if let Some(end) = input.len().checked_sub(2) {
        let crc = rtu::crc(&input[..end]).to_le_bytes();
        input[end..].copy_from_slice(&crc);
    }
}

fn rtu_accepts_one_frame(request: &Registers, input: &[u8]) {
    let Some((taken, said)) = feed(input, |came| rtu::answer(UNIT, request, came)) else { return };
    let Ok(said) = said else { return };
    let mut frame = answer(request, &said);
    frame.extend(rtu::crc(&frame).to_le_bytes());
    assert_eq!(hex::encode(taken), hex::encode(frame));
}

#[test]
fn fuzz_rtu_answers() {
    run("rtu_read", repair_crc, |input| rtu_accepts_one_frame(&READ, input));
    run("rtu_write", repair_crc, |input| rtu_accepts_one_frame(&write(), input));
}

/// The length in the header made that of what follows.
fn repair_length(input: &mut [u8]) {
    let length = input.len().saturating_sub(6) as u16;
    if let Some(field) = input.get_mut(4..6) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

fn tcp_accepts_one_frame(request: &Registers, input: &[u8]) {
    let Some((taken, said)) = feed(input, |came| mbap::answer(0, UNIT, request, came)) else { return };
    let Ok(said) = said else { return };
    let pdu = answer(request, &said);
    assert_eq!(hex::encode(taken), hex::encode([&[0, 0, 0, 0, 0, pdu.len() as u8], &*pdu].concat()));
}

#[test]
fn fuzz_modbus_tcp_answers() {
    run("tcp_read", repair_length, |input| tcp_accepts_one_frame(&READ, input));
    run("tcp_write", repair_length, |input| tcp_accepts_one_frame(&write(), input));
}
