//! The browser's side: decrypts a message, and checks who sent it.

use aws_lc_rs::aead::Aad;
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as Verifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::encryption::{HEADER, Keys, LAST, SALT};
use crate::subscription::{POINT, SECRET};
use crate::{Subscription, UnusableKey};

/// A day: the longest that a proof may be valid, s.
const LONGEST: i64 = 24 * 3_600;

/// A browser that was subscribed.
#[derive(Debug)]
pub struct Receiver {
    key: PrivateKey,
    subscription: Subscription,
}

/// Why a browser or its push service refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForReceiver {
    #[error("the body was not encrypted for this browser")]
    Body,
    #[error("the request does not prove who sent it")]
    Sender,
}

impl Receiver {
    /// A new browser, whose push service has that endpoint for it.
    ///
    /// # Errors
    /// [`UnusableKey`] for a malformed endpoint.
    pub fn new(endpoint: &str) -> Result<Self, UnusableKey> {
        let key = PrivateKey::generate(&ECDH_P256)?;
        let mut secret = [0; SECRET];
        rand::fill(&mut secret)?;
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = encoded(key.compute_public_key()?.as_ref());
        let subscription = Subscription::new(endpoint, &public, &encoded(&secret)).ok_or(UnusableKey)?;
        Ok(Self { key, subscription })
    }

    #[must_use]
    pub const fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The text of a message.
    ///
    /// # Errors
    /// [`NotForReceiver::Body`].
    pub fn open(&self, body: &[u8]) -> Result<Vec<u8>, NotForReceiver> {
        let wrong = NotForReceiver::Body;
        let (header, record) = body.split_at_checked(HEADER).ok_or(wrong)?;
        let (salt, rest) = header.split_at_checked(SALT).ok_or(wrong)?;
        let (_, sender) = rest.split_at_checked(HEADER - SALT - POINT).ok_or(wrong)?;
        let to = &self.subscription;
        let keys = Keys { receiver: to.public_key(), sender, secret: to.secret(), salt };
        let derived = agree(&self.key, UnparsedPublicKey::new(&ECDH_P256, sender), UnusableKey, |shared| keys.derive(shared));
        let (key, nonce) = derived.map_err(|_| wrong)?;
        let mut record = record.to_vec();
        let text = key.open_in_place(nonce, Aad::empty(), &mut record).map_err(|_| wrong)?;
        match text.split_last() {
            Some((&LAST, text)) => Ok(text.to_vec()),
            _ => Err(wrong),
        }
    }

    /// Checks the `Authorization` header of a request that came at that second, for a subscription with that public key of the
    /// sender; gives the sender's contact.
    ///
    /// # Errors
    /// [`NotForReceiver::Sender`].
    pub fn sender(&self, authorization: &str, at: i64, public: &str) -> Result<String, NotForReceiver> {
        self.contact(authorization, at, public).ok_or(NotForReceiver::Sender)
    }

    fn contact(&self, authorization: &str, at: i64, public: &str) -> Option<String> {
        let (token, key) = authorization.strip_prefix("vapid t=")?.split_once(", k=")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let json = |text: &str| serde_json::from_slice::<Value>(&decoded(text)?).ok();
        let verifier = Verifier::new(&ECDSA_P256_SHA256_FIXED, decoded(key)?);
        verifier.verify(signed.as_bytes(), &decoded(signature)?).ok()?;
        let (head, claims) = (json(head)?, json(claims)?);
        let origin = self.subscription.endpoint().split('/').take(3).collect::<Vec<_>>().join("/");
        let ends = claims.get("exp")?.as_i64()?;
        let is_valid = key == public
            && head.get("alg")? == "ES256"
            && claims.get("aud")?.as_str()? == origin
            && (at..=at.saturating_add(LONGEST)).contains(&ends);
        let contact = claims.get("sub")?.as_str()?;
        is_valid.then(|| contact.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SenderKey, seal};

    const KEY: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

    #[test]
    fn only_the_receiver_opens_a_message() {
        let [one, two] = [0, 1].map(|_| Receiver::new("https://push.example/a").unwrap());
        let mut body = seal(one.subscription(), "欠费".as_bytes()).unwrap();
        assert_eq!(one.open(&body).unwrap(), "欠费".as_bytes());
        assert_eq!(two.open(&body), Err(NotForReceiver::Body));
        *body.last_mut().unwrap() ^= 1;
        assert_eq!(one.open(&body), Err(NotForReceiver::Body));
        assert_eq!(one.open(b"short"), Err(NotForReceiver::Body));
    }

    #[test]
    fn a_proof_is_for_one_service_and_some_hours() {
        let key = SenderKey::parse(KEY).unwrap();
        let receiver = Receiver::new("https://push.example:8443/a/b").unwrap();
        let at = 1_795_600_000;
        let sender = |header: &str, at: i64| receiver.sender(header, at, key.public());
        let proof = key.authorization("https://push.example:8443", at, "mailto:a@b.cn").unwrap();
        assert_eq!(sender(&proof, at + 60), Ok("mailto:a@b.cn".to_owned()));
        assert_eq!(sender(&proof, at + 13 * 3_600), Err(NotForReceiver::Sender));
        assert_eq!(receiver.sender(&proof, at, "another"), Err(NotForReceiver::Sender));
        assert_eq!(sender(&proof.replace("t=e", "t=f"), at), Err(NotForReceiver::Sender));
        let elsewhere = key.authorization("https://push.example", at, "mailto:a@b.cn").unwrap();
        assert_eq!(sender(&elsewhere, at), Err(NotForReceiver::Sender));
    }
}
