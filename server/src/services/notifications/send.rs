//! Hands messages to a channel, as many at once and in a minute as it takes.

use std::sync::Arc;

use app::i18n::notifications::{kind, text};
use futures::future::join_all;
use model::notification::{NotificationReason, NotificationState};
use model::time::MINUTE;
use notify::queue::{self, Due};
use notify::{Channel, Message};

use super::NotificationsService;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendResult {
    pub sent: u64,
    pub not_sent: u64,
    pub dropped: u64,
}

impl NotificationsService {
    /// Sends what is due through a channel until nothing is, its pace is reached, or it is down.
    pub async fn send_due(&self, channel: &Arc<dyn Channel>) -> store::Result<SendResult> {
        let (db, of, pace) = (&self.context.db, channel.channel(), channel.pace());
        let mut result = SendResult { dropped: queue::drop_obsolete(db, self.context.now(), of).await?, ..SendResult::default() };
        loop {
            let now = self.context.now();
            let left = pace.per_minute - queue::tried_since(db, now.plus(-MINUTE), of).await?;
            let due = queue::claim(db, now, of, left.min(pace.at_once)).await?;
            if due.is_empty() {
                return Ok(result);
            }
            let mut is_down = false;
            for outcome in join_all(due.iter().map(|due| self.send(channel, due))).await {
                match outcome? {
                    (NotificationState::Sent, _) => result.sent += 1,
                    (_, reason) => {
                        result.not_sent += 1;
                        is_down |= reason.is_some_and(NotificationReason::is_of_channel);
                    }
                }
            }
            // The next run asks the channel again, with another message.
            if is_down {
                return Ok(result);
            }
        }
    }

    async fn send(
        &self,
        channel: &Arc<dyn Channel>,
        due: &Due,
    ) -> store::Result<(NotificationState, Option<NotificationReason>)> {
        let (language, values) = (due.language(), due.values());
        let message = Message {
            id: due.id,
            kind: due.kind,
            address: due.address.clone(),
            language,
            subject: kind(due.kind, language).to_owned(),
            text: text(due.kind, &values, language),
            values,
            asked_at: due.asked_at,
        };
        let outcome = channel.send(&message, self.context.now()).await;
        if let Err(reason) = outcome {
            let (channel, reason) = (channel.channel().as_str(), reason.as_str());
            tracing::warn!(notification = %due.id, channel, reason, tries = due.tries, "notification.not_sent");
        }
        let state = queue::finish(&self.context.db, self.context.now(), due, outcome).await?;
        Ok((state, outcome.err()))
    }
}
