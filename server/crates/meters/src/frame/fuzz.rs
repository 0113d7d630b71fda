//! Fuzzing of secured frames and of registers: a modified frame is never opened, and registers are decoded or rejected without a
//! panic.

use super::*;
use crate::codec::DecodedValues;
use crate::profile::{MeterField, Profiles};
use test_support::fuzz::run;

#[test]
fn fuzz_sealed_frames() {
    let keys = MasterKeys::parse(
        "90fabd8283b1472d07539cb0452457a2",
        "341caf8156fc73c1d834a937fe58f8ee",
        "c2424cc747d4bb92d869bca87c7d7096f793405852460068c1e2c20c6c448a84",
    )
    .unwrap();
    let serial: Serial = "474853287248".parse().unwrap();
    let genuine = ["credit_1", "credit_2"]
        .map(|name| format!("{}/../test-support/corpus/secured_frame/{name}.hex", env!("CARGO_MANIFEST_DIR")));
    let genuine = genuine.map(|path| hex::decode(std::fs::read_to_string(path).unwrap().lines().last().unwrap()).unwrap());
    run(
        "secured_frame",
        |_| (),
        |input| {
            let opened = open(&keys, serial, input);
            assert_eq!(opened.is_ok(), genuine.iter().any(|frame| frame == input), "{opened:?}");
        },
    );
}

#[test]
fn fuzz_registers_of_every_profile() {
    let profiles = Profiles::load(None).unwrap();
    run(
        "registers",
        |_| (),
        |input| {
            let words: Vec<u16> = input.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            for profile in profiles.iter() {
                for read in profile.plan.whole.iter().chain(&profile.plan.meter_status) {
                    let count = usize::from(read.count);
                    let mut registers = words.clone();
                    registers.resize(count, 0);
                    assert!(
                        DecodedValues::default().decode_block(profile, read, &[&*registers, &[0]].concat()).is_err(),
                        "one register too many"
                    );
                    let mut values = DecodedValues::default();
                    if values.decode_block(profile, read, &registers).is_err() {
                        continue;
                    }
                    let _ = (values.measurement(), values.meter_status(profile.abilities.wallet), values.serial());
                    if let (Some(result), Ok(Some(serial))) = (values.get(MeterField::LastResult), values.serial()) {
                        let result = u8::try_from(result).unwrap();
                        assert!(FrameResult::from_code(result).is_none_or(|result_code| result_code as u8 == result));
                        let shown: Vec<u8> = registers.iter().take(3).flat_map(|word| word.to_be_bytes()).collect();
                        assert_eq!(serial.bytes()[..], shown, "the serial number is the block's own");
                    }
                }
            }
        },
    );
}
