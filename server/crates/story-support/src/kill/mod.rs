//! Trials during which the server is killed repeatedly, and what must hold afterwards.

mod account_changes;
pub mod accounts;
mod buyers;
mod channel_faults;
mod killer;
mod messages;
mod operator;
pub mod purchases;
pub mod refunds;
mod server_process;
mod site;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use killer::Killer;
use server_process::ServerProcess;
use site::Site;
use tokio::time::Instant;

use crate::World;

/// Purchases and kills that fit into the time of a test run.
const OPERATIONS: usize = 180;
const KILLS: usize = 25;
/// How long anything may take. What takes longer is taken to hang, even on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// The least number of operations and of kills on one database.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    pub operations: usize,
    pub kills: usize,
}

impl Volume {
    /// As the environment sets it.
    pub fn of_the_environment() -> Self {
        let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect(name));
        Self {
            operations: asked("DORMWATT_KILL_OPERATIONS").unwrap_or(OPERATIONS),
            kills: asked("DORMWATT_KILLS").unwrap_or(KILLS),
        }
    }

    fn part(self, of: usize) -> Self {
        Self { operations: (self.operations / of).max(1), ..self }
    }
}

/// The stage of a trial: a site, and a server that is killed until the trial ends.
struct Stage {
    begun: Instant,
    site: Arc<Site>,
    server: Arc<ServerProcess>,
    killer: Killer,
}

impl Stage {
    /// With every account open. `program` is the server, which is killed at least `kills` times.
    async fn set(w: &World, program: &'static str, kills: usize) -> Self {
        let begun = Instant::now();
        let site = Arc::new(Site::start(w).await);
        messages::enrol(w, &site.provider).await;
        let server = Arc::new(ServerProcess::start(&site, program).await);
        let killer = Killer::start(&server, &w.rng, kills);
        site.opened(w).await;
        Self { begun, site, server, killer }
    }
}

/// The result of a trial without a violation.
#[derive(Debug)]
pub struct Report {
    /// In one line.
    pub summary: String,
    /// How often the server died.
    pub kills: usize,
}

/// The operations still to do, shared by concurrent workers.
struct Work {
    volume: Volume,
    begun: AtomicUsize,
}

impl Work {
    fn new(volume: Volume) -> Self {
        Self { volume, begun: AtomicUsize::new(0) }
    }

    /// Takes another operation, unless enough were begun.
    fn another(&self, server: &ServerProcess) -> bool {
        let more = self.begun.load(Ordering::Relaxed) < self.volume.operations || server.deaths() < self.volume.kills;
        if more {
            self.begun.fetch_add(1, Ordering::Relaxed);
        }
        more
    }
}
