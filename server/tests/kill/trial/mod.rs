//! What goes on while the server is killed, and what must be true afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a trial says so by failing; whoever runs it uses a part"
)]

pub mod accounts;
mod buyers;
mod clerk;
mod killer;
mod lives;
pub mod purchases;
pub mod refunds;
mod site;
mod victim;
mod weather;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use killer::Killer;
use site::Site;
use tokio::time::Instant;
use victim::Victim;

use crate::support::World;

/// Purchases that fit into the time that the tests have, and kills.
const OPERATIONS: usize = 180;
const KILLS: usize = 25;

/// How much is done on one database: at least so many operations, and on until so many kills.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    pub operations: usize,
    pub kills: usize,
}

impl Volume {
    /// What the environment asks for.
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

/// Where a trial is played: a site, and a server that is killed until it ends.
struct Stage {
    begun: Instant,
    site: Arc<Site>,
    victim: Arc<Victim>,
    killer: Killer,
}

impl Stage {
    /// With every account open; the server dies at least so often.
    async fn set(w: &World, kills: usize) -> Self {
        let begun = Instant::now();
        let site = Arc::new(Site::start(w).await);
        let victim = Arc::new(Victim::start(&site).await);
        let killer = Killer::start(&victim, &w.rng, kills);
        site.opened(w).await;
        Self { begun, site, victim, killer }
    }
}

/// How a trial ended that broke nothing.
#[derive(Debug)]
pub struct Report {
    /// In one line.
    pub said: String,
    /// How often the server died.
    pub kills: usize,
}

/// What is still to be done, by all who do it at once.
struct Work {
    volume: Volume,
    begun: AtomicUsize,
}

impl Work {
    fn new(volume: Volume) -> Self {
        Self { volume, begun: AtomicUsize::new(0) }
    }

    /// Whether another one is to be begun.
    fn another(&self, victim: &Victim) -> bool {
        let more = self.begun.load(Ordering::Relaxed) < self.volume.operations || victim.deaths() < self.volume.kills;
        if more {
            self.begun.fetch_add(1, Ordering::Relaxed);
        }
        more
    }
}
