//! The text that UnionPay's signatures cover, and ours. RSA with SHA-256 only: a message does not choose its own algorithm.

use aws_lc_rs::digest::{SHA256, digest};

use crate::form::Fields;
use crate::rsa::{KeyError, PrivateKey};

/// The only version.
pub const VERSION: &str = "5.1.0";
/// The only method: RSA with SHA-256. 11 would be a shared secret, and with an empty one anybody's.
pub const SIGN_METHOD: &str = "01";

/// The text of a message: every field with a value but the signature itself, in the order of the names, not encoded.
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

/// What is signed: the SHA-256 of the text, itself as a text of lowercase hexadecimal digits.
#[must_use]
pub fn signed_text(fields: &Fields) -> String {
    hex::encode(digest(&SHA256, text(fields).as_bytes()))
}

/// Who we are: merchant, certificate and its key.
pub struct Signer {
    /// Our merchant number.
    pub mer_id: String,
    /// The serial number of our certificate, decimal.
    pub cert_id: String,
    pub key: PrivateKey,
}

impl Signer {
    /// Adds what every request carries, and the signature.
    ///
    /// # Errors
    /// Where the key does not sign.
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

/// Fields from pairs.
#[must_use]
pub fn fields<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_openssl_signs_it() {
        let expected = include_str!("vectors/front.txt");
        let pairs = expected.split('&').filter_map(|pair| pair.split_once('='));
        let mut request = fields(pairs.clone().chain([("reqReserved", "")]));
        assert_eq!(text(&request), expected, "what is empty is not signed");
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
