//! The certificate of simulated gateways that speak Modbus over TLS, generated at start.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Why no certificate could be generated.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the certificate could not be generated")]
    Certificate(#[from] rcgen::Error),
    #[error("the certificate cannot be used")]
    Use(#[from] tokio_rustls::rustls::Error),
}

/// A certificate, and the acceptor that uses it.
pub struct Identity {
    /// The certificate for clients to trust, PEM.
    pub pem: String,
    pub acceptor: TlsAcceptor,
}

impl Identity {
    /// A certificate for `localhost` and this address.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn generate(host: IpAddr) -> Result<Self, TlsError> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned(), host.to_string()])?;
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())?;
        Ok(Self { pem: cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}
