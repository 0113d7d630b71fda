//! The interface of all payment channels.

use async_trait::async_trait;
use domain::refund::ChannelRefund;
use http::HeaderMap;
use model::order::{PaymentWay, Tender};
use model::time::Date;

use super::form::{self, FormError};
use super::health::Health;
use super::rsa::KeyError;
use super::statement::{StatementError, StatementResponse};
use domain::payment_event::VerifiedEvent;
use store::payments::{Attempt, Terms};

/// A form that the payer's browser posts to the channel: `fields` go into the body, further parameters are in the query of
/// `action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The form as a URL, for channels that accept GET as well.
    #[must_use]
    pub fn address(&self) -> String {
        let separator = if self.action.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.action, form::encode(self.fields.iter().map(|(name, value)| (&**name, &**value))))
    }
}

/// How the payer reaches the channel's cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cashier {
    /// A URL to redirect to.
    Address(String),
    /// A form to post.
    Form(Form),
    /// The text of a QR code to scan with the channel's app.
    Scan(String),
    /// Parameters for the JavaScript bridge of the app in whose browser the page is open (WeChat JSAPI).
    Invoke(Vec<(String, String)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A browser on a phone; it can open the channel's app.
    Phone,
    /// The browser inside WeChat; it can open only WeChat's own payment sheet, for a payer with a known [`PayerId`].
    InWechat,
    Desk,
}

impl Device {
    /// Detects the device from the `User-Agent` header.
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

#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    pub ip: &'a str,
    pub device: Device,
    /// The channel's id of the payer, if a sign-in ([`SignIn`]) determined it.
    pub id: Option<&'a PayerId>,
}

/// A channel's id of a person, e.g. WeChat's `openid`. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct PayerId(String);

impl PayerId {
    /// Accepts 1 to 128 printable ASCII characters without spaces.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let valid = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        valid.then_some(Self(text))
    }

    /// The id itself; for requests to the channel and for storage only.
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

/// Sign-in of payers at a channel that requires their id before a payment.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// The origin of the sign-in page; the page's Content-Security-Policy must allow it.
    fn origin(&self) -> String;
    /// The URL of the sign-in page, which redirects the payer back with `state` and a one-time code.
    fn address(&self, state: &str) -> String;
    /// Exchanges the one-time code for the payer's id.
    ///
    /// # Errors
    /// [`ChannelError`] if the channel is unreachable or rejects the code.
    async fn payer(&self, code: &str) -> Result<PayerId, ChannelError>;
}

/// The state of an attempt by the channel's signed response.
#[derive(Clone, Debug)]
pub enum QueryResponse {
    Event(VerifiedEvent),
    /// The payer has not paid yet.
    Waiting,
    /// The channel does not know the state, with its code. Callers must not conclude anything.
    Unknown(String),
}

/// The state of a refund by the channel's signed response.
#[derive(Clone, Debug)]
pub enum RefundResponse {
    /// The refund succeeded or failed.
    Event(VerifiedEvent),
    Processing,
    /// The merchant's balance at the channel does not cover it, with the channel's code. Nothing was refunded; it may be
    /// requested again under the same number.
    NotEnough(String),
    /// The channel has no refund of this number; it may be requested again under the same number.
    Absent,
    /// The channel does not know the state, with its code. Callers must not conclude anything.
    Unknown(String),
}

/// A notification with a valid signature.
#[derive(Clone, Debug)]
pub enum Notification {
    Event(VerifiedEvent),
    /// It changes no state, and is only acknowledged.
    Ignored,
}

