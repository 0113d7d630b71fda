//! Seeded simulations of orders, payments, refunds, deliveries, a meter and crashes; a violation ends the run without a figure.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::figure::Figure;
use crate::{Length, Outcome};
use story_support::seeds::{self, Flaw, Tally};

const SEEDS: usize = 100_000;
/// Seeds that the tests do not run.
const FIRST: u64 = 1_000_000;

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let count = length.count(SEEDS) as u64;
    let threads = thread::available_parallelism()?.get();
    let begun = std::time::Instant::now();
    let all = tokio::task::spawn_blocking(move || on_all_cores(count, threads)).await??;
    let seconds = begun.elapsed().as_secs_f64() * SEEDS as f64 / count as f64;
    let against = format!("seconds for {SEEDS} seeds on {threads} cores; of {count}: {all}");
    Ok(vec![Figure::at_most("sim.seeds", 600.0, "s", against, vec![seconds])])
}

fn on_all_cores(count: u64, threads: usize) -> Outcome<Tally> {
    let next = AtomicU64::new(0);
    let work = || -> Result<Tally, String> {
        let mut all = Tally::default();
        loop {
            let seed = FIRST + next.fetch_add(1, Ordering::Relaxed);
            if seed >= FIRST + count {
                return Ok(all);
            }
            all = all + seeds::run(seed, Flaw::None, false).map_err(|violation| format!("seed {seed}: {violation}"))?;
        }
    };
    let mut all = Tally::default();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for one in running {
            all = all + one.join().map_err(|_| "a thread ended")??;
        }
        Ok(all)
    })
}
