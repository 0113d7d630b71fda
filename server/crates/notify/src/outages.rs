//! Which channels are down, by what became of the messages that they tried last.

use domain::notification::{TriedMessage, is_down};
use model::notification::NotificationChannel;
use store::{Db, Result, read};

use crate::Channels;

/// The messages that are looked at: more than a channel tries at the same time.
const NEWEST: i64 = 100;

/// The channels that are set up, and whether nothing goes through them. One whose messages go to many providers is left out.
pub async fn channels_down(db: &Db, channels: &Channels) -> Result<Vec<(NotificationChannel, bool)>> {
    let mut found = Vec::new();
    for channel in channels.iter() {
        let of = channel.channel();
        if of.has_one_provider() {
            found.push((of, !channel.is_ready() || is_down(&tried_last(db, of).await?)));
        }
    }
    Ok(found)
}

async fn tried_last(db: &Db, channel: NotificationChannel) -> Result<Vec<TriedMessage>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT tried_at, state, reason FROM notifications WHERE channel = $1 AND tried_at IS NOT NULL
         ORDER BY tried_at DESC LIMIT $2"
    )
    .bind(channel)
    .bind(NEWEST)
    .fetch_all(pool)
    .await)
}
