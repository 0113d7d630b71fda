//! The encryption of a message (RFC 8291, with the coding of RFC 8188 in one record).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;

use crate::subscription::{POINT, SECRET};
use crate::{Subscription, UnusableKey};

/// Bytes of a text that push services take: 4,096 with header, padding and tag.
pub const MAX_TEXT: usize = 4_096 - HEADER - 1 - TAG;

pub(crate) const SALT: usize = 16;
/// Salt, size of a record, length of the key's name, and the sender's public key as that name.
pub(crate) const HEADER: usize = SALT + 4 + 1 + POINT;
const TAG: usize = 16;
const RECORD: u32 = 4_096;
/// Ends the text of the last record.
pub(crate) const LAST: u8 = 2;

/// Encrypts a text for one browser, with a new key and salt: the body to post.
///
/// # Errors
/// [`UnusableKey`] where the browser's key is not a point of the curve, or the text is too long.
pub fn seal(to: &Subscription, text: &[u8]) -> Result<Vec<u8>, UnusableKey> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    seal_with(to, text, &PrivateKey::generate(&ECDH_P256)?, salt)
}

fn seal_with(to: &Subscription, text: &[u8], own: &PrivateKey, salt: [u8; SALT]) -> Result<Vec<u8>, UnusableKey> {
    if text.len() > MAX_TEXT {
        return Err(UnusableKey);
    }
    let public = own.compute_public_key()?;
    let keys = Keys { receiver: to.public_key(), sender: public.as_ref(), secret: to.secret(), salt: &salt };
    let peer = UnparsedPublicKey::new(&ECDH_P256, &to.public_key()[..]);
    let (key, nonce) = agree(own, peer, UnusableKey, |shared| keys.derive(shared))?;
    let mut record = [text, &[LAST]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let length = [u8::try_from(POINT).unwrap_or_default()];
    Ok([&salt[..], &RECORD.to_be_bytes(), &length, public.as_ref(), &record].concat())
}

/// What the key of a message is made of, besides the shared secret.
pub(crate) struct Keys<'a> {
    pub receiver: &'a [u8],
    pub sender: &'a [u8],
    pub secret: &'a [u8; SECRET],
    pub salt: &'a [u8],
}

impl Keys<'_> {
    pub fn derive(&self, shared: &[u8]) -> Result<(LessSafeKey, Nonce), UnusableKey> {
        let [mut input, mut key, mut nonce] = [vec![0; 32], vec![0; 16], vec![0; 12]];
        let both = Salt::new(HKDF_SHA256, self.secret).extract(shared);
        both.expand(&[b"WebPush: info\0", self.receiver, self.sender], Length(32))?.fill(&mut input)?;
        let salted = Salt::new(HKDF_SHA256, self.salt).extract(&input);
        salted.expand(&[b"Content-Encoding: aes128gcm\0"], Length(16))?.fill(&mut key)?;
        salted.expand(&[b"Content-Encoding: nonce\0"], Length(12))?.fill(&mut nonce)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
        Ok((key, Nonce::try_assume_unique_for_key(&nonce)?))
    }
}

/// Bytes of a derived key.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5, with the keys of appendix A.
    #[test]
    fn the_example_of_rfc_8291_is_reproduced() {
        let to = Subscription::new(
            "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .unwrap();
        let own = PrivateKey::from_private_key(&ECDH_P256, &bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let body = seal_with(&to, b"When I grow up, I want to be a watermelon", &own, salt).unwrap();
        let header = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vC";
        let text =
            "YLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        let expected = format!("{header}{text}");
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn a_text_that_is_too_long_and_a_wrong_key_are_refused() {
        let key = format!("B{}", "A".repeat(86));
        let wrong = Subscription::new("https://push.example/a", &key, "BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        assert_eq!(seal(&wrong, b"text"), Err(UnusableKey));
        let receiver = crate::Receiver::new("https://push.example/a").unwrap();
        assert_eq!(seal(receiver.subscription(), &[b'a'; MAX_TEXT]).unwrap().len(), 4_096);
        assert_eq!(seal(receiver.subscription(), &[b'a'; MAX_TEXT + 1]), Err(UnusableKey));
    }
}
