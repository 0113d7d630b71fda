//! What brings e-mails and messages to people. What is wrong with its configuration stops no server.

use std::error::Error as StdError;

use model::language::Lang;
use notify::{Channels, Mailer};

use crate::config::Config;
use crate::services::Context;
use crate::services::notifications::NotificationsService;

/// E-mails wait where the configuration is wrong, and say that no mail server is set up.
pub fn mailer(config: &Config) -> Option<Mailer> {
    Mailer::new(&config.mail).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn StdError, "mail.configuration");
        None
    })
}

/// A channel whose configuration is wrong is off, and the log says why.
pub fn notifications(config: &Config, context: &Context, mailer: Option<&Mailer>) -> NotificationsService {
    let (channels, wrong) = Channels::new(&config.notify, mailer);
    for error in wrong {
        tracing::error!(error = &error as &dyn StdError, "notify.configuration");
    }
    let language = Lang::choose(&config.notify.language).unwrap_or_default();
    NotificationsService::new(context.clone(), channels, language)
}
