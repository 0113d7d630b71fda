//! Messages to people. What is to be said is stored in the transaction of what it is about; a task hands it to a channel and
//! stores what became of it. So far there is one channel, e-mail, which brings reports.

pub mod mail;
pub mod outbox;

pub use mail::{MailConfig, MailConfigError, MailTls, Mailer};
