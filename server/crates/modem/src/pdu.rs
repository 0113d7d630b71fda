//! PDUs of text messages (3GPP 23.040). Decoding refuses whatever does not add up, and never panics.

mod address;
mod alphabet;
mod incoming;
mod split;
mod stamp;
mod submit;
mod user_data;

pub use address::Address;
pub use incoming::{Deliver, DeliveryStatus, Incoming, StatusReport};
pub use split::{MOST_PARTS, Payload, TextError, split};
pub use submit::Submit;
#[cfg(any(test, feature = "simulated"))]
pub use submit::decode as decode_submit;
pub use user_data::{Body, Concatenation, Reference, UserData};

#[cfg(any(test, feature = "simulated"))]
pub(crate) use stamp::encode as encode_stamp;
#[cfg(any(test, feature = "simulated"))]
pub(crate) use user_data::encode as encode_user_data;

/// Why a PDU cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PduError {
    #[error("is no hexadecimal")]
    Hex,
    #[error("ends too early")]
    Short,
    #[error("goes on behind its end")]
    Trailing,
    #[error("is of a kind that a modem does not receive")]
    Kind,
    #[error("has an address that is none")]
    Address,
    #[error("has a time that is none")]
    Time,
    #[error("has a text in a coding that is not read")]
    Coding,
    #[error("has a header that is longer than its text")]
    Header,
}

/// Reads a PDU octet by octet.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub fn octet(&mut self) -> Result<u8, PduError> {
        let (first, rest) = self.0.split_first().ok_or(PduError::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    pub fn octets(&mut self, count: usize) -> Result<&'a [u8], PduError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(PduError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub const fn end(&self) -> Result<(), PduError> {
        if self.0.is_empty() { Ok(()) } else { Err(PduError::Trailing) }
    }
}
