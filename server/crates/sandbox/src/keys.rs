//! Throw-away keys of product and sandbox, generated at startup or stored in a directory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, PKCS_RSA_SHA256};

use super::SandboxError;
use domain::secret::Secret;
use payments::rsa::{PrivateKey, PublicKey};

/// Keys (PEM) and account numbers of product and sandbox.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The product's application id at Alipay.
    pub app_id: String,
    /// The product's merchant number at Alipay.
    pub seller_id: String,
    /// The product signs with this key. It is here for the product's configuration; the sandbox does not use it.
    pub app_private: Secret,
    /// The sandbox verifies the product's signatures with this key.
    pub app_public: String,
    /// Certificate of the product's key for WeChat Pay and UnionPay.
    pub certificate: String,
    /// WeChat Pay encrypts notifications with this key.
    pub api_v3_key: Secret,
    /// The sandbox signs with this key.
    pub gateway_private: Secret,
    /// The product verifies the sandbox's signatures with this key.
    pub gateway_public: String,
    /// Forged messages are signed with this key.
    pub forger_private: Secret,
    /// UnionPay's certificates: root and intermediate, which the product pins, and the signer's, which messages contain.
    pub chain: Chain,
}

#[derive(Clone, Debug)]
pub struct Chain {
    pub root: String,
    pub middle: String,
    pub signer: String,
}

impl Chain {
    /// A chain whose three certificates share one key.
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

/// A self-signed certificate.
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
    /// # Errors
    /// [`SandboxError::Key`] if the system provides no randomness.
    pub fn generate() -> Result<Self, SandboxError> {
        Self::of(&PrivateKey::generate()?, &PrivateKey::generate()?)
    }

    /// Derives all but the forger's key from the two keys, so that a restarted sandbox is the same.
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
            forger_private: Secret::from(&*PrivateKey::generate()?.to_pem()?),
            chain: Chain::of(gateway)?,
        })
    }

    /// Reads the keys from a directory, or generates and stores them there.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the files cannot be read or written, [`SandboxError::Key`] if they are not keys.
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

    pub(super) fn forger(&self) -> Result<PrivateKey, SandboxError> {
        Ok(PrivateKey::parse(self.forger_private.expose())?)
    }

    pub(super) fn app(&self) -> Result<PublicKey, SandboxError> {
        Ok(PublicKey::parse(&self.app_public)?)
    }
}

/// Creates the file with permissions for its owner only.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_keys_are_stable_and_not_printed() {
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
