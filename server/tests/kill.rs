//! Kills the server (SIGKILL) repeatedly while residents and operators buy, refund, close, move and replace, over lines that lose
//! requests and answers and channels that lose, duplicate, delay and forge messages. Afterwards meters, ledger, orders, charges
//! and the channels' own records agree to the fen and the watt-hour. `story_support::kill` has the trials; this runs them on both
//! databases.
//!
//! `DORMWATT_KILL_OPERATIONS=3000` sets the number of purchases on each database (a quarter as many are refunded) instead of what
//! fits into a minute; `DORMWATT_KILLS=500` continues until so many kills. `make bench ONLY=kill` runs the same trials.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test says so by failing")]

use story_support::kill::{Volume, accounts, purchases, refunds};
use story_support::{World, both};

const SERVER: &str = env!("CARGO_BIN_EXE_dormwatt");

both!(purchases_survive_kills_at_any_moment, |w: World| async move {
    println!("{}", purchases::run(&w, SERVER, Volume::of_the_environment()).await.summary)
});

both!(refunds_survive_kills_at_any_moment, |w: World| async move {
    println!("{}", refunds::run(&w, SERVER, Volume::of_the_environment()).await.summary)
});

both!(
    account_changes_survive_kills_at_any_moment,
    |w: World| async move { println!("{}", accounts::run(&w, SERVER).await.summary) }
);
