//! Health checks for supervisors and load balancers.

use axum::extract::State;
use axum::http::StatusCode;

use super::AppState;
use app::api::channels::ChannelSummary;
use model::modem::ModemState;
use model::task::TaskKind;

/// The process is alive.
pub async fn live() -> &'static str {
    "ok"
}

/// The server can serve: the database answers, and it is not stopping. A line for each payment channel, one for its former
/// merchants, and one for the modem, says whether it works; one names the background tasks whose last run failed. The status does
/// not depend on these, since the rest of the server does not.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, String) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping".into());
    }
    match state.context.db.ping().await {
        Ok(()) => {
            let lines = state.ports.channels.summary().into_iter().map(channel_line);
            let modem = state.ports.notifications.modem_state().map(|modem| modem_line(&modem)).unwrap_or_default();
            let tasks = tasks_line(&state.ports.tasks.failing());
            (StatusCode::OK, format!("ok{}{modem}{tasks}", lines.collect::<String>()))
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "health.database_failed");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer".into())
        }
    }
}

/// Payments of before a change of merchant do not say whether the channel takes new ones.
fn channel_line(ChannelSummary { channel, current, state }: ChannelSummary) -> String {
    let former = if current { "" } else { " (former merchant)" };
    format!("\n{}{former}: {}", channel.as_str(), state.as_str())
}

fn modem_line(modem: &ModemState) -> String {
    let signal = modem.dbm().map(|dbm| format!(", {dbm} dBm")).unwrap_or_default();
    let (phase, sim, network) = (modem.phase.as_str(), modem.sim.as_str(), modem.registration.as_str());
    let answered = modem.answered_at.map(|at| format!(", answered {at}")).unwrap_or_default();
    format!("\nmodem: {phase}, sim {sim}, network {network}{signal}{answered}")
}

/// Nothing where all tasks work.
fn tasks_line(failing: &[TaskKind]) -> String {
    let names: Vec<&str> = failing.iter().map(|kind| kind.as_str()).collect();
    if names.is_empty() { String::new() } else { format!("\ntasks failing: {}", names.join(", ")) }
}
