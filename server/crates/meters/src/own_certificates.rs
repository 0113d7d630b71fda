//! The certificates that this server shows to gateways: until when they are valid, and how a replaced file comes into use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use model::time::{SECOND, Timestamp};
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
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

impl OwnCertificateError {
    /// With its cause, for people who read no log.
    #[must_use]
    pub fn explained(&self) -> String {
        match self {
            Self::File { .. } => self.to_string(),
            Self::Pair(_, cause) => format!("{self}: {cause}"),
        }
    }
}

/// A certificate of this server: the section of the configuration that names its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    section: &'static str,
    file: PathBuf,
    key: PathBuf,
}

/// What this process shows, whatever its file has become since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInUse {
    /// Until when it is valid, with those of its chain.
    pub until: Timestamp,
    /// Why the files that are there now cannot take its place.
    pub refused: Option<String>,
}

impl OwnCertificate {
    /// The certificate files that the configuration names and a listener or link uses.
    #[must_use]
    pub fn all(config: &Config) -> Vec<Self> {
        let (tls, dial_in) = (&config.tls, &config.dial_in);
        let listens = !dial_in.tls_listen.is_empty();
        let all = [
            ("meters.tls", &tls.certificate_file, &tls.key_file, true),
            ("meters.dial_in", &dial_in.certificate_file, &dial_in.key_file, listens),
        ];
        let used = all.into_iter().filter(|(.., is_used)| *is_used);
        used.filter_map(|(section, file, key, _)| {
            Some(Self { section, file: file.clone()?, key: key.clone().unwrap_or_default() })
        })
        .collect()
    }

    /// The key of the configuration, with the file that it names.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.certificate_file ({})", self.section, self.file.display())
    }

    /// What is shown from now on: the certificate of the files or, where they cannot be used, what was loaded before. A process
    /// that has loaded none loads it now.
    ///
    /// # Errors
    /// [`OwnCertificateError`] where none was loaded and the files cannot be used.
    pub fn in_use(&self) -> Result<CertificateInUse, OwnCertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let own = ReplaceableCertificate::load(self.section, &self.file, &self.key, provider)?;
        let loaded = own.reload();
        Ok(CertificateInUse { until: loaded.pair.until, refused: loaded.refused.clone() })
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
    pair: Pair,
    /// Why newer files are not used.
    refused: Option<String>,
}

#[derive(Debug)]
struct Pair {
    key: Arc<CertifiedKey>,
    until: Timestamp,
}

/// What this process has loaded. Connections and the watch over the dates share it, so that what is judged is what is shown.
static LOADED: Mutex<Vec<Arc<ReplaceableCertificate>>> = Mutex::new(Vec::new());

/// When the certificate's file and the key's were written.
type FileTimes = [Option<SystemTime>; 2];

impl ReplaceableCertificate {
    pub(crate) fn load(
        section: &'static str,
        certificate: &Path,
        key: &Path,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, OwnCertificateError> {
        let mut all = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.iter().find(|one| one.section == section && one.certificate == certificate && one.key == key);
        if let Some(one) = before {
            return Ok(Arc::clone(one));
        }
        let at = written(certificate, key);
        let loaded = Mutex::new(Loaded { at, pair: pair(section, certificate, key, &provider)?, refused: None });
        let own = Self { section, certificate: certificate.to_owned(), key: key.to_owned(), provider, loaded };
        let own = Arc::new(own);
        all.push(Arc::clone(&own));
        Ok(own)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.reload().pair.key)
    }

    /// Reads the files again where they were replaced.
    fn reload(&self) -> MutexGuard<'_, Loaded> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let at = written(&self.certificate, &self.key);
        if loaded.at != at {
            loaded.at = at;
            match pair(self.section, &self.certificate, &self.key, &self.provider) {
                Ok(pair) => {
                    tracing::info!(section = self.section, "certificate.replaced");
                    (loaded.pair, loaded.refused) = (pair, None);
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "certificate.not-replaced");
                    loaded.refused = Some(error.explained());
                }
            }
        }
        loaded
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

fn pair(section: &'static str, certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<Pair, OwnCertificateError> {
    let chain = chain(section, certificate)?;
    let no_certificate = || file(section, "certificate_file", certificate, &"not an X.509 certificate");
    let until = chain.iter().filter_map(end).min().ok_or_else(no_certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| file(section, "key_file", key, &error))?;
    let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| OwnCertificateError::Pair(section, error))?;
    Ok(Pair { key: Arc::new(key), until })
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
        let [file, key] = ["own.pem", "own-key.pem"].map(|name| directory.path().join(name));
        let own = OwnCertificate { section: "meters.tls", file, key };
        assert!(own.in_use().unwrap_err().to_string().starts_with("meters.tls.certificate_file: "), "there is none");
        std::fs::write(&own.file, "").unwrap();
        assert!(own.in_use().unwrap_err().to_string().contains("no certificate in it"));
        let (leaf, key) = issue(2030);
        std::fs::write(&own.file, leaf + &issue(2027).0).unwrap();
        assert!(own.in_use().unwrap_err().to_string().starts_with("meters.tls.key_file: "));
        std::fs::write(&own.key, issue(2030).1).unwrap();
        assert!(own.in_use().unwrap_err().explained().contains("with this certificate and key: "), "it says why");
        std::fs::write(&own.key, key).unwrap();
        assert_eq!(own.in_use().unwrap(), CertificateInUse { until: END_OF_2026, refused: None });
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
        let watched = OwnCertificate { section: "meters.dial_in", file: certificate.clone(), key: key.clone() };
        assert_eq!(until(), Some(END_OF_2026));
        write(&certificate, &new.0, 2);
        let judged = watched.in_use().unwrap();
        assert_eq!((until(), judged.until), (Some(END_OF_2026), END_OF_2026), "its key is still the old one's");
        assert!(judged.refused.unwrap().contains("meters.dial_in.key_file"));
        write(&key, &new.1, 2);
        let judged = watched.in_use().unwrap();
        assert_eq!((until(), judged.refused), (Some(judged.until), None));
        assert!(judged.until > END_OF_2026);
        std::fs::remove_file(&key).unwrap();
        let kept = watched.in_use().unwrap();
        assert_eq!((until(), kept.until), (Some(judged.until), judged.until), "what was loaded stays");
        assert!(kept.refused.unwrap().contains("own-key.pem"));
        let again = ReplaceableCertificate::load("meters.dial_in", &certificate, &key, provider).unwrap();
        assert!(Arc::ptr_eq(&again, &own), "also for a connection that is made later");
    }
}
