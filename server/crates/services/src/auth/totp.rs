//! Codes of the second factor: RFC 6238 with SHA-1, six digits and 30 s, which is what all authenticator apps understand.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use model::time::{SECOND, Timestamp};

/// Bytes of a secret: as many as SHA-1 gives (RFC 4226, 4).
pub const SECRET: usize = 20;
/// How long a code is valid, s.
const PERIOD: i64 = 30;
/// Steps before and after the current one whose codes are accepted too: clocks differ, and people type.
const DRIFT: [i64; 3] = [0, -1, 1];

/// The time step of a code that is valid now.
#[must_use]
pub fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.0.div_euclid(PERIOD * SECOND);
    let same = |step: &i64| aws_lc_rs::constant_time::verify_slices_are_equal(at(secret, *step).as_bytes(), code.as_bytes());
    DRIFT.iter().map(|drift| current + drift).find(|step| same(step).is_ok())
}

/// The code of a time step.
#[must_use]
pub fn at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 15);
    let part = bytes.get(offset..offset + 4).and_then(|part| <[u8; 4]>::try_from(part).ok()).unwrap_or_default();
    format!("{:06}", (u32::from_be_bytes(part) & 0x7fff_ffff) % 1_000_000)
}

/// The secret as a person types it: base 32 in groups of four.
#[must_use]
pub fn typed(secret: &[u8]) -> String {
    let text = BASE32_NOPAD.encode(secret);
    let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

/// The address that apps read from the picture.
#[must_use]
pub fn address(secret: &[u8], login: &str, issuer: &str) -> String {
    let encoded = |text: &str| app::link::with("", "", text).trim_start_matches("?=").replace('/', "%2F");
    let (issuer, login) = (encoded(issuer), encoded(login));
    format!("otpauth://totp/{issuer}:{login}?secret={}&issuer={issuer}", BASE32_NOPAD.encode(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six digits.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(at(b"12345678901234567890", seconds / PERIOD), code);
        }
    }

    #[test]
    fn neighbouring_steps_are_accepted_and_no_others() {
        let (secret, now) = (b"12345678901234567890", Timestamp(1_234_567_890_000));
        let current = now.0 / 30_000;
        for (drift, accepted) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = at(secret, current + drift);
            assert_eq!(step_of(secret, &code, now), accepted.then_some(current + drift));
        }
        assert_eq!(step_of(secret, " 005 924 ", now), Some(current));
        for wrong in ["", "005923", "5924", "0059240", "codes"] {
            assert_eq!(step_of(secret, wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn the_secret_is_given_as_text_and_as_an_address() {
        assert_eq!(typed(b"12345678901234567890"), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            address(b"12345678901234567890", "wang", "东区/Dormwatt"),
            "otpauth://totp/%E4%B8%9C%E5%8C%BA%2FDormwatt:wang?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=%E4%B8%9C%E5%8C%BA%2FDormwatt"
        );
    }
}
