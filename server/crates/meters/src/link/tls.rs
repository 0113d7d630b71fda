//! Modbus inside TLS: which certificates are trusted, and what to do about one that is not. No setting trusts every certificate:
//! one that no authority signed is trusted by its fingerprint alone.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use model::gateway::ConnectFault;
use model::time::Timestamp;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{self, CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::own_certificates::{OwnCertificateError, ReplaceableCertificate, end};

/// Section `meters.tls` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// PEM file of the authority that signs the gateways' certificates; by default the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// PEM file of this server's own certificate, for gateways that ask for one; with `key_file`.
    pub certificate_file: Option<PathBuf>,
    /// PEM file of its private key.
    pub key_file: Option<PathBuf>,
}

/// Why the settings for TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, or holds nothing of the expected kind.
    #[error("meters.tls.ca_file: {} holds nothing that can be used ({why}); name a PEM file", path.display())]
    File { path: PathBuf, why: String },
    #[error(transparent)]
    Own(#[from] OwnCertificateError),
    #[error("meters.tls.certificate_file and meters.tls.key_file belong together: give both or neither")]
    Incomplete,
    #[error("this system has no list of authorities: name one in meters.tls.ca_file, or pin the gateway's certificate")]
    NoRoots,
    /// Neither a host name nor an address.
    #[error("{0:?} cannot stand in a certificate: set the gateway's tls_name to the name in its certificate")]
    Name(String),
    #[error("the gateway's tls_pin must be the SHA-256 fingerprint of its certificate: 64 hex digits, colons allowed")]
    Pin,
    #[error("TLS cannot be set up")]
    Library(#[from] rustls::Error),
}

/// Whom to trust, and under which name.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    /// Until when the certificate is valid that the gateway showed last, epoch ms; 0 before the first. `None` where it is pinned:
    /// then it is trusted whatever its dates.
    valid_until: Option<Arc<AtomicI64>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({:?})", self.name)
    }
}

impl Tls {
    /// For a gateway whose certificate must carry `name`; with `pin`, for the one certificate with that fingerprint.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(settings: &TlsSettings, name: &str, pin: Option<&str>) -> Result<Self, TlsError> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match pin {
            Some(pin) => {
                let pinned = Pinned { fingerprint: parse_pin(pin).ok_or(TlsError::Pin)?, provider: Arc::clone(&provider) };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned))
            }
            None => builder.with_root_certificates(roots(settings)?),
        };
        let config = match (&settings.certificate_file, &settings.key_file) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let own = ReplaceableCertificate::load("meters.tls", certificate, key, provider)?;
                builder.with_client_cert_resolver(own)
            }
            _ => return Err(TlsError::Incomplete),
        };
        let name = ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        Ok(Self { config: Arc::new(config), name, valid_until: pin.is_none().then(Arc::default) })
    }

    /// Until when the certificate is valid that the gateway showed last; `None` before the first, and where it is pinned.
    pub(super) fn certificate_until(&self) -> Option<Timestamp> {
        let until = self.valid_until.as_ref()?.load(Ordering::Relaxed);
        (until != 0).then_some(Timestamp(until))
    }

    pub(super) async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(self.name.clone(), stream).await.map_err(explain)?;
        let (_, session) = stream.get_ref();
        let own = session.peer_certificates().and_then(<[_]>::first);
        if let (Some(until), Some(shown)) = (&self.valid_until, own.and_then(end)) {
            until.store(shown.0, Ordering::Relaxed);
        }
        Ok(stream)
    }
}

/// An error of a handshake, with advice.
#[derive(Debug, thiserror::Error)]
#[error("{error}; {advice}")]
struct HandshakeError {
    fault: ConnectFault,
    error: io::Error,
    advice: &'static str,
}

/// What an error of a handshake means; `None` for any other error.
pub(super) fn fault(error: &io::Error) -> Option<ConnectFault> {
    error.get_ref()?.downcast_ref::<HandshakeError>().map(|error| error.fault)
}

/// Adds advice to the errors that occur in the field.
fn explain(error: io::Error) -> io::Error {
    let (fault, advice) = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => (
            ConnectFault::TlsIssuer,
            "name the authority in meters.tls.ca_file, or set the gateway's tls_pin to the fingerprint of its certificate",
        ),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => (ConnectFault::TlsName, "set the gateway's tls_name to the name in its certificate"),
        Some(rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            (ConnectFault::TlsExpired, "renew the gateway's certificate, or correct its clock or this server's")
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => (
            ConnectFault::TlsPin,
            "this is not the pinned certificate: update tls_pin if it was renewed; otherwise the connection is intercepted",
        ),
        Some(rustls::Error::InvalidMessage(_)) => {
            (ConnectFault::NotTls, "this port does not speak TLS: check the gateway's port and framing")
        }
        Some(rustls::Error::AlertReceived(_)) => (
            ConnectFault::TlsClient,
            "the gateway refused this server: it may require meters.tls.certificate_file and meters.tls.key_file",
        ),
        _ => return error,
    };
    io::Error::new(error.kind(), HandshakeError { fault, error, advice })
}

fn roots(settings: &TlsSettings) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match &settings.ca_file {
        Some(path) => {
            for certificate in authorities(path)? {
                roots.add(certificate).map_err(|error| file(path, &error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoRoots);
            }
        }
    }
    Ok(roots)
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(file(path, &"no certificate in it")),
        Err(error) => Err(file(path, &error)),
    }
}

fn file(path: &Path, why: &dyn fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), why: why.to_string() }
}

fn parse_pin(pin: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(pin.replace(':', ""), &mut bytes).ok()?;
    Some(bytes)
}

/// Trusts one certificate, whoever signed it and whatever name it carries; its key must still sign the handshake.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if digest(&SHA256, certificate).as_ref() == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(super) mod tests;
