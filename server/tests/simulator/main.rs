//! The simulator from outside, over TCP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod blocks;
mod bus;
mod control;
mod faults;
mod framings;
mod line;
mod money;
mod profiles;
mod restart;
mod scale;

use domain::clock::TestClock;
use meters::keys::MasterKeys;
use model::time::{Date, Timestamp};
use simulator::{Config, Estate, Load, OpenAccount, Simulator, start};
use std::sync::Arc;

/// 2026-11-23 00:00 in Shanghai.
pub fn monday() -> Timestamp {
    Date::from_ymd(2026, 11, 23).unwrap().start()
}

pub fn keys() -> MasterKeys {
    MasterKeys { enc: [1; 16], mac: [2; 16], aes: [3; 32] }
}

/// One gateway with units 1-3, each with 100 yuan in it and drawing 1 kW; time stands still until it is moved.
pub fn config() -> (Config, Arc<TestClock>) {
    let mut estate = Estate::uniform(7, 1, 3);
    for (_, plan) in estate.meters_mut() {
        let number = format!("10000000000000{:02}", plan.unit).parse().unwrap();
        plan.account = Some(OpenAccount { number, epoch: 1, count: 1, order: 5, cumulative: 10_000, remaining: 10_000 });
    }
    let clock = TestClock::new(monday());
    (Config { clock: clock.clone(), load: Load::Constant { watts: 1_000 }, ..Config::new(estate, keys()) }, clock)
}

pub async fn site() -> (Simulator, Arc<TestClock>) {
    let (config, clock) = config();
    (start(config).await.unwrap(), clock)
}
