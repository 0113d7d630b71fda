//! Hands messages to a channel, with the site's texts, contact number and signature.

use std::sync::Arc;

use app::i18n::notifications::{in_words, kind, text};
use model::notification::{NotificationChannel, NotificationValues};
use notify::contacts::ContactValues;
use notify::queue::Due;
use notify::sending::{SendResult, SiteWords, send_due};
use notify::{Channel, Message};

use super::NotificationsService;

impl NotificationsService {
    /// Sends what is due through a channel until nothing is, its pace is reached, or it is down.
    pub async fn send_due(&self, channel: &Arc<dyn Channel>) -> store::Result<SendResult> {
        let through = channel.channel();
        send_due(&self.context.db, &*self.context.clock, channel, |due, words| message(due, words, through)).await
    }
}

fn message(due: &Due, words: &SiteWords, through: NotificationChannel) -> Message {
    let (language, ContactValues { phone, signature }) = (due.language(), words.contact(due));
    let values = NotificationValues { contact: phone.unwrap_or_default(), ..due.values() };
    // An e-mail says who sends it.
    let signature = signature.filter(|_| through == NotificationChannel::Sms);
    Message {
        id: due.id,
        kind: due.kind,
        address: due.address.clone(),
        language,
        subject: kind(due.kind, language).to_owned(),
        text: text(due.kind, words.text(due), &values, signature.as_deref(), language),
        // Templates of providers are read by people; another system reads the word of an alarm.
        values: if through == NotificationChannel::Webhook { values } else { in_words(due.kind, values, language) },
        asked_at: due.asked_at,
    }
}
