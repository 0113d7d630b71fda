//! Links and forms that this server signs: a person, until when, and what must still hold when it is used.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::ids::{UserId, Uuid};
use model::time::{SECOND, Timestamp};

/// Bytes of the signature that are kept; 128 bits cannot be guessed.
const MAC: usize = 16;
/// Characters of what is signed, at most.
const LONGEST: usize = 64;

/// Signs for one purpose.
pub(super) struct Signer(hmac::Key);

/// What a signed text says. Not to be trusted before [`Signer::is_genuine`] has checked it.
#[derive(Debug)]
pub(super) struct Claim {
    pub user: UserId,
    /// Seconds of the time at which it ends.
    until: u32,
    mac: Vec<u8>,
}

impl Claim {
    /// `None` where it is nothing that was ever signed.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = if text.len() <= LONGEST { URL_SAFE_NO_PAD.decode(text).ok()? } else { return None };
        let (user, rest) = bytes.split_first_chunk::<16>()?;
        let (until, mac) = rest.split_first_chunk::<4>()?;
        (mac.len() == MAC).then(|| Self {
            user: UserId(Uuid::from_bytes(*user)),
            until: u32::from_be_bytes(*until),
            mac: mac.to_vec(),
        })
    }
}

impl Signer {
    pub fn new(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// Signs for that person until then, as long as `bound` is the same.
    pub fn sign(&self, user: UserId, until: Timestamp, bound: &[&[u8]]) -> Option<String> {
        let until = u32::try_from(until.0.div_euclid(SECOND)).ok()?;
        let mac = self.mac(user, until, bound)?;
        let bytes = [user.0.as_bytes().as_slice(), until.to_be_bytes().as_slice(), mac.get(..MAC)?].concat();
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether it was signed here, has not ended, and `bound` is what it was.
    pub fn is_genuine(&self, claim: &Claim, now: Timestamp, bound: &[&[u8]]) -> bool {
        let mac = self.mac(claim.user, claim.until, bound);
        let is_same = |mac: &[u8]| verify_slices_are_equal(mac, &claim.mac).is_ok();
        now.0.div_euclid(SECOND) < i64::from(claim.until) && mac.as_deref().and_then(|mac| mac.get(..MAC)).is_some_and(is_same)
    }

    fn mac(&self, user: UserId, until: u32, bound: &[&[u8]]) -> Option<Vec<u8>> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(user.0.as_bytes());
        context.update(&until.to_be_bytes());
        for part in bound {
            // With its length, so that no two lists of parts look the same.
            context.update(&u32::try_from(part.len()).ok()?.to_be_bytes());
            context.update(part);
        }
        Some(context.sign().as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_600_000_000);

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn a_link_is_for_one_person_until_its_end() {
        let signer = Signer::new([7; 32]);
        let link = signer.sign(user(1), NOW.plus(10 * SECOND), &[b"account", b"5"]).unwrap();
        assert!(link.len() == 48 && link.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{link}");
        let claim = Claim::read(&link).unwrap();
        assert_eq!(claim.user, user(1));
        assert!(signer.is_genuine(&claim, NOW.plus(9 * SECOND), &[b"account", b"5"]));
        assert!(!signer.is_genuine(&claim, NOW.plus(10 * SECOND), &[b"account", b"5"]), "it has ended");
        let others: [&[&[u8]]; 4] = [&[b"account", b"6"], &[b"accoun", b"t5"], &[b"account5"], &[]];
        for bound in others {
            assert!(!signer.is_genuine(&claim, NOW, bound), "{bound:?}");
        }
        assert!(!Signer::new([8; 32]).is_genuine(&claim, NOW, &[b"account", b"5"]), "signed elsewhere");
        assert!(!signer.is_genuine(&Claim { user: user(2), ..claim }, NOW, &[b"account", b"5"]));
    }

    #[test]
    fn what_was_never_signed_is_no_claim() {
        let link = Signer::new([7; 32]).sign(user(1), NOW.plus(SECOND), &[]).unwrap();
        for text in ["", "x", "../../login", &link[1..], &"A".repeat(65)] {
            assert!(Claim::read(text).is_none(), "{text}");
        }
    }
}
