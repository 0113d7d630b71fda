//! What brings a message to people.

use async_trait::async_trait;
use model::ids::NotificationId;
use model::language::Lang;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationKind, NotificationReason, NotificationValues};
use model::time::Timestamp;

use crate::modem_channel::ModemLink;
use crate::receipt::{Receipt, ReceiptError};

/// The path of pages behind links to pay begins with this.
const PAY_LINK: &str = "/p/";

/// A message as a channel gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same in every try, so that whoever gets it twice can tell.
    pub id: NotificationId,
    pub kind: NotificationKind,
    /// Empty for a group or another system.
    pub address: String,
    pub language: Lang,
    pub subject: String,
    pub text: String,
    pub values: NotificationValues,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

impl Message {
    /// The page of the residents' site that it is about, where a tap leads.
    #[must_use]
    pub fn page(&self) -> &str {
        match self.kind {
            // The link in it is an address of this site.
            NotificationKind::TopUp => {
                let link = &self.values.subject;
                link.find(PAY_LINK).and_then(|at| link.get(at..)).unwrap_or("/topup")
            }
            NotificationKind::Alarm1
            | NotificationKind::Alarm2
            | NotificationKind::Arrears
            | NotificationKind::StaysOn
            | NotificationKind::EmptyTonight => "/topup",
            NotificationKind::Recharge => "/records",
            NotificationKind::AddressCode | NotificationKind::Test => "/me/alerts",
            // That the power is back; the others are not for residents.
            _ => "/home",
        }
    }
}

/// How fast a channel may be used, and what a message costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most messages a minute.
    pub per_minute: i64,
    /// The most at the same time.
    pub at_once: i64,
}

/// A channel that is set up.
#[async_trait]
pub trait Channel: Send + Sync {
    fn channel(&self) -> NotificationChannel;
    fn pace(&self) -> Pace;
    /// Whether it can send now. While it cannot, messages wait untried until they are too late.
    fn is_ready(&self) -> bool {
        true
    }
    /// The modem that it sends through, where it is one.
    fn modem(&self) -> Option<&ModemLink> {
        None
    }
    /// Reads delivery reports that its provider sends over HTTP, with the key that came with them.
    ///
    /// # Errors
    /// [`ReceiptError`].
    fn receipts(&self, _key: &str, _body: &[u8]) -> Result<Vec<Receipt>, ReceiptError> {
        Err(ReceiptError::NotSetUp)
    }
    /// What the network charged for parts of a message that has failed for good. Forgets these parts.
    fn spent(&self, _failed: NotificationId, _at: Timestamp) -> Money {
        Money::ZERO
    }
    /// Hands a message over; gives what it cost. Every wait in it has an end.
    ///
    /// # Errors
    /// What kept it from being taken.
    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    #[test]
    fn a_reminder_leads_to_its_link() {
        let message = |subject: &str| Message {
            id: NotificationId(Uuid::nil()),
            kind: NotificationKind::TopUp,
            address: String::new(),
            language: Lang::Zh,
            subject: String::new(),
            text: String::new(),
            values: NotificationValues { subject: subject.to_owned(), ..NotificationValues::default() },
            asked_at: Timestamp(0),
        };
        assert_eq!(message("https://power.example/p/aB-9_").page(), "/p/aB-9_");
        assert_eq!(message("https://power.example/topup").page(), "/topup");
    }
}
