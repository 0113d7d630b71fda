//! One connection to a gateway: one request, one checked answer, or the end of the connection.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::modbus::{Adu, Modbus};
use super::target::{Carrier, Stream, Target};
use super::transport::{Disturbance, Transport};
use super::{Action, LinkError, Response};
use crate::dlt645::{Answer, Credentials, Dlt645Request};
use model::gateway::Heartbeat;

/// Connected, and in step: the next bytes received answer the next request.
pub(super) struct Connection {
    transport: Transport,
    modbus: Modbus,
    /// The bare bus is behind it, where requests are not numbered and DL/T 645 is carried.
    is_bus: bool,
    last_used: Instant,
}

impl Connection {
    pub(super) async fn open(target: &Target, within: Duration) -> std::io::Result<Self> {
        let stream = target.connect(within).await?;
        Ok(Self::new(stream, matches!(target.carrier, Carrier::Transparent)))
    }

    /// A connection that the gateway opened.
    pub(super) fn incoming(stream: Box<dyn Stream>, carrier: &Carrier, heartbeat: Option<Heartbeat>) -> Self {
        let mut connection = Self::new(stream, matches!(carrier, Carrier::Transparent));
        connection.transport.expect_heartbeat(heartbeat);
        connection
    }

    fn new(stream: Box<dyn Stream>, is_bus: bool) -> Self {
        let modbus = Modbus::new(if is_bus { Adu::Rtu } else { Adu::Mbap });
        let transport = if is_bus { Transport::of_bus(stream) } else { Transport::new(stream) };
        Self { transport, modbus, is_bus, last_used: Instant::now() }
    }

    /// Waits, where answers are not numbered, until no request that timed out can be answered any more.
    pub(super) async fn settle(&mut self, silence: Duration) -> std::io::Result<()> {
        if self.is_bus { self.transport.settle(silence).await } else { Ok(()) }
    }

    /// Waits, whatever the framing, until no request that timed out can be answered any more.
    pub(super) async fn quiet(&mut self, silence: Duration) -> std::io::Result<()> {
        self.transport.settle(silence).await
    }

    /// Waits for bytes that nobody requested: heartbeats, which are answered where they have to be.
    ///
    /// # Errors
    /// [`LinkError::Broken`] where the gateway has closed, [`LinkError::Garbled`] for other bytes.
    pub(super) async fn listen(&mut self) -> Result<(), LinkError> {
        self.transport.listen().await
    }

    /// See [`Transport::disturbance`]: after one nothing must be requested.
    pub(super) fn disturbance(&mut self) -> Option<Disturbance> {
        self.transport.disturbance()
    }

    /// How often stray bytes were received since the last call.
    pub(super) const fn take_noise(&mut self) -> u64 {
        self.transport.take_noise()
    }

    /// How long nothing was requested.
    pub(super) fn idle(&self) -> Duration {
        self.last_used.elapsed()
    }

    /// Does one request, with this transaction number where requests are numbered. After an error that is not
    /// [`LinkError::is_in_step`] the connection must not be used again: a late answer would be taken for the next one's.
    pub(super) async fn exchange(
        &mut self,
        transaction: u16,
        action: &Action,
        access: &Credentials,
        within: Duration,
    ) -> Result<Response, LinkError> {
        let answer = timeout(within, self.request(transaction, action, access)).await;
        self.last_used = Instant::now();
        answer.unwrap_or_else(|_| Err(self.transport.no_answer()))
    }

    async fn request(&mut self, transaction: u16, action: &Action, access: &Credentials) -> Result<Response, LinkError> {
        match action {
            Action::Modbus(unit, registers) => {
                self.modbus.exchange(&mut self.transport, transaction, *unit, registers).await.map(Response::Words)
            }
            Action::Dlt645(ask) if self.is_bus => {
                let request = ask.encode(access).ok_or(LinkError::NoPassword)?;
                let answer = match ask {
                    Dlt645Request::Time(_) => self.transport.broadcast(&request).await.map(|()| Answer::Done)?,
                    _ => {
                        let answer = self.transport.exchange(&request, |received| ask.answer(received)).await?;
                        answer.map_err(LinkError::Refused)?
                    }
                };
                Ok(Response::Dlt645(answer))
            }
            Action::Dlt645(_) => Err(LinkError::NotCarried),
        }
    }
}
