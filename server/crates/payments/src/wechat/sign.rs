//! The texts that WeChat Pay's signatures cover, signed with RSA and SHA-256.

use model::time::{SECOND, Timestamp};

use crate::rsa::{KeyError, PrivateKey};

/// Scheme of the `Authorization` header.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// The signed text of a request: five lines, each ending in a line feed. `target` is the path with query exactly as sent.
#[must_use]
pub fn request_text(method: &str, target: &str, seconds: i64, nonce: &str, body: &str) -> String {
    format!("{method}\n{target}\n{seconds}\n{nonce}\n{body}\n")
}

/// The signed text of a response or notification, with the raw body.
#[must_use]
pub fn answer_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// Signs the merchant's requests.
pub struct Signer {
    pub mchid: String,
    /// Serial number of the merchant's certificate, hexadecimal.
    pub serial: String,
    pub key: PrivateKey,
}

impl Signer {
    /// The `Authorization` header of a request.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if signing fails.
    pub fn authorization(&self, method: &str, target: &str, at: Timestamp, nonce: &str, body: &str) -> Result<String, KeyError> {
        let seconds = at.0 / SECOND;
        let signature = self.key.sign(request_text(method, target, seconds, nonce, body).as_bytes())?;
        let (mchid, serial) = (&self.mchid, &self.serial);
        Ok(format!(
            "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{seconds}\",serial_no=\"{serial}\""
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wechat_request_signature_matches_openssl() {
        let text = include_str!("vectors/request.txt");
        let body = text.lines().last().unwrap();
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        assert_eq!(request_text("POST", "/v3/pay/transactions/h5", 1_795_438_800, nonce, body), text);
        let key = PrivateKey::parse(include_str!("vectors/merchant-key.pem")).unwrap();
        let signer = Signer { mchid: "1900000001".into(), serial: "1002589E15".into(), key };
        let at = Timestamp(1_795_438_800_999);
        let header = signer.authorization("POST", "/v3/pay/transactions/h5", at, nonce, body).unwrap();
        assert!(header.contains(&format!("signature=\"{}\"", include_str!("vectors/request.sig"))), "{header}");
        assert!(header.contains("timestamp=\"1795438800\"") && header.contains("serial_no=\"1002589E15\""));
    }

    #[test]
    fn missing_bodies_are_signed_as_empty_lines() {
        assert_eq!(request_text("GET", "/v3/x?mchid=1", 1, "n", ""), "GET\n/v3/x?mchid=1\n1\nn\n\n");
        assert_eq!(answer_text("1", "n", b""), b"1\nn\n\n");
    }
}
