//! What residents choose: where and of what they are told.

use app::api::alerts::{AlertChannel, Alerts, AlertsPort, CodeResult};
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use model::error::AppError;
use model::language::Lang;
use model::notification::{AlertPreferences, NotificationChannel};
use model::person::Who;

use super::NotificationsService;
use crate::services::Context;
use store::notifications::{self, CodeOutcome, NewCode};

#[async_trait]
impl AlertsPort for NotificationsService {
    async fn alerts(&self, who: &Who) -> Result<Alerts, AppError> {
        let addresses = notifications::addresses(&self.context.db, who.user, self.context.now()).await?;
        let of = |channel: NotificationChannel, waits: bool| {
            let found = addresses.iter().find(|one| one.channel == channel && one.waits == waits);
            found.map(|one| one.address.clone())
        };
        let line = |channel| AlertChannel { channel, confirmed: of(channel, false), waits: of(channel, true) };
        // An address of a channel that is not set up any more can still be removed.
        let shown = |channel: &NotificationChannel| {
            channel.is_personal() && (self.channels.has(*channel) || of(*channel, false).is_some())
        };
        let channels = NotificationChannel::ALL.into_iter().filter(shown).map(line).collect();
        Ok(Alerts { channels, preferences: notifications::preferences(&self.context.db, who.user).await? })
    }

    async fn set_alerts(&self, who: &Who, preferences: &AlertPreferences, lang: Lang) -> Result<(), AppError> {
        Ok(notifications::set_preferences(&self.context.db, self.context.now(), who, preferences, lang).await?)
    }

    async fn send_code(&self, who: &Who, channel: NotificationChannel, address: &str, lang: Lang) -> Result<(), AppError> {
        self.require(channel)?;
        let Context { db, rng, .. } = &self.context;
        let code = format!("{:06}", rng.below(1_000_000));
        let new = NewCode { channel, address, code: &code, hash: &hash(who, &code), language: lang };
        notifications::ask_code(db, rng, self.context.now(), who, &new).await?;
        self.requests(channel).notify_one();
        Ok(())
    }

    async fn confirm_code(
        &self,
        who: &Who,
        channel: NotificationChannel,
        code: &str,
        lang: Lang,
    ) -> Result<CodeResult, AppError> {
        let (now, hash) = (self.context.now(), hash(who, code));
        Ok(match notifications::confirm_code(&self.context.db, now, who, channel, &hash, lang).await? {
            CodeOutcome::Confirmed => CodeResult::Confirmed,
            CodeOutcome::Wrong => CodeResult::Wrong,
            CodeOutcome::Ended => CodeResult::Ended,
        })
    }

    async fn remove_address(&self, who: &Who, channel: NotificationChannel) -> Result<(), AppError> {
        Ok(notifications::remove_address(&self.context.db, self.context.now(), who, channel).await?)
    }
}

/// What is stored of a code: another person's same code has another hash.
fn hash(who: &Who, code: &str) -> Vec<u8> {
    digest(&SHA256, format!("{} {code}", who.user).as_bytes()).as_ref().to_vec()
}
