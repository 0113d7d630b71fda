//! The texts that WeChat Pay's signatures cover. RSA with SHA-256 only.

use model::time::{SECOND, Timestamp};

use crate::rsa::{KeyError, PrivateKey};

/// The scheme of a request's `Authorization`.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// The text of a request: five lines, the last one ended too. `target` is the path with its query, both exactly as sent.
#[must_use]
pub fn request_text(method: &str, target: &str, seconds: i64, nonce: &str, body: &str) -> String {
    format!("{method}\n{target}\n{seconds}\n{nonce}\n{body}\n")
}

/// The text of an answer or a notification, over the bytes as they came.
#[must_use]
pub fn answer_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// Who we are: merchant, certificate and its key.
pub struct Signer {
    /// Our merchant number.
    pub mchid: String,
    /// The serial number of our certificate.
    pub serial: String,
    pub key: PrivateKey,
}

impl Signer {
    /// The value of `Authorization` for a request.
    ///
    /// # Errors
    /// Where the key does not sign.
    pub fn authorization(&self, method: &str, target: &str, at: Timestamp, nonce: &str, body: &str) -> Result<String, KeyError> {
        let seconds = at.0 / SECOND;
        let signature = self.key.sign(request_text(method, target, seconds, nonce, body).as_bytes())?;
        let (mchid, serial) = (&self.mchid, &self.serial);
        Ok(format!(
            "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{seconds}\",serial_no=\"{serial}\""
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_openssl_signs_it() {
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
    fn a_body_that_is_not_there_is_an_empty_line() {
        assert_eq!(request_text("GET", "/v3/x?mchid=1", 1, "n", ""), "GET\n/v3/x?mchid=1\n1\nn\n\n");
        assert_eq!(answer_text("1", "n", b""), b"1\nn\n\n");
    }
}
