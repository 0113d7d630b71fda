//! Hands e-mails to the mail server, one after the other. What it cannot take now is tried again later.

use std::time::Duration;

use async_trait::async_trait;
use model::saved_report::MailTrouble;
use model::task::TaskKind;
use notify::{Mailer, outbox};

use super::{Done, Failure, Task};
use services::Context;

pub struct SendMail {
    pub context: Context,
    /// `None` where the configuration names no mail server.
    pub mailer: Option<Mailer>,
}

#[async_trait]
impl Task for SendMail {
    fn kind(&self) -> TaskKind {
        TaskKind::SendMail
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let db = &self.context.db;
        let (mut sent, mut failed) = (0, 0);
        while let Some(mail) = outbox::next(db, self.context.now()).await? {
            let outcome = match &self.mailer {
                Some(mailer) => mailer.send(&mail).await,
                None => Err(MailTrouble::NotSetUp),
            };
            outbox::finish(db, self.context.now(), &mail, outcome).await?;
            let Err(trouble) = outcome else {
                sent += 1;
                continue;
            };
            failed += 1;
            tracing::warn!(mail = %mail.id, trouble = trouble.as_str(), "mail.not_sent");
            // The next run asks the mail server again, with another e-mail.
            if trouble.is_of_server() {
                break;
            }
        }
        if sent + failed > 0 {
            outbox::purge(db, self.context.now()).await?;
        }
        Ok(Done::new(sent + failed, format!("{sent} sent, {failed} not sent")))
    }
}
