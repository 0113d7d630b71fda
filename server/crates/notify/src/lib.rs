//! Messages to people. What is to be said is stored in the transaction of what it is about; a task hands it to a channel and
//! stores what became of it. [`outbox`] holds e-mails that bring reports, [`queue`] the messages that [`Channels`] bring, with
//! the site's own [`texts`] and [`contacts`]. A code can also be the way in: [`phone_log_ins`].

mod aliyun;
mod channel;
mod config;
pub mod contacts;
pub mod delivery_reports;
pub mod devices;
mod http;
pub mod mail;
mod mail_channel;
pub mod matters;
mod modem_channel;
pub mod outages;
pub mod outbox;
pub mod phone_log_ins;
mod push;
mod push_services;
pub mod queue;
mod receipt;
pub mod received_texts;
mod robot;
pub mod sending;
mod signing;
mod sms;
mod template;
pub mod texts;
mod webhook;
mod wechat;

pub use channel::{Channel, Message, Pace};
pub use config::{
    AliyunConfig, Channels, NotifyConfig, NotifyConfigError, PushConfig, RobotConfig, SmsConfig, WebhookConfig, WechatConfig,
    WechatTemplateConfig,
};
pub use mail::{MailConfig, MailConfigError, MailTls, Mailer};
pub use modem_channel::{ModemConfig, ModemLink};
pub use push::WebPush;
pub use receipt::{Receipt, ReceiptError};
pub use wechat::Wechat;
