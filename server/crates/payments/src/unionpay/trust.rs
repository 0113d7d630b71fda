//! Whose word counts: a message carries the certificate of its signer, which must chain to the two that are pinned here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use model::time::Timestamp;

use super::message::Message;
use super::sign::{SIGN_METHOD, VERSION, signed_text};
use crate::form::Fields;
use crate::rsa::Hash;
use crate::x509::Certificate;

/// Who signs in the field; the third part of a certificate's common name.
pub const PRODUCTION_HOLDER: &str = "中国银联股份有限公司";
/// Who signs in test environments as well.
pub const TEST_HOLDER: &str = "00040000:SIGN";
/// UnionPay signs with one certificate at a time, and with two while it changes.
const CACHE_SIZE: usize = 8;

/// The pinned certificates and what is allowed of others.
pub struct TrustStore {
    pub root: Certificate,
    pub middle: Certificate,
    pub hashes: Vec<Hash>,
    pub test: bool,
    /// Certificates that were found good, by the SHA-256 of their text; their dates are looked at each time.
    verified: Mutex<HashMap<Vec<u8>, Certificate>>,
}

impl TrustStore {
    pub fn new(root: Certificate, middle: Certificate, hashes: Vec<Hash>, test: bool) -> Self {
        Self { root, middle, hashes, test, verified: Mutex::default() }
    }

    /// Opens a message: version and method, then the certificate in it, then the signature. `body` is the message as it came.
    pub fn verify(&self, fields: Fields, now: Timestamp, body: &[u8]) -> Option<Message> {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if field("version") != VERSION || field("signMethod") != SIGN_METHOD {
            return None;
        }
        let certificate = self.trusted_certificate(field("signPubKeyCert"), now)?;
        let good = certificate.key.verifies(signed_text(&fields).as_bytes(), field("signature"));
        good.then(|| Message::from_verified_signature(fields, body))
    }

    /// The certificate in a message, where it is UnionPay's and current.
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
        let current = [&certificate, &self.middle, &self.root].into_iter().all(|one| one.is_valid_at(now));
        current.then_some(certificate)
    }

    fn is_issued_to_unionpay(&self, leaf: &Certificate) -> bool {
        // The middle's own signature was checked at the start.
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

    /// A message with this certificate, signed by the key of all the leaves.
    fn signed(certificate: &str, more: &[(&str, &str)]) -> Fields {
        let common = [("version", "5.1.0"), ("signMethod", "01"), ("respCode", "00"), ("signPubKeyCert", certificate)];
        let mut fields = fields(common.into_iter().chain(more.iter().copied()));
        let key = PrivateKey::parse(include_str!("vectors/leaf-key.pem")).unwrap();
        let signature = key.sign(signed_text(&fields).as_bytes()).unwrap();
        fields.insert("signature".into(), signature);
        fields
    }

    #[test]
    fn what_openssl_signed_is_opened_and_nothing_else() {
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
    fn the_method_and_the_version_are_ours_to_choose() {
        let trust = trust(&[Hash::Sha256], false);
        let leaf = include_str!("vectors/leaf.pem");
        assert!(trust.verify(signed(leaf, &[]), AT, b"").is_some());
        for wrong in [("version", "5.0.0"), ("version", ""), ("signMethod", "11"), ("signMethod", "12"), ("signMethod", "")] {
            assert!(trust.verify(signed(leaf, &[wrong]), AT, b"").is_none(), "{wrong:?}, though signed");
        }
    }

    #[test]
    fn a_certificate_must_chain_be_current_and_be_unionpays() {
        let opened =
            |hashes: &[Hash], test: bool, leaf: &str, at| trust(hashes, test).verify(signed(leaf, &[]), at, b"").is_some();
        let both = [Hash::Sha1, Hash::Sha256];
        let leaf = include_str!("vectors/leaf.pem");
        assert!(opened(&both, false, leaf, AT));
        assert!(opened(&both, false, include_str!("vectors/leaf-sha1.pem"), AT));
        assert!(!opened(&[Hash::Sha256], false, include_str!("vectors/leaf-sha1.pem"), AT), "not on the list");
        assert!(opened(&both, true, include_str!("vectors/leaf-test.pem"), AT));
        for (refused, why) in [
            (include_str!("vectors/leaf-test.pem"), "a tester in the field"),
            (include_str!("vectors/leaf-ended.pem"), "ended"),
            (include_str!("vectors/leaf-unchained.pem"), "signed by the root"),
            (include_str!("vectors/leaf-other.pem"), "another company"),
            (include_str!("vectors/leaf-short.pem"), "a name without a third part"),
            (include_str!("vectors/merchant.pem"), "ours, by the same middle certificate"),
            (include_str!("vectors/middle.pem"), "the middle itself"),
            ("", "none"),
        ] {
            assert!(!opened(&both, false, refused, AT), "{why}");
        }
        assert!(!opened(&both, false, leaf, AT.plus(5 * 365 * DAY)), "later");
    }

    #[test]
    fn a_remembered_certificate_ends_all_the_same() {
        let trust = trust(&[Hash::Sha256], false);
        let leaf = include_str!("vectors/leaf.pem");
        assert!(trust.verify(signed(leaf, &[]), AT, b"").is_some());
        assert!(trust.verify(signed(leaf, &[]), AT.plus(5 * 365 * DAY), b"").is_none());
        assert!(trust.verify(signed(leaf, &[]), AT, b"").is_some());
        assert_eq!(trust.verified.lock().unwrap().len(), 1);
    }

    #[test]
    fn names_of_any_form_are_only_compared() {
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
