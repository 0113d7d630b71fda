//! Gateways that are transparent or speak TLS: the same meters, other bytes.

use std::net::SocketAddr;
use std::sync::Arc;

use domain::framing::Framing;
use simulator::{LineFault, Simulator, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::config;
use super::line::Line;

async fn site(framing: Framing) -> Simulator {
    let (mut config, _) = config();
    config.estate.gateways[0].framing = framing;
    start(config).await.unwrap()
}

/// Unit 1 or 2 is asked for register 0x0108, its purchase count, which is 1.
const ASK_1: [u8; 8] = [1, 3, 0x01, 0x08, 0, 1, 0x04, 0x34];
const ANSWER_1: [u8; 7] = [1, 3, 2, 0, 1, 0x79, 0x84];
const ASK_2: [u8; 8] = [2, 3, 0x01, 0x08, 0, 1, 0x04, 0x07];
const ANSWER_2: [u8; 7] = [2, 3, 2, 0, 1, 0x3d, 0x84];

async fn ask(line: &mut Line, bytes: &[u8]) -> Vec<u8> {
    line.0.write_all(bytes).await.unwrap();
    line.rest().await.0
}

async fn with(fault: LineFault) -> (Simulator, Line) {
    let simulator = site(Framing::Transparent).await;
    simulator.meter(0, 2).unwrap().fault(fault, 1.0).unwrap();
    let line = Line::to(simulator.addresses()[0]).await;
    (simulator, line)
}

#[tokio::test]
async fn a_transparent_gateway_carries_rtu() {
    let simulator = site(Framing::Transparent).await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    assert_eq!(ask(&mut line, &ASK_1).await, ANSWER_1);
    assert_eq!(ask(&mut line, &[&ASK_1[..], &ASK_2].concat()).await, [ANSWER_1, ANSWER_2].concat());
    let mut broken = ASK_1;
    broken[7] ^= 1;
    assert_eq!(ask(&mut line, &broken).await, b"", "a meter that hears noise keeps silent");
    assert_eq!(ask(&mut line, &[9, 3, 0, 0, 0, 1, 0x85, 0x42]).await, b"", "nobody there, and nobody to say so");
}

#[tokio::test]
async fn line_faults_use_the_framing_of_the_gateway() {
    for (fault, bytes) in [
        (LineFault::Silent, &[][..]),
        (LineFault::LostAnswer, &[]),
        (LineFault::NoAnswer, &[]),
        (LineFault::Busy, &[2, 0x83, 6, 0x31, 0x32]),
        (LineFault::WrongUnit, &[3, 3, 2, 0, 1, 0, 0x44]),
        (LineFault::ShortAnswer, &[2, 3, 2, 0x51, 0x31]),
        (LineFault::CutMidFrame, &ANSWER_2[..3]),
    ] {
        let (_simulator, mut line) = with(fault).await;
        assert_eq!(ask(&mut line, &ASK_2).await, bytes, "{fault:?}");
    }
    let (_simulator, mut line) = with(LineFault::BadCheck).await;
    let came = ask(&mut line, &ASK_2).await;
    assert_eq!((&came[..6], came[6] == ANSWER_2[6]), (&ANSWER_2[..6], false));
    let (_simulator, mut line) = with(LineFault::ShiftedAnswer).await;
    assert_eq!(ask(&mut line, &ASK_2).await, b"");
    assert_eq!(ask(&mut line, &ASK_1).await, ANSWER_2, "unit 2's answer in place of unit 1's");
}

#[tokio::test]
async fn a_late_answer_goes_to_the_next_connection() {
    let (simulator, mut line) = with(LineFault::LateAnswer { ms: 400 }).await;
    line.0.write_all(&ASK_2).await.unwrap();
    assert_eq!(ask(&mut line, &ASK_1).await, ANSWER_1, "the bus serves others meanwhile");
    let mut next = Line::to(simulator.addresses()[0]).await;
    let mut late = [0; 7];
    next.0.read_exact(&mut late).await.unwrap();
    assert_eq!(late, ANSWER_2);
    assert_eq!(line.rest().await.0, b"");

    line.0.write_all(&ASK_2).await.unwrap();
    drop(line);
    next.0.read_exact(&mut late).await.unwrap();
    assert_eq!(late, ANSWER_2);
}

#[tokio::test]
async fn a_gateway_speaks_tls_with_its_own_certificate() {
    let simulator = site(Framing::ModbusTls).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(simulator.certificate().unwrap().as_bytes()).unwrap()).unwrap();
    let answer = over_tls(simulator.addresses()[0], roots).await.unwrap();
    assert_eq!(answer, [0, 7, 0, 0, 0, 5, 1, 3, 2, 0, 1]);
    assert!(over_tls(simulator.addresses()[0], RootCertStore::empty()).await.is_err(), "who does not know it does not trust it");

    let mut plain = Line::to(simulator.addresses()[0]).await;
    plain.send(7, 1, &[3, 1, 8, 0, 1]).await;
    assert_ne!(plain.rest().await.0.get(..2), Some(&[0, 7][..]), "nothing without TLS");
}

async fn over_tls(address: SocketAddr, roots: RootCertStore) -> std::io::Result<Vec<u8>> {
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let mut tls = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await?;
    tls.write_all(&[0, 7, 0, 0, 0, 6, 1, 3, 1, 8, 0, 1]).await?;
    let mut answer = vec![0; 11];
    tls.read_exact(&mut answer).await?;
    Ok(answer)
}
