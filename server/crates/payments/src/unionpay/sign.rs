//! The text that UnionPay signatures cover. Only RSA with SHA-256 is accepted: a message cannot choose a weaker algorithm.

use aws_lc_rs::digest::{SHA256, digest};

use crate::form::Fields;
use crate::rsa::{KeyError, PrivateKey};

pub const VERSION: &str = "5.1.0";
/// RSA with SHA-256. Method 11 is a shared-secret digest, which anybody could produce with an empty secret.
pub const SIGN_METHOD: &str = "01";

/// All non-empty fields but `signature`, sorted by name, not URL-encoded.
#[must_use]
pub fn text(fields: &Fields) -> String {
    let mut text = String::new();
    for (name, value) in fields.iter().filter(|(name, value)| *name != "signature" && !value.is_empty()) {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// The signed text: the SHA-256 of [`text`] in lower-case hexadecimal.
#[must_use]
pub fn signed_text(fields: &Fields) -> String {
    hex::encode(digest(&SHA256, text(fields).as_bytes()))
}

/// Signs the merchant's requests.
pub struct Signer {
    pub mer_id: String,
    /// Serial number of the merchant's certificate, decimal.
    pub cert_id: String,
    pub key: PrivateKey,
}

impl Signer {
    /// Adds the fields common to all requests, and the signature.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if signing fails.
    pub fn sign(&self, mut fields: Fields) -> Result<Fields, KeyError> {
        for (name, value) in [
            ("version", VERSION),
            ("encoding", "UTF-8"),
            ("signMethod", SIGN_METHOD),
            ("certId", &self.cert_id),
            ("accessType", "0"),
            ("merId", &self.mer_id),
        ] {
            fields.insert(name.to_owned(), value.to_owned());
        }
        let signature = self.key.sign(signed_text(&fields).as_bytes())?;
        fields.insert("signature".to_owned(), signature);
        Ok(fields)
    }
}

#[must_use]
pub fn fields<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unionpay_request_signature_matches_openssl() {
        let expected = include_str!("vectors/front.txt");
        let pairs = expected.split('&').filter_map(|pair| pair.split_once('='));
        let mut request = fields(pairs.clone().chain([("reqReserved", "")]));
        assert_eq!(text(&request), expected, "empty fields are not signed");
        for name in ["version", "encoding", "signMethod", "certId", "accessType", "merId"] {
            request.remove(name);
        }
        let key = PrivateKey::parse(include_str!("vectors/merchant-key.pem")).unwrap();
        let signer = Signer { mer_id: "777290058110048".into(), cert_id: "69903564617".into(), key };
        let signed = signer.sign(request).unwrap();
        assert_eq!(signed["signature"], include_str!("vectors/front.sig"));
        assert_eq!(text(&signed), expected, "a signature does not cover itself");
    }
}
