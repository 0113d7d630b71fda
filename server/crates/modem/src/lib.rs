//! A GSM modem on a serial port: text messages by AT commands (3GPP 27.005 and 27.007) in PDU mode.
//!
//! One task ([`Modem::run`]) owns the port: it sets the modem up, sends what [`Modem::send`] asks for and reads what it received.
//! It sets the modem up again whenever it hangs, restarts or answers what cannot be understood. Every wait has an end.

pub mod pdu;

mod at;
mod dialog;
mod driver;
mod error;
mod modem;
mod outgoing;
mod port;
mod setup;
#[cfg(any(test, feature = "simulated"))]
pub mod simulated;
mod watch;

#[cfg(test)]
mod tests;

pub use error::{SendError, SendFailure};
pub use modem::{Config, Event, Modem, Received};
pub use outgoing::Outgoing;
