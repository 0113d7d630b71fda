//! What brings e-mails and messages to people. What is wrong with its configuration stops no server.

use std::error::Error as StdError;

use model::language::Lang;
use notify::{Channels, Mailer};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::http::AppState;
use services::Context;
use services::notifications::NotificationsService;
use services::residents::ResidentService;
use services::text_requests::TextRequests;

/// Events of the modem that wait to be stored.
const MODEM_EVENTS: usize = 64;

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

/// Runs the modem, where text messages go through one, and what answers the messages that it receives.
pub fn run_modem(tasks: &TaskTracker, state: &AppState, notifications: &NotificationsService, residents: ResidentService) {
    let Some(link) = notifications.channels().modem().cloned() else { return };
    let (sender, events) = mpsc::channel(MODEM_EVENTS);
    let (clock, stop) = (state.context.clock.clone(), state.stopping.clone());
    let requests = TextRequests {
        context: state.context.clone(),
        residents,
        notifications: notifications.clone(),
        top_up_link: format!("{}/topup", state.server.public_url.trim_end_matches('/')),
        replies_per_hour: link.replies_per_hour,
    };
    tasks.spawn(async move { link.modem.run(clock, sender, stop).await });
    tasks.spawn(requests.run(events));
}
