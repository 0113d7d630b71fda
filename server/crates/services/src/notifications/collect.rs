//! What operators are told: open events and cases that began, or could first be told, within the last day, each once. Going
//! through what is open needs no position that a crash could lose; the key of a message keeps it from being asked for twice.

use app::i18n::common::list;
use app::i18n::notifications::kind;
use domain::notification::is_digest_hour;
use model::language::Lang;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours};
use model::time::DAY;
use notify::matters::{Operator, digests_due, open_counts, open_matters, urgent_matters};
use store::notifications::{About, NewNotification, ask};

use super::NotificationsService;
use crate::Context;
use notify::{queue, received_texts};

impl NotificationsService {
    /// Asks for the messages of operators that are missing, in their groups and personally. Gives how many.
    pub async fn tell_operators(&self) -> store::Result<u64> {
        Ok(self.tell_groups().await? + self.tell_persons().await?)
    }

    async fn tell_groups(&self) -> store::Result<u64> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        let mut asked = 0;
        for channel in self.channels.iter().map(|channel| channel.channel()).filter(|channel| !channel.is_personal()) {
            let matters = open_matters(db, channel, now.plus(-DAY), now).await?;
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
                    quiet: QuietHours::NONE,
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

    /// Each operator hears of what is theirs and what they chose to hear at once.
    async fn tell_persons(&self) -> store::Result<u64> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        let matters = urgent_matters(db, now.plus(-DAY), now).await?;
        if matters.is_empty() {
            return Ok(0);
        }
        let (mut asked, mut tx) = (0, db.begin().await?);
        for (operator, matter) in &matters {
            let message = operator.message((matter.kind, matter.about), "", &matter.values);
            asked += u64::from(ask(&mut tx, rng, now, &message).await?);
        }
        tx.commit().await?;
        Ok(asked)
    }

    /// Asks for the digests of this hour, and of the `unseen` hours since it was looked last, to whom something is open.
    /// Gives how many.
    pub async fn ask_digests(&self, unseen: Option<i64>) -> store::Result<u64> {
        let (db, now) = (&self.context.db, self.context.now());
        let (today, hour) = (now.date(), now.civil().hour);
        let hours: Vec<u8> = (0..24).filter(|digest_hour| is_digest_hour(*digest_hour, hour, unseen)).collect();
        let mut asked = 0;
        let mut after: Option<Operator> = None;
        loop {
            let due = digests_due(db, today.start(), &hours, after.as_ref()).await?;
            for operator in &due {
                let counts = open_counts(db, operator.user_id, now).await?;
                if !counts.is_empty() {
                    asked += u64::from(self.ask_digest(operator, &counts, &today.to_string()).await?);
                }
            }
            after = due.into_iter().last();
            if after.is_none() {
                return Ok(asked);
            }
        }
    }

    async fn ask_digest(&self, operator: &Operator, counts: &[(NotificationKind, i64)], day: &str) -> store::Result<bool> {
        let Context { db, rng, .. } = &self.context;
        let values = NotificationValues { subject: in_words(counts, operator.language()), ..NotificationValues::default() };
        let message = operator.message((NotificationKind::Digest, About::default()), day, &values);
        let mut tx = db.begin().await?;
        let asked = ask(&mut tx, rng, self.context.now(), &message).await?;
        tx.commit().await?;
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
        received_texts::purge(db, now).await?;
        Ok(dropped)
    }
}

fn in_words(counts: &[(NotificationKind, i64)], lang: Lang) -> String {
    list(counts.iter().map(|(of, open)| format!("{} {open}", kind(*of, lang))), lang).unwrap_or_default()
}
