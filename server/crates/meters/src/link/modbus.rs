//! Modbus requests through tokio-modbus, which encodes the requests and decodes the answers.
//!
//! The library never touches the connection. Its transport is one end of a pipe in memory; at the other end each request is taken
//! out whole, renumbered and sent, and nothing but the whole answer that was checked against it is put back. So a late, wrong or
//! damaged answer never reaches the library, and DL/T 645 can use the same connection between two requests.

use futures::TryFutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::try_join;
use tokio_modbus::Response;
use tokio_modbus::client::{Client, Context, rtu as rtu_client, tcp as tcp_client};
use tokio_modbus::slave::{Slave, SlaveContext};

use super::transport::Transport;
use super::{LinkError, Registers, mbap, pdu, rtu};
use crate::decoding::{OutOfStep, Progress};

/// More than the longest ADU, which has 260 bytes: the library writes a request in one go.
const PIPE: usize = 512;
/// As the gateway would answer what no frame can carry.
const ILLEGAL_VALUE: LinkError = LinkError::Exception(0x03);

/// What encloses a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adu {
    /// The header of Modbus TCP.
    Mbap,
    /// Unit and CRC.
    Rtu,
}

/// The library's client for one connection.
pub(super) struct Modbus {
    client: Context,
    pipe: DuplexStream,
    adu: Adu,
}

impl Adu {
    fn renumber(self, frame: &mut [u8], number: [u8; 2]) -> [u8; 2] {
        match self {
            Self::Mbap => mbap::renumber(frame, number),
            Self::Rtu => number,
        }
    }

    pub(super) fn answer(self, request: &[u8], received: &[u8]) -> Result<Progress<Vec<u8>>, OutOfStep> {
        match self {
            Self::Mbap => mbap::answer(request, received),
            Self::Rtu => rtu::answer(request, received),
        }
    }
}

impl Modbus {
    pub(super) fn new(adu: Adu) -> Self {
        let (transport, pipe) = duplex(PIPE);
        let client = match adu {
            Adu::Mbap => tcp_client::attach(transport),
            Adu::Rtu => rtu_client::attach(transport),
        };
        Self { client, pipe, adu }
    }

    /// One request, with this transaction number where requests are numbered, and its answer: no words for a write.
    pub(super) async fn exchange(
        &mut self,
        transport: &mut Transport,
        transaction: u16,
        unit: u8,
        registers: &Registers,
    ) -> Result<Vec<u16>, LinkError> {
        let request = pdu::request(registers).ok_or(ILLEGAL_VALUE)?;
        self.client.set_slave(Slave(unit));
        let call = self.client.call(request).map_err(|_| LinkError::Broken);
        let (answer, ()) = try_join!(call, carry(&mut self.pipe, transport, self.adu, transaction))?;
        match answer {
            Ok(Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words)) => Ok(words),
            Ok(Response::WriteMultipleRegisters(..)) => Ok(Vec::new()),
            Ok(_) => Err(LinkError::Broken),
            Err(exception) => Err(LinkError::Exception(exception.into())),
        }
    }
}

