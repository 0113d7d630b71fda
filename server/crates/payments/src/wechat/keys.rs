//! The keys of WeChat Pay by the serial number that a message names: public keys and platform certificates, several at a time, because
//! WeChat moves merchants from one to the next in steps.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock};

use http::HeaderMap;
use model::time::{MINUTE, SECOND, Timestamp};

use super::sign::answer_text;
use crate::channel::NoticeError;
use crate::rsa::PublicKey;

/// A message is believed for this long, in either direction of the clock.
const WINDOW: i64 = 5 * MINUTE;

/// Certificates are asked for no more often than this.
const SPACING: i64 = 10 * MINUTE;

#[derive(Clone, Debug)]
pub struct VerifyKey {
    pub key: PublicKey,
    /// From and until when, where a certificate says so.
    pub validity: Option<(Timestamp, Timestamp)>,
}

/// All keys, by serial number; in certificate mode more are learnt.
#[derive(Debug, Default)]
pub struct Keys {
    known: RwLock<BTreeMap<String, VerifyKey>>,
    asked: Mutex<Option<Timestamp>>,
}

impl Keys {
    /// Adds a key; gives the one that had its serial number.
    pub fn learn(&self, serial: String, key: VerifyKey) -> Option<VerifyKey> {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(serial, key)
    }

