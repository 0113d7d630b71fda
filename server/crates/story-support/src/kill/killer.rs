//! Kills the server at random moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::rng::Rng;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::server_process::ServerProcess;

/// The longest that a server lives on a machine that starts it in less. A start takes a second of the processor: with shorter
/// lives a trial would be spent on starts.
const LONGEST_MS: u64 = 900;

pub struct Killer {
    over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Killer {
    /// Kills at least `kills` times, and until [`Self::end`].
    pub fn start(server: &Arc<ServerProcess>, rng: &Rng, kills: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn({
            let (server, over, rng) = (Arc::clone(server), Arc::clone(&over), rng.clone());
            async move {
                let mut longest = LONGEST_MS;
                while !over.load(Ordering::Relaxed) || server.deaths() < kills {
                    sleep(Duration::from_millis(20 + rng.below(longest))).await;
                    let killed_at = Instant::now();
                    server.kill_and_restart().await;
                    // A server that is slow to start is slow at everything, so it gets more time before the next kill.
                    longest = LONGEST_MS.max(killed_at.elapsed().as_millis() as u64);
                }
            }
        });
        Self { over, task }
    }

    pub async fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}
