//! Why a message was not sent, and why the modem must be set up again.

use crate::at::Failure;

/// Why a part of a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("is no number that can get a message")]
    Number,
    #[error("has no text, or one that is too long")]
    Text,
    #[error("the modem is not ready")]
    NotReady,
    #[error("the network takes none now (+CMS ERROR {0})")]
    Busy(u16),
    #[error("the network refused it (+CMS ERROR {0})")]
    Refused(u16),
    /// The PDU was handed over, and no answer came: it may have been sent.
    #[error("the modem did not say whether it was sent")]
    Unconfirmed,
}

/// Why a message was not sent, and how many of its parts were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error} ({accepted} parts were sent)")]
pub struct SendFailure {
    pub error: SendError,
    pub accepted: usize,
}

impl SendError {
    /// What a refusal of the modem means (27.005, 3.2.5; the codes below 128 are the network's, 24.011, annex E).
    pub(crate) const fn of(failure: Failure) -> Self {
        match failure {
            // No route, congestion, no resources, temporary failures; the modem or SIM is busy, full or without a network.
            Failure::Message(code @ (17 | 22 | 27 | 38 | 41 | 42 | 47 | 300 | 313 | 314 | 315 | 320 | 322 | 331 | 500)) => {
                Self::Busy(code)
            }
            // The network did not answer in time.
            Failure::Message(332) => Self::Unconfirmed,
            // No SIM, a PIN or PUK is needed, no service centre.
            Failure::Message(310..=312 | 316..=318 | 330) | Failure::Equipment(_) | Failure::Error => Self::NotReady,
            Failure::Message(u16::MAX) => Self::Busy(0),
            Failure::Message(code) => Self::Refused(code),
        }
    }
}

/// Why the modem must be set up again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModemFailure {
    #[error("the serial port fails")]
    Port(#[from] std::io::Error),
    #[error("the modem does not answer")]
    Silent,
    #[error("the modem answers too much")]
    Garbage,
    #[error("the modem has restarted")]
    Restarted,
    #[error("the modem refuses a command ({0:?})")]
    Refused(Failure),
    #[error("the SIM cannot be used")]
    Sim,
}
