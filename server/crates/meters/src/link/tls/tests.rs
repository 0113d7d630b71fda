use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;

fn acceptor() -> (TlsAcceptor, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.der().clone())
}

/// A gateway's side of TLS, and the fingerprint of its certificate.
pub(in crate::link) fn identity() -> (TlsAcceptor, String) {
    let (acceptor, certificate) = acceptor();
    (acceptor, hex::encode(digest(&SHA256, &certificate)))
}

/// A gateway for `localhost`; returns its port and its certificate.
async fn gateway() -> (u16, CertificateDer<'static>) {
    let (acceptor, certificate) = acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            drop(acceptor.accept(stream).await);
        }
    });
    (port, certificate)
}

fn trusting(certificate: &CertificateDer<'_>) -> (TlsSettings, tempfile::NamedTempFile) {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(certificate);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")).unwrap();
    (TlsSettings { ca_file: Some(file.path().into()), ..TlsSettings::default() }, file)
}

async fn handshake(port: u16, tls: &Tls) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tls.handshake(stream).await.map_or_else(|error| error.to_string(), |_| "trusted".into())
}

#[tokio::test]
async fn an_untrusted_certificate_is_reported_with_advice() {
    let (port, certificate) = gateway().await;
    let (authority, _file) = trusting(&certificate);
    let (_, other) = gateway().await;
    let (other, _other_file) = trusting(&other);
    let pin = hex::encode(digest(&SHA256, &certificate));
    for (settings, name, pin, part) in [
        (&authority, "localhost", None, "trusted"),
        (&other, "localhost", Some(&*pin), "trusted"),
        (&other, "localhost", None, "meters.tls.ca_file"),
        (&authority, "other.example", None, "tls_name"),
        (&authority, "localhost", Some(&*"ab".repeat(32)), "not the pinned certificate"),
    ] {
        let outcome = handshake(port, &Tls::new(settings, name, pin).unwrap()).await;
        assert!(outcome.contains(part), "{outcome}");
    }
}

#[tokio::test]
async fn the_end_of_a_signed_certificate_is_kept() {
    let (port, certificate) = gateway().await;
    let (authority, _file) = trusting(&certificate);
    let tls = Tls::new(&authority, "localhost", None).unwrap();
    assert_eq!(tls.certificate_until(), None);
    assert_eq!(handshake(port, &tls).await, "trusted");
    assert_eq!(tls.clone().certificate_until(), end(&certificate));
    assert!(tls.certificate_until().is_some());
    let pin = hex::encode(digest(&SHA256, &certificate));
    let pinned = Tls::new(&authority, "localhost", Some(&pin)).unwrap();
    assert_eq!(handshake(port, &pinned).await, "trusted");
    assert_eq!(pinned.certificate_until(), None, "it is trusted whatever its dates");
}

#[tokio::test]
async fn a_port_without_tls_is_reported_as_such() {
    let (_, certificate) = gateway().await;
    let (authority, _file) = trusting(&certificate);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"this is no TLS, and never was").await.unwrap();
    });
    let outcome = handshake(port, &Tls::new(&authority, "localhost", None).unwrap()).await;
    assert!(outcome.contains("does not speak TLS"), "{outcome}");
}

#[test]
fn settings_that_cannot_work_name_the_key() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let why = |settings: TlsSettings, name: &str, pin| Tls::new(&settings, name, pin).unwrap_err().to_string();
    let file = |path: &std::path::Path| Some(path.to_owned());
    let ca = |path: &std::path::Path| TlsSettings { ca_file: file(path), ..TlsSettings::default() };
    assert!(why(ca(empty.path()), "a", None).starts_with("meters.tls.ca_file: "));
    assert!(why(ca(std::path::Path::new("no-such-file.pem")), "a", None).contains("no-such-file.pem"));
    let half = TlsSettings { certificate_file: file(empty.path()), ..TlsSettings::default() };
    let pin = "ab".repeat(32);
    assert!(why(half, "a", Some(&pin)).contains("belong together"));
    assert!(why(TlsSettings::default(), "a", Some("ab")).contains("tls_pin"));
    assert!(why(TlsSettings::default(), "not a name", Some(&pin)).contains("tls_name"));
}
