//! Kills the server at random moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::rng::Rng;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::server_process::ServerProcess;

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
                while !over.load(Ordering::Relaxed) || server.deaths() < kills {
                    sleep(Duration::from_millis(20 + rng.below(600))).await;
                    server.kill_and_restart().await;
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
