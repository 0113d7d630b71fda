//! Health checks for supervisors and load balancers.

use axum::extract::State;
use axum::http::StatusCode;

use super::AppState;
use app::api::channels::ChannelStatus;
use model::modem::ModemState;
use model::task::TaskKind;

/// The process is alive.
pub async fn live() -> &'static str {
    "ok"
}

/// The server can serve: the database answers, and it is not stopping. A line for each payment channel, one for its former
/// merchants, and one for the modem, says whether it works and how it answered last; one names the background tasks whose last
/// run failed. The status does not depend on these, since the rest of the server does not.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, String) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping".into());
    }
    match state.context.db.ping().await {
        Ok(()) => {
            let lines: String = state.ports.channels.summary().iter().map(channel_line).collect();
            let modem = state.ports.notifications.modem_state().map(|modem| modem_line(&modem)).unwrap_or_default();
            let tasks = tasks_line(&state.ports.tasks.failing());
            (StatusCode::OK, format!("ok{lines}{modem}{tasks}"))
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "health.database_failed");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer".into())
        }
    }
}

/// Monitors match the channel and its state, so these come first. What the channel said of a failure is for operators only, and
/// payments of before a change of merchant do not say whether the channel takes new ones.
fn channel_line(status: &ChannelStatus) -> String {
    let former = if status.current { "" } else { " (former merchant)" };
    let succeeded = status.succeeded_at.map(|at| format!(", last success {at}")).unwrap_or_default();
    let failed = status.failed.as_ref().map(|(at, ..)| format!(", last failure {at}")).unwrap_or_default();
    let skew = status.skew_s.map(|seconds| format!(", clock skew {seconds:+} s")).unwrap_or_default();
    format!("\n{}{former}: {}{succeeded}{failed}{skew}", status.channel.as_str(), status.state.as_str())
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

#[cfg(test)]
mod tests {
    use app::api::channels::ChannelState;
    use model::order::{ChannelFailure, Tender};
    use model::time::{MINUTE, Timestamp};

    use super::*;

    #[test]
    fn channel_lines_tell_last_answers_and_clock_skew() {
        let at = Timestamp(1_795_438_800_000);
        let status = ChannelStatus {
            channel: Tender::Alipay,
            current: true,
            state: ChannelState::Failing,
            merchant: "2088000000000001".into(),
            fault: None,
            succeeded_at: Some(at),
            failed: Some((at.plus(MINUTE), ChannelFailure::Refused, "40004 DETAIL".into())),
            skew_s: Some(-2),
            notified_at: None,
            forged: 0,
            probes: 0,
            invalid: 0,
            unread: 0,
        };
        let line = "\nalipay: failing, last success 2026-11-23 21:00:00, last failure 2026-11-23 21:01:00, clock skew -2 s";
        assert_eq!(channel_line(&status), line);
        let untried = ChannelStatus { state: ChannelState::Unknown, succeeded_at: None, failed: None, skew_s: None, ..status };
        assert_eq!(channel_line(&untried), "\nalipay: unknown");
    }
}
