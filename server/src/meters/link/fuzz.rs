//! Modbus answers of all kinds against one request: what is accepted is, byte for byte, the one frame that answers it.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::connection::Connection;
use super::*;
use crate::meters::dlt645::Access;
use crate::meters::fuzz::{feed, run};

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

#[test]
fn fuzz_modbus_tcp_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for (corpus, request) in [("tcp_read", READ), ("tcp_write", write())] {
        let action = Action::Modbus(UNIT, request);
        let Action::Modbus(_, request) = &action else { return };
        run(corpus, repair_length, |input| {
            let said = runtime.block_on(async {
                let (ours, mut theirs) = tokio::io::duplex(4_096);
                theirs.write_all(input).await.unwrap();
                theirs.shutdown().await.unwrap();
                let mut connection = Connection::modbus(Box::new(ours));
                connection.exchange(&action, &Access::default(), Duration::from_secs(5)).await
            });
            let said = match said {
                Ok(Given::Words(words)) => Ok(words),
                Ok(Given::Dlt645(_)) => panic!("not asked"),
                Err(LinkError::Exception(code)) => Err(LinkError::Exception(code)),
                Err(error) => return assert_eq!(error, LinkError::Broken),
            };
            let pdu = answer(request, &said);
            let frame = [&[0, 0, 0, 0, 0, pdu.len() as u8], &*pdu].concat();
            let taken = &input[..frame.len().min(input.len())];
            // The client does not mind a length that is more than what it reads: what follows within it is dropped with the frame.
            let counted = input.len() > 5 && usize::from(u16::from_be_bytes([input[4], input[5]])) >= pdu.len();
            assert!(
                counted && taken[..4] == frame[..4] && taken[6..] == frame[6..],
                "{} for {}",
                hex::encode(taken),
                hex::encode(frame)
            );
        });
    }
}