/// Carries one request from the library to the connection, and its answer back.
async fn carry(pipe: &mut DuplexStream, transport: &mut Transport, adu: Adu, transaction: u16) -> Result<(), LinkError> {
    let mut request = Vec::with_capacity(PIPE);
    pipe.read_buf(&mut request).await.map_err(|_| LinkError::Broken)?;
    let library_number = adu.renumber(&mut request, transaction.to_be_bytes());
    let mut answer = transport.exchange(&request, |received| adu.answer(&request, received)).await?;
    adu.renumber(&mut answer, library_number);
    pipe.write_all(&answer).await.map_err(|_| LinkError::Broken)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::profile::Area;

    const READ: Registers = Registers::Read { area: Area::Holding, address: 0x6b, count: 3 };

    fn write(words: Vec<u16>) -> Registers {
        Registers::Write { address: 0x0200, words }
    }

    /// The bytes that are sent for a request, or why nothing is sent.
    pub(in crate::link) async fn encode(
        adu: Adu,
        transaction: u16,
        unit: u8,
        registers: &Registers,
    ) -> Result<Vec<u8>, LinkError> {
        let (near, mut far) = duplex(PIPE);
        let (mut modbus, mut transport) = (Modbus::new(adu), Transport::new(Box::new(near)));
        let mut bytes = Vec::with_capacity(PIPE);
        tokio::select! {
            answer = modbus.exchange(&mut transport, transaction, unit, registers) => Err(answer.unwrap_err()),
            read = far.read_buf(&mut bytes) => read.map(|_| bytes).map_err(|_| LinkError::Broken),
        }
    }

    /// The outcome of a request where these bytes are received.
    pub(in crate::link) async fn decode(
        adu: Adu,
        transaction: u16,
        unit: u8,
        registers: &Registers,
        received: &[u8],
    ) -> Result<Vec<u16>, LinkError> {
        let (near, mut far) = duplex(PIPE);
        far.write_all(received).await.unwrap();
        Modbus::new(adu).exchange(&mut Transport::new(Box::new(near)), transaction, unit, registers).await
    }

    /// The same on a bus, with how often noise was accepted.
    async fn decode_on_bus(received: &[u8]) -> (Result<Vec<u16>, LinkError>, u64) {
        let (near, mut far) = duplex(PIPE);
        far.write_all(received).await.unwrap();
        let mut transport = Transport::of_bus(Box::new(near));
        let answer = Modbus::new(Adu::Rtu).exchange(&mut transport, 0, 0x11, &READ).await;
        (answer, transport.take_noise())
    }

    #[tokio::test]
    async fn a_few_stray_bytes_around_a_good_frame_are_noise() {
        let good = [0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];
        let good = [&good[..], &rtu::crc(&good).to_le_bytes()].concat();
        let words = Ok(vec![0x022b, 0, 0x64]);
        assert_eq!(decode_on_bus(&good).await, (words.clone(), 0));
        // Bytes that look like the beginning of the answer among them.
        for (before, after) in
            [(&[0][..], &[][..]), (&[], &[0]), (&[0, 0xff], &[0, 0]), (&[0x11, 0, 0x11], &[0]), (&[3, 0x11], &[])]
        {
            let noisy = [before, &good, after].concat();
            assert_eq!(decode_on_bus(&noisy).await, (words.clone(), 1), "{noisy:x?}");
        }
        // More than a few, another meter's frame, a damaged one, and any of it where frames have their own numbers.
        let mut damaged = good.clone();
        damaged[4] ^= 1;
        let other = [0x12, 3, 2, 0, 1];
        let other = [&other[..], &rtu::crc(&other).to_le_bytes()].concat();
        let too_much = [&[0; 3][..], &good, &[0; 2]].concat();
        for bad in
            [&[&[0; 5][..], &good].concat(), &[&good[..], &[0; 5]].concat(), &too_much, &damaged, &[&other[..], &good].concat()]
        {
            assert_eq!(decode_on_bus(bad).await, (Err(LinkError::Garbled), 0), "{bad:x?}");
        }
        let tcp = [0x12, 0x34, 0, 0, 0, 9, 0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];
        let noisy = [&tcp[..], &[0]].concat();
        assert_eq!(decode(Adu::Mbap, 0x1234, 0x11, &READ, &noisy).await, Err(LinkError::Garbled));
    }

    #[tokio::test]
    async fn requests_over_tcp_as_published() {
        assert_eq!(encode(Adu::Mbap, 0x1234, 0x11, &READ).await.unwrap(), [0x12, 0x34, 0, 0, 0, 6, 0x11, 3, 0, 0x6b, 0, 3]);
        let bytes = encode(Adu::Mbap, 0xffff, 1, &write(vec![0x0102, 0x0304])).await.unwrap();
        assert_eq!(bytes, [0xff, 0xff, 0, 0, 0, 11, 1, 0x10, 2, 0, 0, 2, 4, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn requests_over_rtu_as_published() {
        // The specification's own example of function 03.
        assert_eq!(encode(Adu::Rtu, 7, 0x11, &READ).await.unwrap(), [0x11, 3, 0, 0x6b, 0, 3, 0x76, 0x87]);
        let bytes = encode(Adu::Rtu, 7, 1, &write(vec![0x0102, 0x0304])).await.unwrap();
        assert_eq!(bytes[..11], [1, 0x10, 2, 0, 0, 2, 4, 1, 2, 3, 4]);
        assert_eq!(bytes.len(), 13);
    }

    #[tokio::test]
    async fn a_request_that_no_frame_carries_is_not_sent() {
        for adu in [Adu::Mbap, Adu::Rtu] {
            for count in [126, 0, u16::MAX] {
                let read = Registers::Read { area: Area::Input, address: 0, count };
                assert_eq!(encode(adu, 0, 1, &read).await, Err(ILLEGAL_VALUE));
            }
            for count in [124, 0] {
                assert_eq!(encode(adu, 0, 1, &write(vec![0; count])).await, Err(ILLEGAL_VALUE));
            }
            assert_eq!(encode(adu, 0, 1, &write(vec![0; 123])).await.unwrap().len(), if adu == Adu::Mbap { 259 } else { 255 });
        }
    }

    #[tokio::test]
    async fn answers_are_decoded() {
        let read = [0x12, 0x34, 0, 0, 0, 9, 0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];
        assert_eq!(decode(Adu::Mbap, 0x1234, 0x11, &READ, &read).await, Ok(vec![0x022b, 0, 0x64]));
        let written = [0, 7, 0, 0, 0, 6, 1, 0x10, 2, 0, 0, 2];
        assert_eq!(decode(Adu::Mbap, 7, 1, &write(vec![1, 2]), &written).await, Ok(Vec::new()));
        for code in [0x01, 0x06, 0x0b, 0x0c, 0xff] {
            let refused = [0, 7, 0, 0, 0, 3, 1, 0x90, code];
            assert_eq!(decode(Adu::Mbap, 7, 1, &write(vec![1, 2]), &refused).await, Err(LinkError::Exception(code)));
            let refused = [&[0x11, 0x83, code][..], &rtu::crc(&[0x11, 0x83, code]).to_le_bytes()].concat();
            assert_eq!(decode(Adu::Rtu, 0, 0x11, &READ, &refused).await, Err(LinkError::Exception(code)));
        }
        let read = [0x11, 3, 6, 2, 0x2b, 0, 0, 0, 0x64];
        let read = [&read[..], &rtu::crc(&read).to_le_bytes()].concat();
        assert_eq!(decode(Adu::Rtu, 0, 0x11, &READ, &read).await, Ok(vec![0x022b, 0, 0x64]));
    }
}
