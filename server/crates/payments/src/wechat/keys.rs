//! WeChat Pay's signing keys by serial number: public keys and platform certificates. Several are valid at a time during a
//! migration.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use http::HeaderMap;
use model::time::{MINUTE, SECOND, Timestamp};

use super::sign::answer_text;
use crate::channel::NotificationError;
use crate::rsa::PublicKey;

/// Largest difference between a message's timestamp and the clock.
const MAX_CLOCK_SKEW: i64 = 5 * MINUTE;

/// Shortest interval between requests for certificates, ms.
const REFRESH_INTERVAL: i64 = 10 * MINUTE;

/// The same after a request that failed or was given up.
const RETRY_INTERVAL: i64 = 30 * SECOND;

/// With this begins the signature of a message by which WeChat Pay tests that invalid ones are refused. The characters are
/// base64, so a true signature could begin like that once in 10^34 messages; it would be sent again with another nonce.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

#[derive(Clone, Debug)]
pub struct VerificationKey {
    pub key: PublicKey,
    /// Validity period of a certificate; `None` for a public key.
    pub validity: Option<(Timestamp, Timestamp)>,
}

/// Known keys; certificate mode adds further ones at run time.
#[derive(Debug, Default)]
pub struct VerificationKeys {
    by_serial: RwLock<BTreeMap<String, VerificationKey>>,
    /// When certificates may be requested again, by the steady clock: a clock that is set back must not put that off.
    next_refresh_ms: Mutex<Option<i64>>,
}

impl VerificationKeys {
    /// Adds a key; returns the previous key with this serial number.
    pub fn insert(&self, serial: String, key: VerificationKey) -> Option<VerificationKey> {
        self.by_serial.write().unwrap_or_else(PoisonError::into_inner).insert(serial, key)
    }

    #[must_use]
    pub fn get(&self, serial: &str) -> Option<VerificationKey> {
        self.by_serial.read().unwrap_or_else(PoisonError::into_inner).get(serial).cloned()
    }

    /// Whether certificates should be requested now. Only in certificate mode; not again within [`RETRY_INTERVAL`], also where
    /// the request is never heard of again. `steady_ms` is of the steady clock.
    #[must_use]
    pub fn start_refresh(&self, steady_ms: i64) -> bool {
        let by_certificate =
            self.by_serial.read().unwrap_or_else(PoisonError::into_inner).values().any(|key| key.validity.is_some());
        let mut next = self.next_refresh();
        let is_due = by_certificate && next.is_none_or(|next| steady_ms >= next);
        if is_due {
            *next = Some(steady_ms.saturating_add(RETRY_INTERVAL));
        }
        is_due
    }

    /// After a request that was answered: none for [`REFRESH_INTERVAL`], because anybody can name an unknown serial number.
    pub fn refreshed(&self, steady_ms: i64) {
        *self.next_refresh() = Some(steady_ms.saturating_add(REFRESH_INTERVAL));
    }

