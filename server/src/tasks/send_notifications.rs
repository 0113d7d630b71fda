//! Hands messages to one channel. Each channel has a task of its own, so one that is down delays no other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::notification::NotificationChannel;
use notify::Channel;

use super::{Failure, Task};
use services::notifications::NotificationsService;

pub struct SendNotifications {
    pub notifications: NotificationsService,
    pub channel: Arc<dyn Channel>,
}

#[async_trait]
impl Task for SendNotifications {
    fn name(&self) -> &'static str {
        match self.channel.channel() {
            NotificationChannel::Mail => "notifications.mail",
            NotificationChannel::Sms => "notifications.sms",
            NotificationChannel::WeCom => "notifications.wecom",
            NotificationChannel::DingTalk => "notifications.dingtalk",
            NotificationChannel::Feishu => "notifications.feishu",
            NotificationChannel::Webhook => "notifications.webhook",
            NotificationChannel::Wechat => "notifications.wechat",
            NotificationChannel::Push => "notifications.push",
        }
    }

    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn run(&self) -> Result<String, Failure> {
        let result = self.notifications.send_due(&self.channel).await?;
        Ok(format!("{} sent, {} not sent, {} dropped", result.sent, result.not_sent, result.dropped))
    }
}
