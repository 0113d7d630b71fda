//! What every payment channel does for us.

use async_trait::async_trait;
use domain::refund::ChannelRefund;
use http::HeaderMap;
use model::order::Tender;
use model::time::Date;

use super::bill::{BillAnswer, BillError};
use super::form::{self, FormError};
use super::rsa::KeyError;
use domain::payment_event::Verified;
use store::payments::{Attempt, Terms};

/// A form that the payer's browser posts to the channel: the fields in the body, the rest in the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The same as an address, for channels that take both.
    #[must_use]
    pub fn address(&self) -> String {
        let glue = if self.action.contains('?') { '&' } else { '?' };
        format!("{}{glue}{}", self.action, form::encode(self.fields.iter().map(|(name, value)| (&**name, &**value))))
    }
}

/// How the payer comes to the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cashier {
    /// By an address.
    Address(String),
    /// By a form that must be posted.
    Form(Form),
    /// By scanning a QR code of this text with the channel's app.
    Scan(String),
    /// By the app in whose browser the page is: these names and values are handed to it.
    Invoke(Vec<(String, String)>),
}

/// What the payer holds in the hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A phone's browser, from which the channel's app opens.
    Phone,
    /// The browser inside WeChat, where no channel's page opens but WeChat's own sheet, if it knows the payer.
    InWechat,
    Desk,
}

impl Device {
    /// From the browser's `User-Agent`.
    #[must_use]
    pub fn of(user_agent: &str) -> Self {
        if user_agent.contains("MicroMessenger") {
            Self::InWechat
        } else if ["Mobile", "Android", "iPhone", "iPad", "HarmonyOS"].iter().any(|word| user_agent.contains(word)) {
            Self::Phone
        } else {
            Self::Desk
        }
    }
}

/// Who pays, as far as a channel wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    /// The payer's address.
    pub ip: &'a str,
    pub device: Device,
    /// Who the channel says the payer is, where it was asked ([`SignIn`]).
    pub id: Option<&'a PayerId>,
}

/// Who a payer is to a channel. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PayerId(String);

impl PayerId {
    /// Takes what a channel calls a person: 1 to 128 visible characters of ASCII.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let proper = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        proper.then_some(Self(text))
    }

    /// For the channel and the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PayerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayerId(***)")
    }
}

/// A channel that wants to know who pays, before it does.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// The origin of the address; the page's policy must allow it.
    fn origin(&self) -> String;
    /// Where to send the payer, who comes back with the state and a code.
    fn address(&self, state: &str) -> String;
    /// Who the payer is by that code, which is good once.
    ///
    /// # Errors
    /// Where the channel does not say.
    async fn payer(&self, code: &str) -> Result<PayerId, ChannelError>;
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

/// What the channel says of a refund.
#[derive(Clone, Debug)]
pub enum RefundAnswer {
    /// It came to its end, signed.
    Event(Verified),
    /// The channel is at it.
    Processing,
    /// The channel says, signed, that it never heard of it: it may be asked for again, under the same number.
    Absent,
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
    /// The channel refuses, by its own code.
    #[error("the channel refuses: {0}")]
    Refused(String),
    /// Our key does not sign.
    #[error("the request could not be signed")]
    Key(#[from] KeyError),
    /// A bill that cannot be believed as it is.
    #[error("the channel's bill {0}")]
    Bill(#[from] BillError),
}

/// Why a notification is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Not of the channel's form.
    #[error("the notification is not of its form")]
    Form,
    /// Not signed by the channel.
    #[error("the signature is not the channel's")]
    Signature,
    /// Signed by a key that is not known, at least not yet.
    #[error("the message names a key that is not known")]
    UnknownKey,
    /// Signed long ago, or in the future.
    #[error("the notification is older than its signature may be")]
    Stale,
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
    fn tender(&self) -> Tender;
    /// Under which terms it is given attempts.
    fn terms(&self) -> Terms<'_>;
    /// The origin of its cashier; the page's policy must allow it.
    fn form_origin(&self) -> String;
    /// How the payer comes to the cashier. The attempt is committed before; asked again it gives the same trade.
    ///
    /// # Errors
    /// Where it cannot be signed, or the channel does not give it.
    async fn start(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError>;
    /// Asks how the attempt stands.
    ///
    /// # Errors
    /// Where the channel gives no answer that can be trusted; nothing may be concluded.
    async fn query(&self, attempt: &Attempt) -> Result<Answer, ChannelError>;
    /// Asks to close the attempt, where the channel can. Its answer concludes nothing: query afterwards.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn close(&self, attempt: &Attempt) -> Result<(), ChannelError>;
    /// Asks to give money back. The refund and its number are committed before.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn refund(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError>;
    /// Asks how a refund stands.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn query_refund(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError>;
    /// Reads and verifies a notification.
    ///
    /// # Errors
    /// Where it is not the channel's.
    fn parse_notify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError>;
    /// Looks for keys that the channel signs with by now, where a message named one that is not known; says whether there are new ones.
    async fn renew(&self) -> bool {
        false
    }
    /// What to answer once the event is stored.
    fn ack(&self) -> &'static str;
    /// What to answer so that it is sent again.
    fn nack(&self) -> &'static str;
    /// Asks for the bill of a settlement day that is over.
    ///
    /// # Errors
    /// Where the channel gives none that can be read; nothing may be concluded.
    async fn bill(&self, day: Date) -> Result<BillAnswer, ChannelError>;
    /// How payers inside the channel's own app say who they are, where the channel takes payments there.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }
    /// What of its configuration ends by itself, and when.
    fn expiries(&self) -> Vec<super::expiry::Expiry> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_an_address() {
        let form = Form {
            action: "https://gateway.example/gateway.do?charset=utf-8".into(),
            fields: vec![("biz_content".into(), "{\"a\":\"电 1\"}".into()), ("sign".into(), "a+b/c=".into())],
        };
        let expected = "https://gateway.example/gateway.do?charset=utf-8\
                        &biz_content=%7B%22a%22%3A%22%E7%94%B5%201%22%7D&sign=a%2Bb%2Fc%3D";
        assert_eq!(form.address(), expected);
    }

    #[test]
    fn browsers_say_what_they_run_on() {
        let of = Device::of;
        assert_eq!(of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148 MicroMessenger/8.0.50"), Device::InWechat);
        assert_eq!(of("Mozilla/5.0 (Linux; Android 15) Chrome/130 Mobile Safari/537.36"), Device::Phone);
        assert_eq!(of("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130"), Device::Desk);
        assert_eq!(of(""), Device::Desk);
    }
}
