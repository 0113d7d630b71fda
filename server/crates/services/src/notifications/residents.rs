//! What residents choose: where and of what they are told.

use app::api::alerts::{AlertChannel, Alerts, AlertsPort, CodeResult, DeviceKeys, PushDevices};
use app::api::auth::ProvedPassword;
use app::ports::Visit;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use model::error::AppError;
use model::language::Lang;
use model::money::Fen;
use model::notification::{AlertPreferences, NotificationChannel};
use model::person::Who;

use super::NotificationsService;
use crate::{Context, auth};
use ::residents::reminders;
use notify::devices::{self, NewDevice};
use store::notifications::{self, AlertAddress, CodeOutcome, NewCode};

/// Characters of a code that WeChat gives for a sign-in.
const LONGEST_CODE: usize = 512;

impl NotificationsService {
    /// The addresses of a person that are typed in, by channel.
    pub(super) async fn personal_channels(&self, who: &Who) -> Result<Vec<AlertChannel>, AppError> {
        let addresses = notifications::addresses(&self.context.db, who.user, self.context.now()).await?;
        Ok(self.typed_in(&addresses))
    }

    fn typed_in(&self, addresses: &[AlertAddress]) -> Vec<AlertChannel> {
        let of = |channel: NotificationChannel, waits: bool| {
            let found = addresses.iter().find(|one| one.channel == channel && one.waits == waits);
            found.map(|one| one.address.clone())
        };
        let line = |channel| AlertChannel { channel, confirmed: of(channel, false), waits: of(channel, true) };
        // An address of a channel that is not set up any more can still be removed.
        let shown = |channel: &NotificationChannel| {
            channel.is_typed_in() && (self.channels.has(*channel) || of(*channel, false).is_some())
        };
        NotificationChannel::ALL.into_iter().filter(shown).map(line).collect()
    }
}

#[async_trait]
impl AlertsPort for NotificationsService {
    async fn alerts(&self, who: &Who) -> Result<Alerts, AppError> {
        let addresses = notifications::addresses(&self.context.db, who.user, self.context.now()).await?;
        let devices = addresses.iter().filter(|one| one.channel == NotificationChannel::Push);
        let endpoints = devices.filter_map(|one| one.address.split(' ').next()).map(str::to_owned).collect();
        let push = self.channels.push().map(|push| PushDevices { key: push.public_key().to_owned(), endpoints });
        let bound = addresses.iter().any(|one| one.channel == NotificationChannel::Wechat && !one.waits);
        let wechat = (bound || self.channels.wechat().is_some()).then_some(bound);
        let preferences = notifications::preferences(&self.context.db, who.user).await?;
        let reminder = reminders::chosen(&self.context.db, who.user).await?.map(|chosen| chosen.below);
        Ok(Alerts { channels: self.typed_in(&addresses), push, wechat, preferences, reminder })
    }

    async fn set_alerts(&self, who: &Who, preferences: &AlertPreferences, lang: Lang) -> Result<(), AppError> {
        Ok(notifications::set_preferences(&self.context.db, self.context.now(), who, preferences, lang).await?)
    }

    async fn set_reminder(&self, who: &Who, below: Option<Fen>) -> Result<(), AppError> {
        Ok(reminders::choose(&self.context.db, self.context.now(), who, below).await?)
    }

    async fn send_code(
        &self,
        who: &Who,
        (channel, address): (NotificationChannel, &str),
        proved: Option<&ProvedPassword>,
        lang: Lang,
    ) -> Result<(), AppError> {
        self.require(channel)?;
        let Context { db, rng, .. } = &self.context;
        let code = format!("{:06}", rng.below(1_000_000));
        let password_hash = proved.map(|proved| proved.0.as_str());
        let new = NewCode { channel, address, code: &code, hash: &hash(who, &code), password_hash, language: lang };
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

    async fn add_device(&self, who: &Who, visit: &Visit, device: &DeviceKeys, lang: Lang) -> Result<(), AppError> {
        let push = self.channels.push().ok_or(AppError::Unavailable)?;
        let subscription = push.subscription(&device.endpoint, &device.public_key, &device.secret).ok_or(AppError::Invalid)?;
        let Context { db, rng, .. } = &self.context;
        let (address, session) = (subscription.to_string(), auth::hash(&visit.session));
        let new = NewDevice { address: &address, session: &session, language: lang };
        devices::add_device(db, rng, self.context.now(), who, &new).await?;
        self.requests(NotificationChannel::Push).notify_one();
        Ok(())
    }

    async fn remove_device(&self, who: &Who, device: &DeviceKeys) -> Result<(), AppError> {
        let push = self.channels.push().ok_or(AppError::Unavailable)?;
        let subscription = push.subscription(&device.endpoint, &device.public_key, &device.secret).ok_or(AppError::Invalid)?;
        Ok(devices::remove_device(&self.context.db, self.context.now(), who, &subscription.to_string()).await?)
    }

    async fn wechat_sign_in(&self, who: &Who) -> Result<String, AppError> {
        let wechat = self.channels.wechat().ok_or(AppError::Unavailable)?;
        let state = hex::encode(self.context.rng.bytes::<16>());
        devices::begin_sign_in(&self.context.db, self.context.now(), who, &hash(who, &state)).await?;
        Ok(wechat.sign_in_address("/me/alerts/wechat", &state))
    }

    async fn bind_wechat(&self, who: &Who, state: &str, code: &str, lang: Lang) -> Result<(), AppError> {
        let wechat = self.channels.wechat().ok_or(AppError::Unavailable)?;
        let (db, now) = (&self.context.db, self.context.now());
        // Before the code is used: a forged state must cause no request to WeChat.
        if !devices::end_sign_in(db, now, who, &hash(who, state)).await? {
            return Err(AppError::NotFound);
        }
        if code.is_empty() || code.len() > LONGEST_CODE {
            return Err(AppError::ChannelUnavailable);
        }
        let openid = wechat.openid(code).await.map_err(|reason| {
            tracing::warn!(reason = reason.as_str(), "notification.wechat.sign_in");
            AppError::ChannelUnavailable
        })?;
        Ok(devices::bind_wechat(db, now, who, &openid, lang).await?)
    }
}

/// What is stored of a code: another person's same code has another hash.
fn hash(who: &Who, code: &str) -> Vec<u8> {
    digest(&SHA256, format!("{} {code}", who.user).as_bytes()).as_ref().to_vec()
}
