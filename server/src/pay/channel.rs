//! What every payment channel does for us.

use app::model::order::Tender;
use async_trait::async_trait;

use super::form::FormError;
use super::rsa::KeyError;
use super::verified::Verified;
use crate::store::payments::{Attempt, Terms};

/// A form that the payer's browser posts to the channel: the fields in the body, the rest in the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where to.
    pub action: String,
    /// Hidden fields.
    pub fields: Vec<(String, String)>,
}

/// What the channel says of an attempt when asked.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It happened, signed.
    Event(Verified),
    /// The payer is at the cashier.
    Waiting,
    /// The channel cannot say now; nothing may be concluded.
    Unknown(String),
}

/// What a notification says.
#[derive(Clone, Debug)]
pub enum Notice {
    /// It happened, signed.
    Event(Verified),
    /// Signed, and of no consequence.
    Nothing,
}

/// Why the channel could not be asked, or not be understood.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Not reached, or no answer in time. Whether it acted is unknown.
    #[error("the channel did not answer")]
    Unreachable(#[source] reqwest::Error),
    /// An answer that is no answer.
    #[error("the channel answered with {0}")]
    Answer(&'static str),
    /// Our key does not sign.
    #[error("the request could not be signed")]
    Key(#[from] KeyError),
}

/// Why a notification is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// No form.
    #[error("the notification is not a form")]
    Form,
    /// Not signed by the channel.
    #[error("the signature is not the channel's")]
    Signature,
    /// Signed, but a field that must be there is not, or not of its form.
    #[error("the notification has no proper {0}")]
    Field(&'static str),
}

impl From<FormError> for NoticeError {
    fn from(_: FormError) -> Self {
        Self::Form
    }
}

/// A payment channel. Nothing that it gives out moves money but a [`Verified`] event.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Which one.
    fn tender(&self) -> Tender;
    /// Under which terms it is given attempts.
    fn terms(&self) -> Terms<'_>;
    /// The origin that its form is posted to; the page's policy must allow it.
    fn form_origin(&self) -> String;
    /// The form that brings the payer to the cashier. The attempt is committed before.
    ///
    /// # Errors
    /// Where it cannot be signed.
    fn start(&self, attempt: &Attempt) -> Result<Form, ChannelError>;
    /// Asks how the attempt stands.
    ///
    /// # Errors
    /// Where the channel gives no answer that can be trusted; nothing may be concluded.
    async fn query(&self, attempt: &Attempt) -> Result<Answer, ChannelError>;
    /// Asks to close the attempt. Its answer concludes nothing: query afterwards.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn close(&self, attempt: &Attempt) -> Result<(), ChannelError>;
    /// Reads and verifies a notification.
    ///
    /// # Errors
    /// Where it is not the channel's.
    fn parse_notify(&self, body: &[u8]) -> Result<Notice, NoticeError>;
    /// What to answer once the event is stored.
    fn ack(&self) -> &'static str;
    /// What to answer so that it is sent again.
    fn nack(&self) -> &'static str;
}
