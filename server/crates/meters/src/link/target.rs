//! The endpoint of a gateway, and what carries frames to it.

use std::fmt::Debug;
use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::{Tls, TlsSettings};
use domain::framing::Framing;
use store::meters::GatewayRow;

/// The endpoint of a gateway.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    pub port: u16,
    pub carrier: Carrier,
}

/// What carries frames to a gateway.
#[derive(Clone, Debug)]
pub enum Carrier {
    Tcp,
    /// Modbus TCP inside TLS.
    Tls(Tls),
    /// The bytes of the bus alone: Modbus RTU and DL/T 645.
    Transparent,
    /// The settings cannot be used: why, and what to do.
    Unusable(String),
}

/// A TCP or TLS connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Debug + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Debug + Unpin + Send> Stream for T {}

impl Target {
    /// The endpoint that the database holds.
    #[must_use]
    pub fn of(row: &GatewayRow, tls: &TlsSettings) -> Self {
        let carrier = match row.framing {
            Framing::ModbusTcp => Carrier::Tcp,
            Framing::Transparent => Carrier::Transparent,
            Framing::ModbusTls => {
                let name = row.tls_name.as_deref().unwrap_or(&row.host);
                let tls = Tls::new(tls, name, row.tls_pin.as_deref());
                tls.map_or_else(|error| Carrier::Unusable(error.to_string()), Carrier::Tls)
            }
        };
        Self { host: row.host.clone(), port: u16::try_from(row.port).unwrap_or(0), carrier }
    }

    /// Connects within that time, TLS handshake included.
    pub(super) async fn connect(&self, within: Duration) -> Result<Box<dyn Stream>> {
        timeout(within, self.open()).await.map_err(|_| Error::from(ErrorKind::TimedOut))?
    }

    async fn open(&self) -> Result<Box<dyn Stream>> {
        if let Carrier::Unusable(why) = &self.carrier {
            return Err(Error::other(why.clone()));
        }
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // A request is one small segment; waiting for more to fill it would add 40 ms to each.
        stream.set_nodelay(true)?;
        match &self.carrier {
            Carrier::Tls(tls) => Ok(Box::new(tls.handshake(stream).await?)),
            _ => Ok(Box::new(stream)),
        }
    }
}
