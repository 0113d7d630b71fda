//! Faults of the payment channels, which change every moment. Time is also accelerated: whatever waits for its next query to a
//! channel is made due.

use std::sync::Arc;
use std::time::Duration;

use domain::rng::Rng;
use sandbox::Faults;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::site::Site;
use crate::World;

/// Requests that a channel may execute without an answer.
const SILENT: [&str; 6] =
    ["alipay.trade.query", "alipay.trade.refund", "alipay.trade.fastpay.refund.query", "query", "refund", "query_refund"];

pub struct ChannelFaults {
    site: Arc<Site>,
    task: JoinHandle<()>,
}

impl ChannelFaults {
    pub fn start(site: &Arc<Site>, w: &World) -> Self {
        let task = tokio::spawn({
            let (site, w) = (Arc::clone(site), w.clone());
            async move {
                loop {
                    site.sandbox.set_faults(bad(&w.rng));
                    reset_backoff(&w).await;
                    sleep(Duration::from_millis(100 + w.rng.below(500))).await;
                }
            }
        });
        Self { site: Arc::clone(site), task }
    }

    /// From now on messages are only duplicated, so that everything pending ends.
    pub fn clear(self) {
        self.task.abort();
        self.site.sandbox.set_faults(Faults { copies: 2, ..Faults::default() });
    }
}

/// Makes the next queries of payments and refunds due.
pub async fn reset_backoff(w: &World) {
    for sql in [
        "UPDATE payment_attempts SET next_query_at = 0 WHERE state IN ('pending', 'closing')",
        "UPDATE refunds SET next_at = 0 WHERE state = 'sending'",
    ] {
        // The rows may be locked by the server; the next call updates them.
        let _ = w.try_execute(sql).await;
    }
}

/// Half of the messages are lost, and some are late, truncated or forged; the channel
/// is slow, fails, or executes without an answer.
fn bad(rng: &Rng) -> Faults {
    let one_in = |n: u64| rng.below(n) == 0;
    Faults {
        lose: one_in(2),
        copies: 1 + u32::from(one_in(2)) + u32::from(one_in(4)),
        delay_ms: if one_in(3) { rng.below(400) } else { 0 },
        half: one_in(8),
        falsify: one_in(8),
        refund_slow: one_in(3),
        status: one_in(6).then_some(502),
        silent_on: SILENT.iter().filter(|_| one_in(6)).map(|name| (*name).to_owned()).collect(),
        ..Faults::default()
    }
}
