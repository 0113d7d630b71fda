//! Hands letters to the mail server, one after the other. What it cannot take now is tried again later.

use std::time::Duration;

use async_trait::async_trait;
use messages::{Mailer, outbox};
use model::saved_report::MailTrouble;

use super::{Failure, Task};
use crate::services::Context;

pub struct SendMail {
    pub context: Context,
    /// `None` where the configuration names no mail server.
    pub mailer: Option<Mailer>,
}

#[async_trait]
impl Task for SendMail {
    fn name(&self) -> &'static str {
        "mail.send"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self) -> Result<String, Failure> {
        let db = &self.context.db;
        let (mut sent, mut failed) = (0, 0);
        loop {
            let due = outbox::due(db, self.context.now()).await?;
            if due.is_empty() {
                break;
            }
            for letter in &due {
                let outcome = match &self.mailer {
                    Some(mailer) => mailer.send(letter).await,
                    None => Err(MailTrouble::NotSetUp),
                };
                match outcome {
                    Ok(()) => sent += 1,
                    Err(trouble) => {
                        failed += 1;
                        tracing::warn!(letter = %letter.id, trouble = trouble.as_str(), "mail.not_sent");
                    }
                }
                outbox::finish(db, self.context.now(), letter, outcome).await?;
            }
        }
        outbox::purge(db, self.context.now()).await?;
        Ok(format!("{sent} sent, {failed} not sent"))
    }
}
