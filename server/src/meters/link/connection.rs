//! One TCP connection to a gateway: one request, one checked answer, or the end of the connection.

use std::borrow::Cow;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request as Modbus, Response, Slave};

use super::{Action, LinkError};
use crate::meters::profile::Area;

/// Connected, and in step: the next bytes to come answer the next request.
pub(super) struct Connection {
    context: Context,
    used: Instant,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(host: &str, port: u16, within: Duration) -> std::io::Result<Self> {
        let stream = timeout(within, TcpStream::connect((host, port)))
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        // A request is one small segment; waiting for more to fill it would add 40 ms to each.
        stream.set_nodelay(true)?;
        Ok(Self { context: tcp::attach(stream), used: Instant::now() })
    }

    /// How long nothing was asked.
    pub(super) fn idle(&self) -> Duration {
        self.used.elapsed()
    }

    /// Does one request. After anything but `Ok` or an exception the connection must not be used again: an answer that comes
    /// late would be taken for the next one's.
    pub(super) async fn exchange(&mut self, unit: u8, action: &Action, within: Duration) -> Result<Vec<u16>, LinkError> {
        self.context.set_slave(Slave(unit));
        // `call` rather than `read_holding_registers`: that one panics on a short answer in debug builds.
        let request = match action {
            Action::Read { area: Area::Holding, address, count } => Modbus::ReadHoldingRegisters(*address, *count),
            Action::Read { area: Area::Input, address, count } => Modbus::ReadInputRegisters(*address, *count),
            Action::Write { address, words } => Modbus::WriteMultipleRegisters(*address, Cow::Borrowed(words.as_slice())),
        };
        let answer = timeout(within, self.context.call(request)).await;
        self.used = Instant::now();
        // The client has compared transaction, unit and function; the lengths are ours to compare.
        match (answer, action) {
            (Err(_), _) => Err(LinkError::Timeout),
            (Ok(Err(_)), _) => Err(LinkError::Broken),
            (Ok(Ok(Err(exception))), _) => Err(LinkError::Exception(exception.into())),
            (
                Ok(Ok(Ok(Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words)))),
                Action::Read { count, .. },
            ) if words.len() == usize::from(*count) => Ok(words),
            (Ok(Ok(Ok(Response::WriteMultipleRegisters(at, wrote)))), Action::Write { address, words })
                if at == *address && usize::from(wrote) == words.len() =>
            {
                Ok(Vec::new())
            }
            _ => Err(LinkError::Broken),
        }
    }
}
