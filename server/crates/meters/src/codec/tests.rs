use super::super::profile::Profiles;
use super::*;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

static RPP: LazyLock<Arc<Profile>> = LazyLock::new(|| Profiles::load(None).unwrap().get("rpp").unwrap());

/// The n-th request of a full reading.
fn read(n: usize) -> ReadRequest {
    *RPP.plan.whole.get(n).unwrap()
}

fn state(registers: &[u16]) -> Result<StateBlock, DecodeError> {
    let mut values = DecodedValues::default();
    values.decode_block(&RPP, &read(0), registers)?;
    match values.meter_status(Wallet::Meter)? {
        MeterStatus::Wallet(state) => Ok(state),
        MeterStatus::Plain(_) => panic!("a wallet"),
    }
}

fn measurement(registers: &[u16]) -> Result<Measurement, DecodeError> {
    let mut values = DecodedValues::default();
    values.decode_block(&RPP, &read(1), registers)?;
    values.measurement()
}

fn state_block() -> Vec<u16> {
    let mut r = vec![0; 38];
    r[0..3].copy_from_slice(&[0x0060, 0x2677, 0x3546]);
    r[3] = 0b11;
    r[4..6].copy_from_slice(&[0xffff, 0xfffb]);
    r[6..8].copy_from_slice(&[0, 12_345]);
    (r[8], r[9]) = (7, 2);
    r[0x0a..0x0c].copy_from_slice(&[0, 3]);
    r[0x0d..0x10].copy_from_slice(&[0x2611, 0x2218, 0x3000]);
    r[0x10..0x12].copy_from_slice(&[0x9b58, 0x3cb4]);
    r[0x12] = 0x0203;
    r[0x13..0x17].copy_from_slice(&[0xffff, 0, 0, 9]);
    r[0x1b..0x1f].copy_from_slice(&[0x6407, 0x3537, 0x0388, 0x6369]);
    (r[0x1f], r[0x20]) = (4, 3);
    r
}

#[test]
fn state_block_is_decoded() {
    let s = state(&state_block()).unwrap();
    assert_eq!(s.serial.to_string(), "006026773546");
    assert_eq!((s.remaining, s.overdraft(), s.cumulative), (Fen(-5), Fen(5), Fen(12_345)));
    assert_eq!((s.count, s.epoch, s.reverse), (7, 2, Energy(30)));
    assert_eq!(s.clock.unwrap().to_string(), "2026-11-22 18:30:00");
    assert_eq!(MeterStatus::Wallet(s).clock_offset_s(s.clock.unwrap().plus(2_500)), Some(-2));
    assert_eq!((s.challenge, s.last_operation, s.last_result), ([0x9b, 0x58, 0x3c, 0xb4], 2, 3));
    assert_eq!(s.last_order, 0xffff_0000_0000_0009);
    assert_eq!(s.account.to_string(), "6407353703886369");
    assert_eq!((s.tamper, s.accepts), (4, 3));
}

#[test]
fn measurement_block_is_decoded() {
    let mut r = vec![0; 17];
    r[0..2].copy_from_slice(&[0x05f5, 0xe0ff]);
    (r[0xb], r[0xc], r[0xd], r[0x10]) = (2_301, 512, 0xfffe, 0xfc18);
    let m = measurement(&r).unwrap();
    assert_eq!(m.total, Energy::from_centi_kwh(99_999_999));
    assert_eq!((m.voltage_dv, m.current_ca), (Some(2_301), Some(512)));
    assert_eq!((m.power_w, m.power_factor), (Some(-2), Some(-1_000)));
}

#[test]
fn invalid_clock_is_unknown_and_invalid_serial_an_error() {
    let mut r = state_block();
    r[0x0d] = 0xffff;
    assert_eq!(state(&r).unwrap().clock, None);
    r[1] = 0xa677;
    assert_eq!(state(&r), Err(DecodeError::Value(MeterField::Serial)));
}

proptest! {
    #[test]
    fn arbitrary_registers_are_decoded_or_rejected(registers in prop::collection::vec(any::<u16>(), 0..130)) {
        let read = state(&registers);
        let refused = matches!(read, Err(DecodeError::Length { .. }));
        prop_assert!(registers.len() == 38 || refused);
        let read = measurement(&registers);
        prop_assert_eq!(registers.len() == 17, read.is_ok());
    }

    #[test]
    fn any_state_with_valid_digits_is_decoded(mut registers in prop::collection::vec(any::<u16>(), 38)) {
        registers[0..3].copy_from_slice(&[0x0060, 0x2677, 0x3546]);
        registers[0x1b..0x1f].copy_from_slice(&[0; 4]);
        prop_assert!(state(&registers).is_ok());
    }
}
