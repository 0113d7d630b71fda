//! What stands in the log for a name that nobody has.

use aws_lc_rs::hmac;
use domain::rng::Rng;

/// The typed name itself may be a password in the wrong field. A hash that anybody can repeat would let readers of the log check
/// guesses of it, so it is keyed, and the key is of this process alone: repeated tries at one name can be told apart, and nothing
/// else.
pub(super) struct Fingerprints(hmac::Key);

impl Fingerprints {
    pub fn new(rng: &Rng) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &rng.bytes::<32>()))
    }

    /// Eight hexadecimal digits. Only the start counts, as for the limits of attempts.
    pub fn of(&self, typed: &str) -> String {
        let start: String = typed.chars().take(64).collect();
        hex::encode(hmac::sign(&self.0, start.as_bytes()).as_ref().get(..4).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_names_apart_within_one_process() {
        let (one, other) = (Fingerprints::new(&Rng::from_seed([1; 32])), Fingerprints::new(&Rng::from_seed([2; 32])));
        assert_eq!(one.of("root"), one.of("root"));
        assert_ne!(one.of("root"), one.of("admin"));
        assert_ne!(one.of("root"), other.of("root"), "of no use with another key");
        assert_eq!(one.of("密码\n").len(), 8);
    }
}
