//! Hands messages to one channel. Each channel has a task of its own, so one that is down delays no other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::notification::NotificationChannel;
use model::task::TaskKind;
use notify::Channel;

use super::{Done, Failure, Task};
use notify::sending::SendResult;
use services::notifications::NotificationsService;

pub struct SendNotifications {
    pub notifications: NotificationsService,
    pub channel: Arc<dyn Channel>,
}

#[async_trait]
impl Task for SendNotifications {
    fn kind(&self) -> TaskKind {
        match self.channel.channel() {
            NotificationChannel::Mail => TaskKind::SendMailMessages,
            NotificationChannel::Sms => TaskKind::SendSms,
            NotificationChannel::WeCom => TaskKind::SendWeCom,
            NotificationChannel::DingTalk => TaskKind::SendDingTalk,
            NotificationChannel::Feishu => TaskKind::SendFeishu,
            NotificationChannel::Webhook => TaskKind::SendWebhook,
            NotificationChannel::Wechat => TaskKind::SendWechat,
            NotificationChannel::Push => TaskKind::SendPush,
        }
    }

    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let SendResult { sent, not_sent, dropped } = self.notifications.send_due(&self.channel).await?;
        Ok(Done::new(sent + not_sent + dropped, format!("{sent} sent, {not_sent} not sent, {dropped} dropped")))
    }
}
