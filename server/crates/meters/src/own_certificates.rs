//! The certificates that this server shows to gateways: until when they are valid, and how a replaced file comes into use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use model::time::{SECOND, Timestamp};
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::Config;

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnCertificateError {
    #[error("{section}.{key}: {} holds nothing that can be used ({why}); name a PEM file", path.display())]
    File { section: &'static str, key: &'static str, path: PathBuf, why: String },
    #[error("{0}.certificate_file and {0}.key_file: TLS cannot be set up with this certificate and key")]
    Pair(&'static str, #[source] rustls::Error),
}

/// A file with a certificate of this server, and the section of the configuration that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    section: &'static str,
    file: PathBuf,
}

impl OwnCertificate {
    /// The certificate files that the configuration names and a listener or link uses.
    #[must_use]
    pub fn all(config: &Config) -> Vec<Self> {
        let shown = config.tls.certificate_file.as_ref().map(|file| ("meters.tls", file));
        let dial_in = config.dial_in.certificate_file.as_ref().filter(|_| !config.dial_in.tls_listen.is_empty());
        let all = shown.into_iter().chain(dial_in.map(|file| ("meters.dial_in", file)));
        all.map(|(section, file)| Self { section, file: file.clone() }).collect()
    }

    /// The key of the configuration, with the file that it names.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.certificate_file ({})", self.section, self.file.display())
    }

    /// Until when the certificate in the file is valid, with those of the chain that follow it there.
    ///
    /// # Errors
    /// [`OwnCertificateError`] where the file cannot be read, or a certificate in it.
    pub fn until(&self) -> Result<Timestamp, OwnCertificateError> {
        let chain = chain(self.section, &self.file)?;
        let ends = chain.iter().map(end).collect::<Option<Vec<_>>>();
        let no_certificate = || file(self.section, "certificate_file", &self.file, &"not an X.509 certificate");
        ends.and_then(|ends| ends.into_iter().min()).ok_or_else(no_certificate)
    }
}

/// Until when a certificate is valid.
pub(crate) fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    Some(Timestamp(certificate.tbs_certificate.validity.not_after.timestamp().saturating_mul(SECOND)))
}

/// A certificate and its key, which are read again at the next connection after a file was replaced. While the new files do not
/// belong together, or cannot be read, the old certificate stays.
#[derive(Debug)]
pub(crate) struct ReplaceableCertificate {
    section: &'static str,
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    loaded: Mutex<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    at: FileTimes,
    pair: Arc<CertifiedKey>,
}

/// When the certificate's file and the key's were written.
type FileTimes = [Option<SystemTime>; 2];

impl ReplaceableCertificate {
    pub(crate) fn load(
        section: &'static str,
        certificate: &Path,
        key: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, OwnCertificateError> {
        let at = written(certificate, key);
        let loaded = Mutex::new(Loaded { at, pair: Arc::new(pair(section, certificate, key, &provider)?) });
        Ok(Self { section, certificate: certificate.to_owned(), key: key.to_owned(), provider, loaded })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let at = written(&self.certificate, &self.key);
        if loaded.at != at {
            loaded.at = at;
            match pair(self.section, &self.certificate, &self.key, &self.provider) {
                Ok(pair) => {
                    tracing::info!(section = self.section, "certificate.replaced");
                    loaded.pair = Arc::new(pair);
                }
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "certificate.not-replaced"),
            }
        }
        Arc::clone(&loaded.pair)
    }
}

impl ResolvesServerCert for ReplaceableCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for ReplaceableCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn written(certificate: &Path, key: &Path) -> FileTimes {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
}

fn pair(
    section: &'static str,
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, OwnCertificateError> {
    let chain = chain(section, certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| file(section, "key_file", key, &error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| OwnCertificateError::Pair(section, error))
}

fn chain(section: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OwnCertificateError> {
    let wrong = |why: &dyn ToString| file(section, "certificate_file", path, why);
    let chain = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong(&error))?;
    if chain.is_empty() { Err(wrong(&"no certificate in it")) } else { Ok(chain) }
}

fn file(section: &'static str, key: &'static str, path: &Path, why: &dyn ToString) -> OwnCertificateError {
    OwnCertificateError::File { section, key, path: path.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tokio_rustls::rustls::crypto::aws_lc_rs;

    use super::*;
    use crate::dial_in::DialInConfig;

    const END_OF_2026: Timestamp = Timestamp(1_798_761_600_000);

    /// A certificate that ends as `year` begins, and its key.
    fn issue(year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// Writes a file as if at another second, however soon it is after the last time.
    fn write(path: &Path, text: &str, second: u64) {
        std::fs::write(path, text).unwrap();
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn certificates_in_use_are_named_with_key_and_file() {
        assert_eq!(OwnCertificate::all(&Config::default()), []);
        let file = Some(PathBuf::from("own.pem"));
        let mut config =
            Config { dial_in: DialInConfig { certificate_file: file.clone(), ..DialInConfig::default() }, ..Config::default() };
        assert_eq!(OwnCertificate::all(&config), [], "nobody listens with it");
        config.dial_in.tls_listen.push(std::net::SocketAddr::from(([127, 0, 0, 1], 9_100)));
        config.tls.certificate_file = file;
        let names: Vec<String> = OwnCertificate::all(&config).iter().map(OwnCertificate::name).collect();
        assert_eq!(names, ["meters.tls.certificate_file (own.pem)", "meters.dial_in.certificate_file (own.pem)"]);
    }

    #[test]
    fn the_first_end_of_a_chain_counts() {
        let directory = tempfile::tempdir().unwrap();
        let own = OwnCertificate { section: "meters.tls", file: directory.path().join("own.pem") };
        assert!(own.until().unwrap_err().to_string().starts_with("meters.tls.certificate_file: "), "there is none");
        std::fs::write(&own.file, "").unwrap();
        assert!(own.until().unwrap_err().to_string().contains("no certificate in it"));
        std::fs::write(&own.file, issue(2030).0 + &issue(2027).0).unwrap();
        assert_eq!(own.until().unwrap(), END_OF_2026);
    }

    #[test]
    fn replaced_files_come_into_use_together() {
        let directory = tempfile::tempdir().unwrap();
        let [certificate, key] = ["own.pem", "own-key.pem"].map(|name| directory.path().join(name));
        let (old, new) = (issue(2027), issue(2030));
        write(&certificate, &old.0, 1);
        write(&key, &old.1, 1);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let own = ReplaceableCertificate::load("meters.dial_in", &certificate, &key, Arc::clone(&provider)).unwrap();
        let until = || end(own.current().end_entity_cert().unwrap());
        assert_eq!(until(), Some(END_OF_2026));
        write(&certificate, &new.0, 2);
        assert_eq!(until(), Some(END_OF_2026), "its key is still the old one's");
        write(&key, &new.1, 2);
        assert!(until() > Some(END_OF_2026));
        std::fs::remove_file(&key).unwrap();
        assert!(until() > Some(END_OF_2026), "what was loaded stays");
        assert!(ReplaceableCertificate::load("meters.dial_in", &certificate, &key, provider).is_err());
    }
}
