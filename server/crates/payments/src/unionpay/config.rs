//! The configuration of UnionPay, validated at startup.

use std::path::PathBuf;

use serde::Deserialize;

use super::UnionPay;
use super::sign::Signer;
use super::trust::TrustStore;
use crate::config::ConfigError;
use crate::expiry::Expiry;
use crate::rsa::{Hash, PrivateKey};
use crate::settings::ConfigSection;
use crate::x509::Certificate;
use domain::clock::SharedClock;
use domain::secret::Secret;

const SECTION: ConfigSection = ConfigSection("pay.unionpay");
const GATEWAY: &str = "https://gateway.95516.com";
const FILES: &str = "https://filedownload.95516.com";

/// `[pay.unionpay]`. Keys and certificates are given inline or by file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnionpayConfig {
    /// URL of the gateway, without a path.
    pub gateway: String,
    /// URL of the statement download service, without a path.
    pub files: String,
    /// Merchant number, 15 characters; payments to any other merchant are not credited.
    pub mer_id: String,
    /// The merchant's certificate, from the `.pfx` file.
    pub certificate: Option<String>,
    /// Or the file that holds it.
    pub certificate_file: Option<PathBuf>,
    pub private_key: Option<Secret>,
    /// Or the file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// Root certificate of UnionPay's certificate authority.
    pub root: Option<String>,
    /// Or the file that holds it.
    pub root_file: Option<PathBuf>,
    /// Intermediate certificate of UnionPay's certificate authority.
    pub middle: Option<String>,
    /// Or the file that holds it.
    pub middle_file: Option<PathBuf>,
    /// Accepted hash algorithms in that chain. UnionPay used SHA-1 for a long time.
    pub hashes: Vec<HashName>,
    /// Also accept the certificates of UnionPay's test environment.
    pub test: bool,
    /// Description on the cashier page.
    pub subject: String,
    /// Minutes until an attempt expires.
    pub lifetime_minutes: i64,
    /// Response timeout of the gateway, ms.
    pub timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashName {
    Sha1,
    Sha256,
}

impl Default for UnionpayConfig {
    fn default() -> Self {
        Self {
            gateway: GATEWAY.into(),
            files: FILES.into(),
            mer_id: String::new(),
            certificate: None,
            certificate_file: None,
            private_key: None,
            private_key_file: None,
            root: None,
            root_file: None,
            middle: None,
            middle_file: None,
            hashes: vec![HashName::Sha1, HashName::Sha256],
            test: false,
            subject: "宿舍电费充值".into(),
            lifetime_minutes: 15,
            timeout_ms: 10_000,
        }
    }
}

impl UnionpayConfig {
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn build(&self, public_url: &str, notify_url: &str, clock: SharedClock) -> Result<UnionPay, ConfigError> {
        let (gateway, local) = SECTION.origin("gateway", &self.gateway, GATEWAY)?;
        let (files, _) = SECTION.origin("files", &self.files, FILES)?;
        if self.mer_id.len() != 15 || !self.mer_id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(SECTION.fault("mer_id", "must be the merchant's number, 15 digits"));
        }
        // These characters separate the fields of UnionPay's messages.
        if !(1..=32).contains(&self.subject.chars().count()) || self.subject.contains(['&', '=', '{', '}', '[', ']', '"', '\'']) {
            return Err(SECTION.fault("subject", "must be 1 to 32 characters without & = { } [ ] and quotes"));
        }
        if self.test && gateway == GATEWAY {
            return Err(SECTION.fault("test", "must not be set for the production gateway"));
        }
        let timeout = SECTION.times(self.lifetime_minutes, self.timeout_ms)?;
        let now = clock.now();
        let certificate = |name: &str, text: &Option<String>, file: &Option<PathBuf>| {
            let certificate = SECTION.key(name, text.as_deref(), file.as_ref(), Certificate::parse)?;
            if !certificate.is_valid_at(now) {
                let (from, until) = (certificate.not_before, certificate.not_after);
                return Err(SECTION.fault(name, format!("is valid only from {from} until {until}")));
            }
            Ok(certificate)
        };
        let merchant = certificate("certificate", &self.certificate, &self.certificate_file)?;
        let private = self.private_key.as_ref().map(Secret::expose);
        let key = SECTION.key("private_key", private, self.private_key_file.as_ref(), PrivateKey::parse)?;
        if key.public().ok().as_ref() != Some(&merchant.key) {
            return Err(SECTION.fault("private_key", "does not belong to the certificate"));
        }
        let root = certificate("root", &self.root, &self.root_file)?;
        let middle = certificate("middle", &self.middle, &self.middle_file)?;
        let hashes: Vec<Hash> = self.hashes.iter().map(|&name| Hash::from(name)).collect();
        if hashes.is_empty() {
            return Err(SECTION.fault("hashes", "must name at least one of sha1 and sha256"));
        }
        if middle.hash().is_some_and(|hash| !hashes.contains(&hash)) {
            return Err(SECTION.fault("hashes", "does not name the hash algorithm of the middle certificate's signature"));
        }
        if !middle.is_signed_by(&root.key, &hashes) {
            return Err(SECTION.fault("middle", "is not signed by the root"));
        }
        let expiries = [("certificate", &merchant), ("middle", &middle), ("root", &root)]
            .map(|(key, one)| Expiry { key: format!("{}.{key}", SECTION.0), at: one.not_after });
        Ok(UnionPay {
            gateway,
            files,
            signer: Signer { mer_id: self.mer_id.clone(), cert_id: merchant.serial_decimal, key },
            trust: TrustStore::new(root, middle, hashes, self.test),
            subject: self.subject.clone(),
            notify_url: format!("{notify_url}/pay/unionpay/notify"),
            return_url: format!("{public_url}/pay/return"),
            lifetime_minutes: self.lifetime_minutes,
            client: SECTION.client(local, timeout, clock.clone())?,
            expiries: expiries.into(),
            clock,
        })
    }
}

