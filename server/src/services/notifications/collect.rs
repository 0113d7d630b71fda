//! What operators are told: open events and cases of the last day, each once. Going through what is open needs no position that a
//! crash could lose; the key of a message keeps it from being asked for twice.

use model::notification::{NotificationChannel, QuietHours};
use model::time::DAY;
use store::notifications::{NewNotification, ask, open_matters};

use super::NotificationsService;
use crate::services::Context;
use notify::queue;

impl NotificationsService {
    /// Asks for the messages of operators that are missing. Gives how many.
    pub async fn tell_operators(&self) -> store::Result<u64> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        let mut asked = 0;
        for channel in self.channels.iter().map(|channel| channel.channel()).filter(|channel| !channel.is_personal()) {
            let matters = open_matters(db, channel, now.plus(-DAY)).await?;
            if matters.is_empty() {
                continue;
            }
            let mut tx = db.begin().await?;
            for matter in matters {
                let message = NewNotification {
                    kind: matter.kind,
                    channel,
                    user: None,
                    address: "",
                    language: self.language,
                    quiet: QuietHours::default(),
                    about: matter.about,
                    subject: "",
                    values: &matter.values,
                };
                asked += u64::from(ask(&mut tx, rng, now, &message).await?);
            }
            tx.commit().await?;
        }
        Ok(asked)
    }

    /// Drops what nobody needs any more, also of channels that are not set up, and removes what is old.
    pub async fn tidy(&self) -> store::Result<u64> {
        let (db, now) = (&self.context.db, self.context.now());
        let mut dropped = 0;
        for channel in NotificationChannel::ALL {
            dropped += queue::drop_obsolete(db, now, channel).await?;
        }
        queue::purge(db, now).await?;
        Ok(dropped)
    }
}