/// Why a request to a channel failed. Except for [`Self::Refused`], whether the channel acted on it is unknown.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("the channel did not respond")]
    Unreachable(#[source] reqwest::Error),
    /// An HTTP error status without a signed body: a gateway before the channel, or the channel in trouble.
    #[error("the channel answered with HTTP {0}")]
    Status(u16),
    /// The response is unsigned, malformed or about something else.
    #[error("the channel responded with {0}")]
    InvalidResponse(&'static str),
    /// The channel's error code.
    #[error("the channel refused: {0}")]
    Refused(String),
    #[error("the request could not be signed")]
    Signing(#[from] KeyError),
    #[error("the channel's statement {0}")]
    Statement(#[from] StatementError),
}

/// Why a notification is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    #[error("the notification is malformed")]
    Form,
    #[error("the signature is invalid")]
    Signature,
    /// WeChat Pay tests whether invalid signatures are refused, as it announces.
    #[error("the signature is the channel's own test and invalid")]
    Probe,
    /// It may be a new key: see [`Channel::refresh_keys`].
    #[error("the signing key is unknown")]
    UnknownKey,
    #[error("the signature's timestamp is outside the accepted window")]
    Stale,
    /// The signature is valid, and a required field is missing or invalid.
    #[error("the notification has no valid {0}")]
    Field(&'static str),
}

impl From<FormError> for NotificationError {
    fn from(_: FormError) -> Self {
        Self::Form
    }
}

/// A payment channel. Of all it returns, only a [`VerifiedEvent`] may move money.
#[async_trait]
pub trait Channel: Send + Sync {
    fn tender(&self) -> Tender;
    /// The account and lifetime that are stored with every attempt.
    fn terms(&self) -> Terms<'_>;
    /// The origin of the cashier; the page's Content-Security-Policy must allow it as a form action.
    fn form_origin(&self) -> String;
    /// The way by which this payer reaches the cashier.
    fn payment_way(&self, _: &Payer<'_>) -> PaymentWay {
        PaymentWay::Form
    }
    /// Opens the cashier for an attempt that is already committed. Repeated calls open the same trade.
    ///
    /// # Errors
    /// [`ChannelError`] if the request cannot be signed or the channel does not open the cashier.
    async fn start(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError>;
    /// Queries the state of an attempt.
    ///
    /// # Errors
    /// [`ChannelError`] without a valid signed response; callers must not conclude anything.
    async fn query(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError>;
    /// Requests that the trade is closed, if the channel supports that. Only a later query tells whether it is.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn close(&self, attempt: &Attempt) -> Result<(), ChannelError>;
    /// Requests a refund that is already committed. Repeated requests under the same number refund once.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError>;
    /// Queries the state of a refund.
    ///
    /// # Errors
    /// As [`Self::query`].
    async fn query_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError>;
    /// The media type of notifications; others are refused unread.
    fn content_type(&self) -> &'static str {
        "application/x-www-form-urlencoded"
    }
    /// Verifies and parses a notification.
    ///
    /// # Errors
    /// [`NotificationError`] says why it is rejected; nothing of it may be used.
    fn parse_notification(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError>;
    /// Fetches the channel's current signing keys after [`NotificationError::UnknownKey`]; returns whether there are new ones.
    async fn refresh_keys(&self) -> bool {
        false
    }
    /// The response body to a notification whose event is stored.
    fn ack(&self) -> &'static str;
    /// The response body that makes the channel send a notification again.
    fn nack(&self) -> &'static str;
    /// Downloads the statement of a past settlement day.
    ///
    /// # Errors
    /// [`ChannelError`] if it cannot be downloaded or is rejected.
    async fn statement(&self, day: Date) -> Result<StatementResponse, ChannelError>;
    /// `None` if the channel takes no payments inside its own app.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }
    /// Expiry dates of the configured certificates.
    fn expiries(&self) -> Vec<super::expiry::Expiry> {
        Vec::new()
    }
    /// How the channel answers.
    fn health(&self) -> &Health;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_encoded_as_a_url() {
        let form = Form {
            action: "https://gateway.example/gateway.do?charset=utf-8".into(),
            fields: vec![("biz_content".into(), "{\"a\":\"电 1\"}".into()), ("sign".into(), "a+b/c=".into())],
        };
        let expected = "https://gateway.example/gateway.do?charset=utf-8\
                        &biz_content=%7B%22a%22%3A%22%E7%94%B5%201%22%7D&sign=a%2Bb%2Fc%3D";
        assert_eq!(form.address(), expected);
    }

    #[test]
    fn device_is_detected_from_the_user_agent() {
        let of = Device::of;
        assert_eq!(of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148 MicroMessenger/8.0.50"), Device::InWechat);
        assert_eq!(of("Mozilla/5.0 (Linux; Android 15) Chrome/130 Mobile Safari/537.36"), Device::Phone);
        assert_eq!(of("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130"), Device::Desk);
        assert_eq!(of(""), Device::Desk);
    }
}
