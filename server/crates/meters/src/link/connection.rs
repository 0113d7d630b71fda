//! One connection to a gateway: one request, one checked answer, or the end of the connection.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::target::{Carrier, Stream, Target};
use super::wire::Wire;
use super::{Action, Given, LinkError, mbap, rtu};
use crate::dlt645::{Access, Answer, Ask};

/// Connected, and in step: the next bytes to come answer the next request.
pub(super) struct Connection {
    wire: Wire,
    /// What goes over it is the bus behind it, where requests are not numbered.
    is_bus: bool,
    used: Instant,
}

impl Connection {
    pub(super) async fn open(target: &Target, within: Duration) -> std::io::Result<Self> {
        let stream = target.connect(within).await?;
        Ok(Self::new(stream, matches!(target.carrier, Carrier::Transparent)))
    }

    pub(super) fn new(stream: Box<dyn Stream>, is_bus: bool) -> Self {
        Self { wire: Wire::new(stream), is_bus, used: Instant::now() }
    }

    /// Waits until answers to requests that were given up cannot come any more, where they could be taken for another's.
    pub(super) async fn settle(&mut self, silence: Duration) -> std::io::Result<()> {
        if self.is_bus { self.wire.settle(silence).await } else { Ok(()) }
    }

    /// Something lies there that answers none of ours any more, or the gateway has closed: nothing must be asked on it.
    pub(super) fn is_disturbed(&mut self) -> bool {
        self.wire.is_disturbed()
    }

    /// How long nothing was asked.
    pub(super) fn idle(&self) -> Duration {
        self.used.elapsed()
    }

    /// Does one request, under this number where requests are numbered. After an error that is not [`LinkError::is_in_step`] the
    /// connection must not be used again: an answer that comes late would be taken for the next one's.
    pub(super) async fn exchange(
        &mut self,
        transaction: u16,
        action: &Action,
        access: &Access,
        within: Duration,
    ) -> Result<Given, LinkError> {
        let answer = timeout(within, self.ask(transaction, action, access)).await;
        self.used = Instant::now();
        answer.map_err(|_| LinkError::Timeout)?
    }

    async fn ask(&mut self, transaction: u16, action: &Action, access: &Access) -> Result<Given, LinkError> {
        /// As the gateway would answer what no frame can carry.
        const TOO_LONG: LinkError = LinkError::Exception(0x03);
        match action {
            Action::Modbus(unit, registers) if self.is_bus => {
                let request = rtu::request(*unit, registers).ok_or(TOO_LONG)?;
                self.wire.exchange(&request, |came| rtu::answer(*unit, registers, came)).await?.map(Given::Words)
            }
            Action::Modbus(unit, registers) => {
                let request = mbap::request(transaction, *unit, registers).ok_or(TOO_LONG)?;
                let answer = self.wire.exchange(&request, |came| mbap::answer(transaction, *unit, registers, came));
                answer.await?.map(Given::Words)
            }
            Action::Dlt645(ask) if self.is_bus => {
                let request = ask.encode(access).ok_or(LinkError::NoPassword)?;
                let answer = match ask {
                    Ask::Time(_) => self.wire.tell(&request).await.map(|()| Answer::Done)?,
                    _ => self.wire.exchange(&request, |came| ask.answer(came)).await?.map_err(LinkError::Refused)?,
                };
                Ok(Given::Dlt645(answer))
            }
            Action::Dlt645(_) => Err(LinkError::NotCarried),
        }
    }
}