    /// The key of a serial number.
    #[must_use]
    pub fn known(&self, serial: &str) -> Option<VerifyKey> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(serial).cloned()
    }

    /// Whether certificates may be asked for now, which counts as asking: only where there are any, and not again at once.
    #[must_use]
    pub fn may_ask(&self, now: Timestamp) -> bool {
        let by_certificate = self.known.read().unwrap_or_else(PoisonError::into_inner).values().any(|key| key.validity.is_some());
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let may = by_certificate && asked.is_none_or(|asked| now.since(asked) >= SPACING);
        if may {
            *asked = Some(now);
        }
        may
    }

    /// Checks the signature of an answer or notification over its bytes as they came: headers, serial number, age, signature.
    ///
    /// # Errors
    /// Says at which of them it failed; nothing of the message may be used then.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), NoticeError> {
        let header = |name| {
            let mut values = headers.get_all(name).iter();
            // The same header twice: which of them was signed?
            let value = values.next().filter(|_| values.next().is_none());
            value.and_then(|value| value.to_str().ok()).ok_or(NoticeError::Signature)
        };
        let (timestamp, nonce) = (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
        let (serial, signature) = (header("wechatpay-serial")?, header("wechatpay-signature")?);
        let key = self.known(serial).ok_or(NoticeError::UnknownKey)?;
        let seconds: i64 = timestamp.parse().map_err(|_| NoticeError::Signature)?;
        if now.since(Timestamp(seconds.saturating_mul(SECOND))).saturating_abs() > WINDOW {
            return Err(NoticeError::Stale);
        }
        let current = key.validity.is_none_or(|(from, until)| from <= now && now <= until);
        // Where WeChat probes us with a false signature (`WECHATPAY/SIGNTEST/...`), this is where it ends.
        if !current || !key.key.verifies(&answer_text(timestamp, nonce, body), signature) {
            return Err(NoticeError::Signature);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const NOTIFY: &str = include_str!("vectors/notify.json");
    pub const SIGNATURE: &str = include_str!("vectors/notify.sig");
    pub const AT: Timestamp = Timestamp(1_795_438_810_000);

    pub fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Wechatpay-Timestamp", "1795438810"),
            ("Wechatpay-Nonce", "Enonce01"),
            ("Wechatpay-Serial", "PUB_KEY_ID_1"),
            ("Wechatpay-Signature", signature),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn keys() -> Keys {
        let key = PublicKey::parse(include_str!("../alipay/vectors/gateway-public.pem")).unwrap();
        let other = PublicKey::parse(include_str!("../alipay/vectors/app-spki.pem")).unwrap();
        let ended = VerifyKey { key: key.clone(), validity: Some((Timestamp(0), Timestamp(1))) };
        let keys = Keys::default();
        keys.learn("PUB_KEY_ID_1".into(), VerifyKey { key, validity: None });
        keys.learn("PUB_KEY_ID_2".into(), VerifyKey { key: other, validity: None });
        keys.learn("ENDED".into(), ended);
        keys
    }

    #[test]
    fn certificates_are_requested_only_in_their_mode_and_rarely() {
        let keys = keys();
        assert!(keys.may_ask(AT));
        assert!(!keys.may_ask(AT) && !keys.may_ask(AT.plus(SPACING - 1)));
        assert!(keys.may_ask(AT.plus(SPACING)));
        let public = Keys::default();
        public.learn("PUB_KEY_ID_1".into(), VerifyKey { validity: None, ..keys.known("PUB_KEY_ID_1").unwrap() });
        assert!(!public.may_ask(AT), "public keys do not end");
    }

    #[test]
    fn what_openssl_signed_verifies_within_five_minutes_either_way() {
        let at = |ms| keys().verify(&headers(SIGNATURE), NOTIFY.as_bytes(), AT.plus(ms));
        assert_eq!(at(0), Ok(()));
        assert_eq!((at(WINDOW), at(-WINDOW)), (Ok(()), Ok(())));
        assert_eq!((at(WINDOW + 1), at(-WINDOW - 1)), (Err(NoticeError::Stale), Err(NoticeError::Stale)), "also in the future");
    }

    #[test]
    fn the_bytes_as_they_came_are_what_was_signed() {
        let parsed: serde_json::Value = serde_json::from_str(NOTIFY).unwrap();
        assert!(keys().verify(&headers(SIGNATURE), parsed.to_string().as_bytes(), AT).is_err());
    }

    #[test]
    fn rubbish_and_probes_end_in_a_plain_refusal() {
        let probe = format!("WECHATPAY/SIGNTEST/{SIGNATURE}");
        for signature in [&*probe, "WECHATPAY/SIGNTEST/AAAA", "", "=", "AAAA", &SIGNATURE[1..], &"A".repeat(344)] {
            let refused = keys().verify(&headers(signature), NOTIFY.as_bytes(), AT);
            assert_eq!(refused, Err(NoticeError::Signature), "{signature}");
        }
        for (name, value) in [
            ("Wechatpay-Serial", "PUB_KEY_ID_2"),
            ("Wechatpay-Serial", "ENDED"),
            ("Wechatpay-Timestamp", "1795438811"),
            ("Wechatpay-Timestamp", "soon"),
            ("Wechatpay-Nonce", "Enonce02"),
        ] {
            let mut changed = headers(SIGNATURE);
            changed.insert(name, value.parse().unwrap());
            assert_eq!(keys().verify(&changed, NOTIFY.as_bytes(), AT), Err(NoticeError::Signature), "{name} {value}");
            let mut missing = headers(SIGNATURE);
            missing.remove(name);
            assert_eq!(keys().verify(&missing, NOTIFY.as_bytes(), AT), Err(NoticeError::Signature), "no {name}");
        }
        let mut unknown = headers(SIGNATURE);
        unknown.insert("Wechatpay-Serial", "PUB_KEY_ID_3".parse().unwrap());
        assert_eq!(keys().verify(&unknown, NOTIFY.as_bytes(), AT), Err(NoticeError::UnknownKey));
        let mut far = headers(SIGNATURE);
        far.insert("Wechatpay-Timestamp", i64::MIN.to_string().parse().unwrap());
        assert_eq!(keys().verify(&far, NOTIFY.as_bytes(), AT), Err(NoticeError::Stale));
        let mut twice = headers(SIGNATURE);
        twice.append("Wechatpay-Serial", "PUB_KEY_ID_1".parse().unwrap());
        assert_eq!(keys().verify(&twice, NOTIFY.as_bytes(), AT), Err(NoticeError::Signature));
    }
}
