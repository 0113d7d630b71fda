//! Signature verification. Each message contains its signer's certificate, which must chain to the two pinned certificates.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use model::time::Timestamp;

use super::message::Message;
use super::sign::{SIGN_METHOD, VERSION, signed_text};
use crate::form::Fields;
use crate::rsa::Hash;
use crate::x509::Certificate;

/// Holder of production certificates: the third part of the common name.
pub const PRODUCTION_HOLDER: &str = "中国银联股份有限公司";
/// Holder of test environment certificates.
pub const TEST_HOLDER: &str = "00040000:SIGN";
/// UnionPay signs with one certificate, and with two during a change.
const CACHE_SIZE: usize = 8;

pub struct TrustStore {
    pub root: Certificate,
    pub middle: Certificate,
    pub hashes: Vec<Hash>,
    pub test: bool,
    /// Certificates whose chain is verified, by the SHA-256 of their text; validity is checked on each use.
    verified: Mutex<HashMap<Vec<u8>, Certificate>>,
}

impl TrustStore {
    pub fn new(root: Certificate, middle: Certificate, hashes: Vec<Hash>, test: bool) -> Self {
        Self { root, middle, hashes, test, verified: Mutex::default() }
    }

    /// Verifies version and sign method, then the certificate, then the signature. `body` is the message as received.
    pub fn verify(&self, fields: Fields, now: Timestamp, body: &[u8]) -> Option<Message> {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if field("version") != VERSION || field("signMethod") != SIGN_METHOD {
            return None;
        }
        let certificate = self.trusted_certificate(field("signPubKeyCert"), now)?;
        let is_valid = certificate.key.verifies(signed_text(&fields).as_bytes(), field("signature"));
        is_valid.then(|| Message::from_verified_signature(fields, body))
    }

    /// Parses a message's certificate; `None` unless it chains to the pinned ones, belongs to UnionPay and is valid now.
    fn trusted_certificate(&self, text: &str, now: Timestamp) -> Option<Certificate> {
        let key = digest(&SHA256, text.as_bytes()).as_ref().to_vec();
        let cached = self.verified.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let certificate = match cached {
            Some(certificate) => certificate,
            None => {
                let certificate = Certificate::parse(text).ok().filter(|certificate| self.is_issued_to_unionpay(certificate))?;
                let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
                if verified.len() >= CACHE_SIZE {
                    verified.clear();
                }
                verified.insert(key, certificate.clone());
                certificate
            }
        };
        let all_valid = [&certificate, &self.middle, &self.root].into_iter().all(|one| one.is_valid_at(now));
        all_valid.then_some(certificate)
    }

    fn is_issued_to_unionpay(&self, leaf: &Certificate) -> bool {
        // The intermediate certificate's own signature is verified at startup.
        leaf.is_signed_by(&self.middle.key, &self.hashes) && self.is_accepted_name(&leaf.common_name)
    }

