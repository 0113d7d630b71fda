//! Simulates a whole site in one thread, without sockets and without a database: orders, attempts, payments, refunds, deliveries
//! and a meter. A seed decides which messages are lost, late, duplicated or reordered, which frames are lost or delayed, and when
//! the process crashes around a durable write. The decisions are the product's own code; the store is a model
//! (`story_support::seeds`). The invariants are checked after every write, and again when every message has been delivered.
//!
//! `DORMWATT_SEED=4711` runs one seed and prints its steps. `make bench ONLY=sim` runs 100,000.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test says so by failing")]

use std::time::{Duration, Instant};

use story_support::seeds::{Flaw, Tally, run};

/// How long the tests look for a seed that breaks a promise.
const TIME: Duration = Duration::from_secs(8);

#[test]
fn no_seed_breaks_an_invariant() {
    if let Ok(seed) = std::env::var("DORMWATT_SEED") {
        println!("{:?}", run(seed.parse().unwrap(), Flaw::None, true).unwrap());
        return;
    }
    let begun = Instant::now();
    let (mut seed, mut all) = (0, Tally::default());
    while begun.elapsed() < TIME {
        match run(seed, Flaw::None, false) {
            Ok(tally) => all = all + tally,
            Err(broken) => panic!("seed {seed}: {broken}; DORMWATT_SEED={seed} tells its story"),
        }
        seed += 1;
    }
    println!("{seed} seeds: {all}");
    assert!(seed > 300, "only {seed} seeds in {TIME:?}");
    assert!(all.happened(), "not everything happened that may: {all}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        assert_eq!(run(seed, Flaw::None, false), run(seed, Flaw::None, false), "{seed}");
    }
}

/// What a promise is worth that no mistake breaks: each of these is found soon.
#[test]
fn every_injected_flaw_is_detected() {
    for flaw in [
        Flaw::ForgetsEvents,
        Flaw::CountsFromTheMeter,
        Flaw::BelievesTheWrite,
        Flaw::RefundsUnderNewNumbers,
        Flaw::RefundsWhatMayArrive,
        Flaw::GivesUpLatePayments,
        Flaw::BelievesSilence,
    ] {
        let found = (0..2_000).find(|&seed| run(seed, flaw, false).is_err());
        assert!(found.is_some(), "{flaw:?} breaks nothing");
    }
}
