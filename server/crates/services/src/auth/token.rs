//! Session tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use domain::rng::Rng;
use store::sessions::TokenHash;

/// 256 random bits.
#[must_use]
pub fn new_token(rng: &Rng) -> String {
    URL_SAFE_NO_PAD.encode(rng.bytes::<32>())
}

/// The stored hash. Needs no salt and no slow hash, since a token cannot be guessed.
#[must_use]
pub fn hash(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}