    fn is_accepted_name(&self, common_name: &str) -> bool {
        match common_name.split('@').nth(2) {
            Some(PRODUCTION_HOLDER) => true,
            Some(TEST_HOLDER) => self.test,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::time::DAY;

    use super::*;
    use crate::rsa::PrivateKey;
    use crate::unionpay::message::parse_answer;
    use crate::unionpay::sign::fields;
    use crate::unionpay::tests::AT;

    const ANSWER: &[u8] = include_bytes!("vectors/query-paid.txt");

    fn trust(hashes: &[Hash], test: bool) -> TrustStore {
        let [root, middle] = [include_str!("vectors/root.pem"), include_str!("vectors/middle.pem")];
        TrustStore::new(Certificate::parse(root).unwrap(), Certificate::parse(middle).unwrap(), hashes.to_vec(), test)
    }

    /// A message with this certificate, signed with the key shared by all leaf certificates of the test vectors.
    fn signed(certificate: &str, more: &[(&str, &str)]) -> Fields {
        let common = [("version", "5.1.0"), ("signMethod", "01"), ("respCode", "00"), ("signPubKeyCert", certificate)];
        let mut fields = fields(common.into_iter().chain(more.iter().copied()));
        let key = PrivateKey::parse(include_str!("vectors/leaf-key.pem")).unwrap();
        let signature = key.sign(signed_text(&fields).as_bytes()).unwrap();
        fields.insert("signature".into(), signature);
        fields
    }

    #[test]
    fn unionpay_response_signed_by_openssl_is_accepted() {
        let verify = |body: &[u8]| trust(&[Hash::Sha256], false).verify(parse_answer(body)?, AT, body);
        assert_eq!(verify(ANSWER).unwrap().get("origRespCode"), "00");
        let text = String::from_utf8(ANSWER.to_vec()).unwrap();
        let broken = [
            text.replace("txnAmt=5000", "txnAmt=5001"),
            text.replace("\r\n", "\n"),
            text.replace("version=5.1.0", "version=5.0.0"),
            text.replace("signMethod=01", "signMethod=11"),
            format!("{text}&more=1"),
        ];
        for body in broken {
            assert!(verify(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn other_sign_methods_and_versions_are_rejected() {
        let trust = trust(&[Hash::Sha256], false);
        let leaf = include_str!("vectors/leaf.pem");
        assert!(trust.verify(signed(leaf, &[]), AT, b"").is_some());
        for wrong in [("version", "5.0.0"), ("version", ""), ("signMethod", "11"), ("signMethod", "12"), ("signMethod", "")] {
            assert!(trust.verify(signed(leaf, &[wrong]), AT, b"").is_none(), "{wrong:?}, though signed");
        }
    }

    #[test]
    fn signer_certificate_must_chain_be_valid_and_unionpay() {
        let opened =
            |hashes: &[Hash], test: bool, leaf: &str, at| trust(hashes, test).verify(signed(leaf, &[]), at, b"").is_some();
        let both = [Hash::Sha1, Hash::Sha256];
        let leaf = include_str!("vectors/leaf.pem");
        assert!(opened(&both, false, leaf, AT));
        assert!(opened(&both, false, include_str!("vectors/leaf-sha1.pem"), AT));
        assert!(!opened(&[Hash::Sha256], false, include_str!("vectors/leaf-sha1.pem"), AT), "not on the list");
        assert!(opened(&both, true, include_str!("vectors/leaf-test.pem"), AT));
        for (refused, why) in [
            (include_str!("vectors/leaf-test.pem"), "a test certificate in production"),
            (include_str!("vectors/leaf-ended.pem"), "ended"),
            (include_str!("vectors/leaf-unchained.pem"), "signed by the root"),
            (include_str!("vectors/leaf-other.pem"), "another company"),
            (include_str!("vectors/leaf-short.pem"), "a name without a third part"),
            (include_str!("vectors/merchant.pem"), "the merchant's certificate"),
            (include_str!("vectors/middle.pem"), "the intermediate certificate itself"),
            ("", "none"),
        ] {
            assert!(!opened(&both, false, refused, AT), "{why}");
        }
        assert!(!opened(&both, false, leaf, AT.plus(5 * 365 * DAY)), "later");
    }

    #[test]
    fn cached_certificates_still_expire() {
        let trust = trust(&[Hash::Sha256], false);
        let leaf = include_str!("vectors/leaf.pem");
        assert!(trust.verify(signed(leaf, &[]), AT, b"").is_some());
        assert!(trust.verify(signed(leaf, &[]), AT.plus(5 * 365 * DAY), b"").is_none());
        assert!(trust.verify(signed(leaf, &[]), AT, b"").is_some());
        assert_eq!(trust.verified.lock().unwrap().len(), 1);
    }

    #[test]
    fn certificate_holder_must_match_exactly() {
        let [field, test] = [trust(&[], false), trust(&[], true)];
        assert!(
            field.is_accepted_name("041@Z12@中国银联股份有限公司@00016494") && test.is_accepted_name("041@Z12@00040000:SIGN")
        );
        for name in
            ["", "@", "@@", "@@@", "中国银联股份有限公司", "@@ 中国银联股份有限公司", "@中国银联股份有限公司@x", "@@中国银联"]
        {
            assert!(!field.is_accepted_name(name) && !test.is_accepted_name(name), "{name}");
        }
    }
}
