//! The endpoint of a gateway, and what carries frames to it.

use std::fmt::Debug;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::tls::{self, Tls, TlsSettings};
use crate::dial_in::Mailbox;
use domain::framing::Framing;
use model::gateway::{BytePattern, ConnectFault, Dialling, Heartbeat};
use model::time::Timestamp;
use store::meters::GatewayRow;

/// The endpoint of a gateway.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    pub port: u16,
    pub carrier: Carrier,
    /// Where a gateway that dials in is found; host and port mean nothing then.
    pub incoming: Option<Incoming>,
}

/// How the connections of a gateway that dials in reach its link.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) registration: BytePattern,
    pub(crate) heartbeat: Option<Heartbeat>,
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
pub(crate) trait Stream: AsyncRead + AsyncWrite + Debug + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Debug + Unpin + Send> Stream for T {}

impl Target {
    /// The endpoint that the database holds.
    #[must_use]
    pub fn of(row: &GatewayRow, tls: &TlsSettings) -> Self {
        let carrier = match row.framing {
            Framing::ModbusTcp => Carrier::Tcp,
            Framing::Transparent => Carrier::Transparent,
            Framing::ModbusTls => {
                let name = row.tls_name.as_deref().or(row.host.as_deref()).unwrap_or_default();
                let tls = Tls::new(tls, name, row.tls_pin.as_deref());
                tls.map_or_else(|error| Carrier::Unusable(error.to_string()), Carrier::Tls)
            }
        };
        match row.reach() {
            Ok(Dialling::Dialled { host, port }) => Self::dialled(host.to_string(), port.get(), carrier),
            Ok(Dialling::DialIn { registration, heartbeat }) => {
                let incoming = Some(Incoming { mailbox: Arc::default(), registration, heartbeat });
                Self { incoming, ..Self::dialled(String::new(), 0, carrier) }
            }
            Err(error) => Self::dialled(String::new(), 0, Carrier::Unusable(error.to_string())),
        }
    }

    /// A gateway that the server connects to.
    #[must_use]
    pub const fn dialled(host: String, port: u16, carrier: Carrier) -> Self {
        Self { host, port, carrier, incoming: None }
    }

    /// Until when the certificate is valid that the gateway showed last, where an authority signed it.
    #[must_use]
    pub fn certificate_until(&self) -> Option<Timestamp> {
        match &self.carrier {
            Carrier::Tls(tls) => tls.certificate_until(),
            _ => None,
        }
    }

    /// Why it cannot be connected to within that time; `None` where it can. The connection ends at once.
    pub async fn fault(&self, within: Duration) -> Option<ConnectFault> {
        if self.incoming.is_some() {
            return Some(ConnectFault::Away);
        }
        if matches!(self.carrier, Carrier::Unusable(_)) {
            return Some(ConnectFault::TlsSettings);
        }
        let is_known = async { lookup_host((self.host.as_str(), self.port)).await.is_ok_and(|found| found.count() > 0) };
        match timeout(within, is_known).await {
            Ok(true) => {}
            Ok(false) => return Some(ConnectFault::UnknownName),
            Err(_) => return Some(ConnectFault::TimedOut),
        }
        self.connect(within).await.err().map(|error| fault(&error))
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

/// What an error of connecting means.
fn fault(error: &Error) -> ConnectFault {
    if let Some(fault) = tls::fault(error) {
        return fault;
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => ConnectFault::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => ConnectFault::NoRoute,
        ErrorKind::TimedOut => ConnectFault::TimedOut,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => ConnectFault::Closed,
        _ => ConnectFault::Other,
    }
}