impl From<HashName> for Hash {
    fn from(name: HashName) -> Self {
        match name {
            HashName::Sha1 => Self::Sha1,
            HashName::Sha256 => Self::Sha256,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use model::time::{DAY, Timestamp};

    use super::*;
    use crate::unionpay::tests::AT;
    use domain::clock::TestClock;

    pub fn good() -> UnionpayConfig {
        UnionpayConfig {
            mer_id: "777290058110048".into(),
            certificate: Some(include_str!("vectors/merchant.pem").into()),
            private_key: Some(include_str!("vectors/merchant-key.pem").into()),
            root: Some(include_str!("vectors/root.pem").into()),
            middle: Some(include_str!("vectors/middle.pem").into()),
            ..UnionpayConfig::default()
        }
    }

    fn built(config: &UnionpayConfig, at: Timestamp) -> Result<UnionPay, ConfigError> {
        config.build("https://dorm.example", "https://dorm.example", TestClock::new(at))
    }

    #[test]
    fn unionpay_config_errors_name_the_key_without_secrets() {
        let problem = |config: &UnionpayConfig, at| built(config, at).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(problem(&good(), AT), "");
        let sha1 = UnionpayConfig { middle: Some(include_str!("vectors/middle-sha1.pem").into()), ..good() };
        assert_eq!(problem(&sha1, AT), "");
        for (config, expected) in [
            (UnionpayConfig { gateway: "http://gateway.95516.com".into(), ..good() }, "pay.unionpay.gateway must be https"),
            (UnionpayConfig { gateway: "https://gateway.95516.com/gateway".into(), ..good() }, "pay.unionpay.gateway is not an"),
            (UnionpayConfig { files: "filedownload.95516.com".into(), ..good() }, "pay.unionpay.files is not an"),
            (UnionpayConfig { mer_id: "7772900581".into(), ..good() }, "pay.unionpay.mer_id "),
            (UnionpayConfig { subject: "电费{1}".into(), ..good() }, "pay.unionpay.subject "),
            (UnionpayConfig { test: true, ..good() }, "pay.unionpay.test must not"),
            (UnionpayConfig { lifetime_minutes: 1, ..good() }, "pay.unionpay.lifetime_minutes "),
            (UnionpayConfig { certificate: None, ..good() }, "pay.unionpay.certificate is missing"),
            (
                UnionpayConfig { private_key: Some(include_str!("vectors/leaf-key.pem").into()), ..good() },
                "pay.unionpay.private_key does not belong",
            ),
            (UnionpayConfig { root: None, ..good() }, "pay.unionpay.root is missing"),
            (UnionpayConfig { middle: Some("AAAA".into()), ..good() }, "pay.unionpay.middle is not an X.509"),
            (
                UnionpayConfig { middle: Some(include_str!("vectors/leaf.pem").into()), ..good() },
                "pay.unionpay.middle is not signed",
            ),
            (
                UnionpayConfig { middle: Some(include_str!("vectors/leaf-ended.pem").into()), ..good() },
                "pay.unionpay.middle is valid only from",
            ),
            (UnionpayConfig { hashes: vec![], ..good() }, "pay.unionpay.hashes must name"),
            (UnionpayConfig { hashes: vec![HashName::Sha256], ..sha1 }, "pay.unionpay.hashes does not name"),
        ] {
            let error = problem(&config, AT);
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(problem(&good(), AT.plus(5 * 365 * DAY)).starts_with("pay.unionpay.certificate is valid only from"));
        assert!(!format!("{:?}", good()).contains("PRIVATE KEY"));
    }

    #[test]
    fn unionpay_serial_is_decimal_and_expiries_are_listed() {
        let channel = built(&good(), AT).unwrap();
        assert_eq!(channel.signer.cert_id, "69903564617");
        let keys: Vec<_> = channel.expiries.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["pay.unionpay.certificate", "pay.unionpay.middle", "pay.unionpay.root"]);
    }

    #[test]
    fn hash_names_are_parsed() {
        let config: UnionpayConfig = toml::from_str("hashes = [\"sha256\"]").unwrap();
        assert_eq!(config.hashes, [HashName::Sha256]);
        assert!(toml::from_str::<UnionpayConfig>("hashes = [\"md5\"]").is_err());
    }
}
