//! A message on its way out.

use std::time::Duration;

use crate::SendError;
use crate::pdu::{Address, Concatenation, Reference, Submit, split};

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Comes back in events.
    pub tag: u128,
    /// Digits, or `+` and digits with the country's code.
    pub to: String,
    pub text: String,
    /// Of a long message: the same in each try, so that a phone that gets a part twice shows it once.
    pub reference: u16,
    /// Parts that the network has already.
    pub from_part: usize,
}

impl Outgoing {
    pub(crate) fn parts(&self, validity: Duration) -> Result<Vec<Submit>, SendError> {
        let to = Address::number(&self.to).map_err(|_| SendError::Number)?;
        let payloads = split(&self.text).map_err(|_| SendError::Text)?;
        let parts = u8::try_from(payloads.len()).map_err(|_| SendError::Text)?;
        let reference = Reference::Sixteen(self.reference);
        let part = |(part, payload)| Submit {
            to: to.clone(),
            payload,
            concatenation: (parts > 1).then_some(Concatenation { reference, parts, part }),
            validity,
            wants_report: true,
        };
        Ok((1..=parts).zip(payloads).map(part).collect())
    }
}
