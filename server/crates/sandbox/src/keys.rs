//! The keys of both sides: throw-away ones, made at the start or kept in a directory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, PKCS_RSA_SHA256};

use super::SandboxError;
use domain::secret::Secret;
use payments::rsa::{PrivateKey, PublicKey};

/// Both sides' keys, as PEM, and the numbers they go with.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The product's application.
    pub app_id: String,
    /// The product's merchant number.
    pub seller_id: String,
    /// The product signs with this. Only so that it can be put into the product's configuration; the sandbox never uses it.
    pub app_private: Secret,
    /// The sandbox verifies the product with this.
    pub app_public: String,
    /// The certificate of the product's key, as WeChat Pay and UnionPay hand one out.
    pub certificate: String,
    /// What WeChat Pay seals notifications with.
    pub api_v3_key: Secret,
    /// The sandbox signs with this.
    pub gateway_private: Secret,
    /// The product verifies the sandbox with this.
    pub gateway_public: String,
    /// UnionPay's certificates: the root and the middle one that the product pins, and the one that messages carry.
    pub chain: Chain,
}

/// Certificates from a root to a signer.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Signs the middle one.
    pub root: String,
    /// Signs the signer's.
    pub middle: String,
    pub signer: String,
}

impl Chain {
    /// Of one key in all three places: it is the signatures that are looked at.
    pub(super) fn of(key: &PrivateKey) -> Result<Self, SandboxError> {
        let key = pair(key)?;
        let [root, middle, signer] =
            [("sandbox root", 1_u64), ("sandbox OCA", 2), ("041@Z2026@中国银联股份有限公司@00000001", 3)].map(
                |(name, serial)| {
                    let mut params = CertificateParams::default();
                    params.distinguished_name.push(DnType::CommonName, name);
                    params.serial_number = Some(serial.into());
                    params
                },
            );
        Ok(Self {
            signer: signer.signed_by(&key, &Issuer::from_params(&middle, &key))?.pem(),
            middle: middle.signed_by(&key, &Issuer::from_params(&root, &key))?.pem(),
            root: root.self_signed(&key)?.pem(),
        })
    }
}

/// A certificate of a key, signed by itself.
pub(super) fn certificate(key: &PrivateKey, name: &str, serial: u32) -> Result<String, SandboxError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(u64::from(serial).into());
    Ok(params.self_signed(&pair(key)?)?.pem())
}

fn pair(key: &PrivateKey) -> Result<KeyPair, SandboxError> {
    Ok(KeyPair::from_pkcs8_pem_and_sign_algo(&key.to_pem()?, &PKCS_RSA_SHA256)?)
}

impl Keys {
    /// New keys for both sides.
    ///
    /// # Errors
    /// Where the machine gives no randomness.
    pub fn generate() -> Result<Self, SandboxError> {
        Self::of(&PrivateKey::generate()?, &PrivateKey::generate()?)
    }

    /// All else follows from the two keys, so that a sandbox that is started again is the same.
    fn of(app: &PrivateKey, gateway: &PrivateKey) -> Result<Self, SandboxError> {
        let app_pem = app.to_pem()?;
        let api_v3_key: String = hex::encode(digest(&SHA256, app_pem.as_bytes())).chars().take(32).collect();
        Ok(Self {
            certificate: certificate(app, "sandbox merchant", 0x2026_1123)?,
            api_v3_key: Secret::from(&*api_v3_key),
            app_id: "2021000000000001".into(),
            seller_id: "2088000000000001".into(),
            app_private: Secret::from(&*app.to_pem()?),
            app_public: app.public()?.to_pem(),
            gateway_private: Secret::from(&*gateway.to_pem()?),
            gateway_public: gateway.public()?.to_pem(),
            chain: Chain::of(gateway)?,
        })
    }

    /// The keys in a directory; made there the first time, so that a restart does not change them.
    ///
    /// # Errors
    /// Where they cannot be read or written, or are no keys.
    pub fn load_or_generate(directory: &Path) -> Result<Self, SandboxError> {
        let keep = |error| SandboxError::State(directory.to_owned(), error);
        fs::create_dir_all(directory).map_err(keep)?;
        let key = |name: &str| -> Result<PrivateKey, SandboxError> {
            let path = directory.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => Ok(PrivateKey::parse(&text)?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let key = PrivateKey::generate()?;
                    write_private(&path, &key.to_pem()?).map_err(keep)?;
                    Ok(key)
                }
                Err(error) => Err(keep(error)),
            }
        };
        let keys = Self::of(&key("app-private.pem")?, &key("gateway-private.pem")?)?;
        fs::write(directory.join("alipay-public.pem"), &keys.gateway_public).map_err(keep)?;
        fs::write(directory.join("merchant-certificate.pem"), &keys.certificate).map_err(keep)?;
        fs::write(directory.join("unionpay-root.pem"), &keys.chain.root).map_err(keep)?;
        fs::write(directory.join("unionpay-middle.pem"), &keys.chain.middle).map_err(keep)?;
        Ok(keys)
    }

    pub(super) fn gateway(&self) -> Result<PrivateKey, SandboxError> {
        Ok(PrivateKey::parse(self.gateway_private.expose())?)
    }

    pub(super) fn app(&self) -> Result<PublicKey, SandboxError> {
        Ok(PublicKey::parse(&self.app_public)?)
    }
}

/// For its owner only, from the first byte.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_keys_stay_the_same_and_are_not_printed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let first = Keys::load_or_generate(&path).unwrap();
        let second = Keys::load_or_generate(&path).unwrap();
        assert_eq!(first.gateway_public, second.gateway_public);
        assert_eq!(first.app_public, second.app_public);
        assert_ne!(first.app_public, first.gateway_public);
        assert_eq!((&first.chain.root, &first.chain.middle), (&second.chain.root, &second.chain.middle));
        assert!(!format!("{first:?}").contains("PRIVATE"));
        std::fs::write(path.join("app-private.pem"), "rubbish!").unwrap();
        assert!(matches!(Keys::load_or_generate(&path), Err(SandboxError::Key(_))));
    }
}
