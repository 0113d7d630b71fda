//! One connection to a gateway: one request, one checked answer, or the end of the connection.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request as Modbus, Response, Slave};

use super::target::{Carrier, Stream, Target};
use super::transparent::Bus;
use super::{Action, Given, LinkError, Registers, rtu};
use crate::meters::dlt645::{Access, Answer, Ask};
use crate::meters::profile::Area;

/// Connected, and in step: the next bytes to come answer the next request.
pub(super) struct Connection {
    line: Line,
    used: Instant,
}

enum Line {
    /// Requests are numbered.
    Modbus(Context),
    /// They are not.
    Bus(Bus),
}

impl Connection {
    /// Connects.
    pub(super) async fn open(target: &Target, within: Duration) -> std::io::Result<Self> {
        let stream = target.connect(within).await?;
        Ok(if matches!(target.carrier, Carrier::Transparent) { Self::transparent(stream) } else { Self::modbus(stream) })
    }

    pub(super) fn modbus(stream: Box<dyn Stream>) -> Self {
        Self { line: Line::Modbus(tcp::attach(stream)), used: Instant::now() }
    }

    pub(super) fn transparent(stream: Box<dyn Stream>) -> Self {
        Self { line: Line::Bus(Bus::new(stream)), used: Instant::now() }
    }

    /// Waits until answers to requests that were given up cannot come any more, where they could be taken for another's.
    pub(super) async fn settle(&mut self, silence: Duration) -> std::io::Result<()> {
        match &mut self.line {
            Line::Modbus(_) => Ok(()),
            Line::Bus(bus) => bus.settle(silence).await,
        }
    }

    /// How long nothing was asked.
    pub(super) fn idle(&self) -> Duration {
        self.used.elapsed()
    }

    /// Does one request. After an error that is not [`LinkError::is_in_step`] the connection must not be used again: an answer
    /// that comes late would be taken for the next one's.
    pub(super) async fn exchange(&mut self, action: &Action, access: &Access, within: Duration) -> Result<Given, LinkError> {
        let answer = timeout(within, self.ask(action, access)).await;
        self.used = Instant::now();
        answer.map_err(|_| LinkError::Timeout)?
    }

    async fn ask(&mut self, action: &Action, access: &Access) -> Result<Given, LinkError> {
        match (&mut self.line, action) {
            (Line::Modbus(context), Action::Modbus(unit, registers)) => call(context, *unit, registers).await.map(Given::Words),
            (Line::Bus(bus), Action::Modbus(unit, registers)) => {
                // As the gateway would answer what no frame can carry.
                let request = rtu::request(*unit, registers).ok_or(LinkError::Exception(0x03))?;
                bus.exchange(&request, |came| rtu::answer(*unit, registers, came)).await?.map(Given::Words)
            }
            (Line::Bus(bus), Action::Dlt645(ask)) => {
                let request = ask.encode(access).ok_or(LinkError::NoPassword)?;
                let answer = match ask {
                    Ask::Time(_) => bus.tell(&request).await.map(|()| Answer::Done)?,
                    _ => bus.exchange(&request, |came| ask.answer(came)).await?.map_err(LinkError::Refused)?,
                };
                Ok(Given::Dlt645(answer))
            }
            (Line::Modbus(_), Action::Dlt645(_)) => Err(LinkError::NotCarried),
        }
    }
}

/// One request over Modbus TCP. The client compares transaction, unit and function; the lengths are ours to compare.
async fn call(context: &mut Context, unit: u8, registers: &Registers) -> Result<Vec<u16>, LinkError> {
    context.set_slave(Slave(unit));
    // `call` rather than `read_holding_registers`: that one panics on a short answer in debug builds.
    let request = match registers {
        Registers::Read { area: Area::Holding, address, count } => Modbus::ReadHoldingRegisters(*address, *count),
        Registers::Read { area: Area::Input, address, count } => Modbus::ReadInputRegisters(*address, *count),
        Registers::Write { address, words } => Modbus::WriteMultipleRegisters(*address, Cow::Borrowed(words.as_slice())),
    };
    match (context.call(request).await, registers) {
        (Ok(Err(exception)), _) => Err(LinkError::Exception(exception.into())),
        (Ok(Ok(Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words))), Registers::Read { count, .. })
            if words.len() == usize::from(*count) =>
        {
            Ok(words)
        }
        (Ok(Ok(Response::WriteMultipleRegisters(at, wrote))), Registers::Write { address, words })
            if at == *address && usize::from(wrote) == words.len() =>
        {
            Ok(Vec::new())
        }
        _ => Err(LinkError::Broken),
    }
}
