//! Known answers in both directions, and frames that must be rejected.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vector {
    mk_enc: String,
    mk_mac: String,
    serial: Serial,
    epoch: u16,
    challenge: String,
    op: u8,
    body_after_serial: String,
    k_enc: String,
    k_mac: String,
    frame: String,
    mac: String,
    v2: Vector2,
}

#[derive(Deserialize)]
struct Vector2 {
    mk2: String,
    frame_number: u32,
    key: String,
    frame: String,
    tag: String,
}

#[test]
fn known_answers_in_both_directions() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../profiles/reference/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 26);
    for v in vectors {
        let keys = MasterKeys::parse(&v.mk_enc, &v.mk_mac, &v.v2.mk2).unwrap();
        let challenge = hex::decode(&v.challenge).unwrap().try_into().unwrap();
        let operation = Operation::parse(v.op, &hex::decode(&v.body_after_serial).unwrap()).unwrap();
        assert_eq!(hex::encode(operation.body()), v.body_after_serial);

        assert_eq!(keys.version1(v.serial, v.epoch).map(hex::encode), [v.k_enc, v.k_mac]);
        assert_eq!(hex::encode(keys.version2(v.serial, v.epoch).unwrap()), v.v2.key);
        for (version, frame_number, expected, tag) in
            [(FrameVersion::Tdes, 0, &v.frame, &v.mac), (FrameVersion::Aes, v.v2.frame_number, &v.v2.frame, &v.v2.tag)]
        {
            let header = Header { epoch: v.epoch, challenge, frame_number };
            let sealed = seal(&keys, version, &header, v.serial, &operation).unwrap();
            assert_eq!(&hex::encode(&sealed), expected);
            assert!(hex::encode(&sealed).ends_with(tag));
            let opened = open(&keys, v.serial, &hex::decode(expected).unwrap()).unwrap();
            let operation = Ok(operation.clone());
            assert_eq!(opened, OpenedFrame { version, code: v.op, header, serial: v.serial.bytes(), operation });
        }
    }
}

fn keys() -> MasterKeys {
    MasterKeys { enc: [0x11; 16], mac: [0x22; 16], aes: [0x33; 32] }
}

fn serial() -> Serial {
    "202611230001".parse().unwrap()
}

const HEADER: Header = Header { epoch: 3, challenge: [1, 2, 3, 4], frame_number: 9 };

#[test]
fn length_and_version_are_checked_before_the_mac() {
    let any = |len: usize, version: u8| [&[version][..], &vec![0; len - 1]].concat();
    for (frame, error) in [
        (vec![], FrameError::Length),
        (any(24, 0), FrameError::Version),
        (any(24, 3), FrameError::Version),
        (any(16, 1), FrameError::Length),
        (any(26, 1), FrameError::Length),
        (any(24, 1), FrameError::Mac),
        (any(34, 2), FrameError::Length),
        (any(37, 2), FrameError::Length),
        (any(36, 2), FrameError::Mac),
    ] {
        assert_eq!(open(&keys(), serial(), &frame), Err(error), "{}", frame.len());
    }
}

#[test]
fn invalid_fields_and_excess_padding_are_told_apart() {
    for version in [FrameVersion::Tdes, FrameVersion::Aes] {
        let body = |fields: &[u8]| [&serial().bytes()[..], fields].concat();
        let sealed = |code, fields: &[u8]| seal_body(&keys(), version, &HEADER, serial(), code, body(fields)).unwrap();
        let opened = |frame: Vec<u8>| open(&keys(), serial(), &frame).unwrap().operation;
        assert_eq!(opened(sealed(6, &[2])), Err(ParseError::Range));
        assert_eq!(opened(sealed(0x20, &[1])), Err(ParseError::Operation(0x20)));
        assert_eq!(opened(sealed(6, &[1])), Ok(Operation::UserSwitch(true)));
        // Two bytes fill the block in either version, so these eight are one block of padding too many.
        assert_eq!(opened(sealed(6, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0])), Err(ParseError::Length));
    }
}

#[test]
fn a_frame_for_another_meter_is_rejected() {
    for version in [FrameVersion::Tdes, FrameVersion::Aes] {
        let frame = seal(&keys(), version, &HEADER, serial(), &Operation::UserSwitch(true)).unwrap();
        assert_eq!(open(&keys(), "202611230002".parse().unwrap(), &frame), Err(FrameError::Mac));
    }
}

#[test]
fn the_best_announced_version_is_used() {
    assert_eq!(
        [0, 1, 2, 3, 4].map(FrameVersion::best),
        [None, Some(FrameVersion::Tdes), Some(FrameVersion::Aes), Some(FrameVersion::Aes), None]
    );
}

proptest! {
    #[test]
    fn any_flipped_bit_is_rejected(aes: bool, order: u64, count: u16, amount: u32, at: prop::sample::Index) {
        let version = if aes { FrameVersion::Aes } else { FrameVersion::Tdes };
        let operation = Operation::Credit { order, count, amount };
        let mut frame = seal(&keys(), version, &HEADER, serial(), &operation).unwrap();
        let bit = at.index(frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open(&keys(), serial(), &frame).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_rejected(version in 0u8..4, mut frame in prop::collection::vec(any::<u8>(), 1..80)) {
        frame[0] = version;
        prop_assert!(open(&keys(), serial(), &frame).is_err());
    }
}
