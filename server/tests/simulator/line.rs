//! A client that sees every byte.

use std::net::SocketAddr;
use std::time::Duration;

use domain::operation::Operation;
use domain::serial::Serial;
use meters::frame::{FrameVersion, Header, seal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The wait for an expected answer; a busy machine needs this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// The wait that shows that no answer comes.
const SHORT: Duration = Duration::from_millis(150);

pub struct Line(pub TcpStream);

impl Line {
    pub async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub async fn send(&mut self, transaction: u16, unit: u8, pdu: &[u8]) {
        let mut bytes = transaction.to_be_bytes().to_vec();
        bytes.extend([0, 0, 0, pdu.len() as u8 + 1, unit]);
        bytes.extend(pdu);
        self.0.write_all(&bytes).await.unwrap();
    }

    /// The next answer: transaction, unit, PDU.
    pub async fn receive(&mut self) -> (u16, u8, Vec<u8>) {
        let mut header = [0; 7];
        timeout(PATIENCE, self.0.read_exact(&mut header)).await.expect("an answer").unwrap();
        assert_eq!(header[2..4], [0, 0]);
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])) - 1];
        timeout(PATIENCE, self.0.read_exact(&mut pdu)).await.expect("the rest of an answer").unwrap();
        (u16::from_be_bytes([header[0], header[1]]), header[6], pdu)
    }

    pub async fn ask(&mut self, unit: u8, pdu: &[u8]) -> Vec<u8> {
        self.send(0x1234, unit, pdu).await;
        let (transaction, answered, pdu) = self.receive().await;
        assert_eq!((transaction, answered), (0x1234, unit));
        pdu
    }

    /// All bytes that arrive within a short time; ends early when the other side closes.
    pub async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        loop {
            let mut part = [0; 512];
            match timeout(SHORT, self.0.read(&mut part)).await {
                Err(_) => return (bytes, false),
                Ok(Ok(0) | Err(_)) => return (bytes, true),
                Ok(Ok(length)) => bytes.extend(&part[..length]),
            }
        }
    }

    pub async fn read(&mut self, unit: u8, address: u16, count: u8) -> Vec<u16> {
        let pdu = self.ask(unit, &read(address, count)).await;
        assert_eq!(pdu[..2], [3, count * 2], "an exception or a wrong length: {pdu:x?}");
        pdu[2..].as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
    }

    /// Seals an operation with the meter's current challenge.
    pub async fn seal(&mut self, unit: u8, version: FrameVersion, operation: &Operation) -> Vec<u8> {
        let block = self.read(unit, 0x0100, 38).await;
        let bytes: Vec<u8> = block.iter().flat_map(|register| register.to_be_bytes()).collect();
        let serial = Serial::from_bytes(bytes[..6].try_into().unwrap()).unwrap();
        let header = Header { epoch: block[9], challenge: bytes[32..36].try_into().unwrap(), frame_number: 1 };
        write(0x0200, &seal(&crate::keys(), version, &header, serial, operation).unwrap())
    }

    /// Sends an operation and gives its result from register 0x0112.
    pub async fn operate(&mut self, unit: u8, version: FrameVersion, operation: &Operation) -> u8 {
        let pdu = self.seal(unit, version, operation).await;
        assert_eq!(self.ask(unit, &pdu).await, pdu[..5]);
        let [code, result] = self.read(unit, 0x0112, 1).await[0].to_be_bytes();
        assert_eq!(code, operation.code());
        result
    }
}

pub fn read(address: u16, count: u8) -> [u8; 5] {
    let [a, b] = address.to_be_bytes();
    [3, a, b, 0, count]
}

pub fn write(address: u16, bytes: &[u8]) -> Vec<u8> {
    let [a, b] = address.to_be_bytes();
    let mut pdu = vec![16, a, b, 0, (bytes.len() / 2) as u8, bytes.len() as u8];
    pdu.extend(bytes);
    pdu
}