    fn next_refresh(&self) -> MutexGuard<'_, Option<i64>> {
        self.next_refresh_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies headers, serial number, timestamp and signature of a response or notification over its raw body.
    ///
    /// # Errors
    /// [`NotificationError`] names the failed check; nothing of the message may be used.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), NotificationError> {
        let header = |name| {
            let mut values = headers.get_all(name).iter();
            // For a repeated header it would be ambiguous which value was signed.
            let value = values.next().filter(|_| values.next().is_none());
            value.and_then(|value| value.to_str().ok()).ok_or(NotificationError::Signature)
        };
        let (timestamp, nonce) = (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
        let (serial, signature) = (header("wechatpay-serial")?, header("wechatpay-signature")?);
        let key = self.get(serial).ok_or(NotificationError::UnknownKey)?;
        let seconds: i64 = timestamp.parse().map_err(|_| NotificationError::Signature)?;
        if now.since(Timestamp(seconds.saturating_mul(SECOND))).saturating_abs() > MAX_CLOCK_SKEW {
            return Err(NotificationError::Stale);
        }
        // Announced tests of whether this refuses; they may not even be base64.
        if signature.starts_with(PROBE) {
            return Err(NotificationError::Probe);
        }
        let is_valid = key.validity.is_none_or(|(from, until)| from <= now && now <= until);
        if !is_valid || !key.key.verifies(&answer_text(timestamp, nonce, body), signature) {
            return Err(NotificationError::Signature);
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

    fn keys() -> VerificationKeys {
        let key = PublicKey::parse(include_str!("../alipay/vectors/gateway-public.pem")).unwrap();
        let other = PublicKey::parse(include_str!("../alipay/vectors/app-spki.pem")).unwrap();
        let ended = VerificationKey { key: key.clone(), validity: Some((Timestamp(0), Timestamp(1))) };
        let keys = VerificationKeys::default();
        keys.insert("PUB_KEY_ID_1".into(), VerificationKey { key, validity: None });
        keys.insert("PUB_KEY_ID_2".into(), VerificationKey { key: other, validity: None });
        keys.insert("ENDED".into(), ended);
        keys
    }

    #[test]
    fn certificates_are_refreshed_at_a_limited_rate() {
        let keys = keys();
        assert!(keys.start_refresh(0));
        assert!(!keys.start_refresh(0) && !keys.start_refresh(RETRY_INTERVAL - 1));
        assert!(keys.start_refresh(RETRY_INTERVAL), "the first one failed, or was given up");
        keys.refreshed(RETRY_INTERVAL);
        assert!(!keys.start_refresh(RETRY_INTERVAL + REFRESH_INTERVAL - 1));
        assert!(keys.start_refresh(RETRY_INTERVAL + REFRESH_INTERVAL));
        let public = VerificationKeys::default();
        public.insert("PUB_KEY_ID_1".into(), VerificationKey { validity: None, ..keys.get("PUB_KEY_ID_1").unwrap() });
        assert!(!public.start_refresh(0), "public keys do not end");
    }

    #[test]
    fn wechat_signatures_are_valid_for_five_minutes() {
        let at = |ms| keys().verify(&headers(SIGNATURE), NOTIFY.as_bytes(), AT.plus(ms));
        assert_eq!(at(0), Ok(()));
        assert_eq!((at(MAX_CLOCK_SKEW), at(-MAX_CLOCK_SKEW)), (Ok(()), Ok(())));
        assert_eq!(
            (at(MAX_CLOCK_SKEW + 1), at(-MAX_CLOCK_SKEW - 1)),
            (Err(NotificationError::Stale), Err(NotificationError::Stale)),
            "also in the future"
        );
    }

    #[test]
    fn wechat_signature_covers_the_raw_body() {
        let parsed: serde_json::Value = serde_json::from_str(NOTIFY).unwrap();
        assert!(keys().verify(&headers(SIGNATURE), parsed.to_string().as_bytes(), AT).is_err());
    }

    #[test]
    fn invalid_and_probe_signatures_are_rejected() {
        let probe = format!("WECHATPAY/SIGNTEST/{SIGNATURE}");
        for signature in [&*probe, "WECHATPAY/SIGNTEST/AAAA", "WECHATPAY/SIGNTEST/"] {
            let refused = keys().verify(&headers(signature), NOTIFY.as_bytes(), AT);
            assert_eq!(refused, Err(NotificationError::Probe), "{signature}");
        }
        for signature in ["WECHATPAY/SIGNTES/AAAA", "", "=", "AAAA", &SIGNATURE[1..], &"A".repeat(344)] {
            let refused = keys().verify(&headers(signature), NOTIFY.as_bytes(), AT);
            assert_eq!(refused, Err(NotificationError::Signature), "{signature}");
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
            assert_eq!(keys().verify(&changed, NOTIFY.as_bytes(), AT), Err(NotificationError::Signature), "{name} {value}");
            let mut missing = headers(SIGNATURE);
            missing.remove(name);
            assert_eq!(keys().verify(&missing, NOTIFY.as_bytes(), AT), Err(NotificationError::Signature), "no {name}");
        }
        let mut unknown = headers(SIGNATURE);
        unknown.insert("Wechatpay-Serial", "PUB_KEY_ID_3".parse().unwrap());
        assert_eq!(keys().verify(&unknown, NOTIFY.as_bytes(), AT), Err(NotificationError::UnknownKey));
        let mut far = headers(SIGNATURE);
        far.insert("Wechatpay-Timestamp", i64::MIN.to_string().parse().unwrap());
        assert_eq!(keys().verify(&far, NOTIFY.as_bytes(), AT), Err(NotificationError::Stale));
        let mut twice = headers(SIGNATURE);
        twice.append("Wechatpay-Serial", "PUB_KEY_ID_1".parse().unwrap());
        assert_eq!(keys().verify(&twice, NOTIFY.as_bytes(), AT), Err(NotificationError::Signature));
    }
}
