//! An operator who retries until the server answers.

use std::time::Duration;

use domain::rng::Rng;
use model::time::Timestamp;
use tokio::time::{Instant, sleep};

use super::PATIENCE;
use super::buyers::{insist, session};
use super::server_process::ServerProcess;
use crate::World;

/// Whether a form leads back with an error. `done=before` is none: the answer to the first attempt was lost.
pub fn is_refused(went: &str) -> bool {
    went.contains("?e=") || went.contains("&e=")
}

/// Whether a form leads back with a conflict. PostgreSQL ends one of two transactions that wait for each other, whose person is
/// told so: nothing is done, and the same form may succeed when it is sent again.
pub fn is_conflict(went: &str) -> bool {
    went.ends_with("e=conflict")
}

#[derive(Clone)]
pub struct Operator<'a> {
    pub cookie: String,
    pub server: &'a ServerProcess,
    pub rng: &'a Rng,
    pub w: &'a World,
}

impl<'a> Operator<'a> {
    pub async fn new(server: &'a ServerProcess, rng: &'a Rng, w: &'a World) -> Self {
        Self { cookie: session(w, "clerk").await, server, rng, w }
    }

    /// Posts a form with one key until it is answered.
    pub async fn ask(&self, path: &str, form: &str) -> String {
        sleep(Duration::from_millis(self.rng.below(120))).await;
        let form = format!("{form}&key={}", self.rng.id(Timestamp(1)));
        insist(self.server, &self.cookie, path, &form).await
    }

    /// Sells over the counter, which nothing refuses but a conflict; the form keeps its key.
    pub async fn sell(&self, form: &str) {
        let form = format!("{form}&key={}", self.rng.id(Timestamp(1)));
        let deadline = Instant::now() + PATIENCE;
        loop {
            sleep(Duration::from_millis(self.rng.below(120))).await;
            let went = insist(self.server, &self.cookie, "/api/operator/sell", &form).await;
            if went.contains("/rooms/") && !is_refused(&went) {
                return;
            }
            assert!(is_conflict(&went) && Instant::now() < deadline, "a sale was refused: {went}");
        }
    }

    /// Posts with a new key after each refusal.
    pub async fn until_done(&self, path: &str, form: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let went = self.ask(path, form).await;
            if !is_refused(&went) {
                return;
            }
            assert!(Instant::now() < deadline, "{path} {form}: {went}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Polls until `look` gives a value.
    pub async fn wait<T, F: Future<Output = Option<T>>>(&self, what: &str, mut look: impl FnMut() -> F) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() >= deadline {
                panic!("waited for {what}: {}", self.w.word(UNDER_WAY).await);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Everything that is pending, for the message of a time-out.
const UNDER_WAY: &str =
    "SELECT COALESCE((SELECT string_agg(c.kind || ' read ' || COALESCE(CAST(c.read_at AS TEXT), '-') || ' return '
                                || COALESCE(r.state, '-'), '; ') FROM account_closures c LEFT JOIN returns r ON r.id = c.return_id
                                WHERE c.ended_at IS NULL), '') || ' | '
      || COALESCE((SELECT string_agg(kind || ' ' || state || ' ' || attempts || ' ' || COALESCE(reason, ''), '; ') FROM commands
                   WHERE money AND state IN ('queued', 'sending', 'case')), '') || ' | '
      || COALESCE((SELECT string_agg(kind || ' ' || detail, '; ') FROM cases WHERE closed_at IS NULL), '') || ' | '
      || COALESCE((SELECT string_agg(state, ' ') FROM returns WHERE state IN ('waiting', 'taking', 'taken', 'case')), '') || ' | '
      || COALESCE((SELECT string_agg(state || ' ' || source || ' ' || tries, '; ') FROM refunds
                   WHERE state NOT IN ('done', 'rejected', 'cancelled', 'expired')), '') || ' | '
      || COALESCE((SELECT string_agg(state || ' ' || queries, '; ') FROM payment_attempts
                   WHERE state IN ('pending', 'closing')), '')";
