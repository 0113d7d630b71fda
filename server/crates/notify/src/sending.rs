//! Hands messages to a channel, as many at once and in a minute as it takes.

use std::collections::HashMap;
use std::sync::Arc;

use domain::clock::Clock;
use domain::notification::{failures, retry};
use futures::stream::{FuturesUnordered, StreamExt};
use model::ids::NotificationId;
use model::language::Lang;
use model::notification::{NotificationKind, NotificationReason};
use model::time::MINUTE;
use store::{Db, Result};

use crate::contacts::{self, ContactValues};
use crate::queue::{self, Due, Outcome};
use crate::texts;
use crate::{Channel, Message};

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendResult {
    pub sent: u64,
    pub not_sent: u64,
    pub dropped: u64,
}

/// The site's own words in messages.
#[derive(Clone, Debug, Default)]
pub struct SiteWords {
    texts: HashMap<(NotificationKind, Lang), String>,
    contacts: HashMap<NotificationId, ContactValues>,
}

impl SiteWords {
    /// The site's own text of a message.
    #[must_use]
    pub fn text(&self, due: &Due) -> Option<&str> {
        self.texts.get(&(due.kind, due.language())).map(String::as_str)
    }

    /// Whom the person may ask, and who signs.
    #[must_use]
    pub fn contact(&self, due: &Due) -> ContactValues {
        self.contacts.get(&due.id).cloned().unwrap_or_default()
    }
}

/// Sends what is due through a channel until nothing is, its pace is reached, or it is down. `write` makes the text.
pub async fn send_due(
    db: &Db,
    clock: &dyn Clock,
    channel: &Arc<dyn Channel>,
    write: impl Fn(&Due, &SiteWords) -> Message,
) -> Result<SendResult> {
    let (of, pace) = (channel.channel(), channel.pace());
    let mut result = SendResult { dropped: queue::drop_obsolete(db, clock.now(), of).await?, ..SendResult::default() };
    if !channel.is_ready() {
        return Ok(result);
    }
    let (mut words, mut left, mut in_a_row) = (SiteWords::default(), 0, 0);
    loop {
        let now = clock.now();
        if left <= 0 {
            left = pace.per_minute - queue::tried_since(db, now.plus(-MINUTE), of).await?;
        }
        let due = queue::claim(db, now, of, left.min(pace.at_once)).await?;
        if due.is_empty() {
            return Ok(result);
        }
        if result.sent + result.not_sent == 0 {
            words.texts = texts::own(db).await?;
        }
        words.contacts = contacts::of_claimed(db, of, now).await?;
        left -= i64::try_from(due.len()).unwrap_or(i64::MAX);
        let (mut sent, mut failed) = (0, 0);
        let sending: FuturesUnordered<_> = due.iter().map(|due| send(channel, clock, due, write(due, &words))).collect();
        // What is done is stored while others still wait: a process that ends in between repeats few.
        let mut done = sending.ready_chunks(due.len());
        while let Some(results) = done.next().await {
            queue::finish(db, clock.now(), &results).await?;
            for (due, outcome) in results {
                match outcome {
                    Ok(_) => sent += 1,
                    Err(reason) => {
                        result.not_sent += 1;
                        failed += usize::from(of.has_one_provider() && reason.is_of_channel());
                        if retry(reason, due.tries).is_none() {
                            charge_parts(db, clock, channel, due.id).await?;
                        }
                    }
                }
            }
        }
        result.sent += u64::try_from(sent).unwrap_or_default();
        // A later run asks a channel that is down again.
        let Some(so_far) = failures(in_a_row, sent, failed) else { return Ok(result) };
        in_a_row = so_far;
    }
}

/// A message that has failed for good may have cost something nevertheless.
async fn charge_parts(db: &Db, clock: &dyn Clock, channel: &Arc<dyn Channel>, failed: NotificationId) -> Result<()> {
    let cost = channel.spent(failed, clock.now());
    if cost.0 > 0 { queue::add_cost(db, failed, cost).await } else { Ok(()) }
}

async fn send<'a>(channel: &Arc<dyn Channel>, clock: &dyn Clock, due: &'a Due, message: Message) -> (&'a Due, Outcome) {
    let outcome = channel.send(&message, clock.now()).await;
    if let Err(reason) = outcome {
        let (channel, reason) = (channel.channel().as_str(), NotificationReason::as_str(reason));
        tracing::warn!(notification = %due.id, channel, reason, tries = due.tries, "notification.not_sent");
    }
    (due, outcome)
}

#[cfg(test)]
mod tests;
