//! E-mail as a channel of messages.

use async_trait::async_trait;
use model::ids::MailId;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::saved_report::MailTrouble;
use model::time::Timestamp;

use crate::Mailer;
use crate::channel::{Channel, Message, Pace};
use crate::outbox::Mail;

pub struct MailChannel(Mailer);

impl MailChannel {
    #[must_use]
    pub const fn new(mailer: Mailer) -> Self {
        Self(mailer)
    }
}

#[async_trait]
impl Channel for MailChannel {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Mail
    }

    fn pace(&self) -> Pace {
        Pace { per_minute: 120, at_once: 2 }
    }

    async fn send(&self, message: &Message, _: Timestamp) -> Result<Money, NotificationReason> {
        let mail = Mail {
            id: MailId(message.id.0),
            recipient: message.address.clone(),
            subject: message.subject.clone(),
            body: message.text.clone(),
            file: None,
            asked_at: message.asked_at,
            tries: 0,
        };
        let sent = self.0.send(&mail).await;
        sent.map(|()| Money::ZERO).map_err(|trouble| match trouble {
            MailTrouble::Refused => NotificationReason::Refused,
            MailTrouble::LogIn => NotificationReason::LogIn,
            MailTrouble::Busy => NotificationReason::Busy,
            MailTrouble::Unreachable | MailTrouble::Tls | MailTrouble::NotSetUp => NotificationReason::Unreachable,
        })
    }
}
