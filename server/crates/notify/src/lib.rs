//! Messages to people. What is to be said is stored in the transaction of what it is about; a task hands it to a channel and
//! stores what became of it. [`outbox`] holds e-mails that bring reports, [`queue`] the messages that [`Channels`] bring.

mod aliyun;
mod channel;
mod config;
mod http;
pub mod mail;
mod mail_channel;
pub mod outbox;
pub mod queue;
mod robot;
mod signing;
mod sms;
mod template;
mod webhook;

pub use channel::{Channel, Message, Pace};
pub use config::{AliyunConfig, Channels, NotifyConfig, NotifyConfigError, RobotConfig, SmsConfig, WebhookConfig};
pub use mail::{MailConfig, MailConfigError, MailTls, Mailer};
