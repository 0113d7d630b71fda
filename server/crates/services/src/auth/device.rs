//! Recognises browsers that logged in before, so that strangers who guess at a login do not delay its owner.
//!
//! A token is a number and its authentication under a key made of the stored password hash: nothing has to be stored, and a new
//! password ends all tokens.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use domain::rng::Rng;

/// Bytes of the number, and of its authentication.
const HALF: usize = 16;
/// People who share a browser.
const TOKENS: usize = 4;
/// Between the tokens of a cookie.
const SEPARATOR: char = '.';

/// A browser in which this person logged in before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device([u8; HALF]);

impl Device {
    /// Finds the token of the person with this password hash in the cookie.
    #[must_use]
    pub fn recognise(cookie: &str, password_hash: &str) -> Option<Self> {
        cookie.split(SEPARATOR).take(TOKENS).find_map(|token| parse(token, password_hash))
    }

    /// The cookie after a log-in: a new token in the place of this person's old one, and the newest of other people.
    #[must_use]
    pub fn remember(cookie: &str, old_hash: &str, password_hash: &str, rng: &Rng) -> String {
        let number = rng.bytes::<HALF>();
        let token = [number, authentication(&number, password_hash)].concat();
        let others = cookie.split(SEPARATOR).filter(|token| is_token(token) && parse(token, old_hash).is_none());
        let mut tokens = vec![URL_SAFE_NO_PAD.encode(token)];
        tokens.extend(others.take(TOKENS - 1).map(str::to_owned));
        tokens.join(&SEPARATOR.to_string())
    }
}

fn is_token(token: &str) -> bool {
    URL_SAFE_NO_PAD.decode(token).is_ok_and(|bytes| bytes.len() == 2 * HALF)
}

fn parse(token: &str, password_hash: &str) -> Option<Device> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (number, tag) = bytes.split_first_chunk::<HALF>()?;
    let expected = authentication(number, password_hash);
    let is_equal = aws_lc_rs::constant_time::verify_slices_are_equal(tag, &expected).is_ok();
    is_equal.then_some(Device(*number))
}

fn authentication(number: &[u8; HALF], password_hash: &str) -> [u8; HALF] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, password_hash.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(b"dormwatt known device");
    context.update(number);
    let mut tag = [0; HALF];
    tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_is_recognised_until_the_password_changes() {
        let rng = Rng::from_seed([1; 32]);
        let cookie = Device::remember("", "hash of a", "hash of a", &rng);
        assert!(Device::recognise(&cookie, "hash of a").is_some());
        assert_eq!(Device::recognise(&cookie, "hash of b"), None);
        let changed = Device::remember(&cookie, "hash of a", "new hash of a", &rng);
        assert!(Device::recognise(&changed, "new hash of a").is_some());
        assert_eq!(Device::recognise(&changed, "hash of a"), None, "the old token is replaced");
    }

    #[test]
    fn people_share_a_browser() {
        let rng = Rng::from_seed([1; 32]);
        let people = ["a", "b", "c", "d", "e"];
        let cookie = people.iter().fold(String::new(), |cookie, hash| Device::remember(&cookie, hash, hash, &rng));
        assert_eq!(people.map(|hash| Device::recognise(&cookie, hash).is_some()), [false, true, true, true, true]);
        assert!(cookie.len() < 200, "{}", cookie.len());
    }

    #[test]
    fn forged_tokens_are_not_recognised() {
        let rng = Rng::from_seed([1; 32]);
        let cookie = Device::remember("", "hash", "hash", &rng);
        let mut bytes = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        bytes[0] ^= 1;
        for forged in [URL_SAFE_NO_PAD.encode(&bytes), String::new(), ".".into(), "x".repeat(10_000), cookie[..20].to_owned()] {
            assert_eq!(Device::recognise(&forged, "hash"), None);
            let kept = Device::remember(&forged, "other", "other", &rng);
            assert!(kept.len() < 200 && !kept.contains("xxxx"));
        }
    }
}
