//! The server is killed (SIGKILL) again and again while people buy, give back, close, move and replace, on lines that lose requests
//! and answers and through channels that lose, double, delay and falsify what they say. Afterwards meters, ledger, orders, charges and
//! the channels' own books agree to the fen and the watt-hour. What is done and proved is in `story_support::kill`; this runs it on both databases.
//!
//! `DORMWATT_KILL_OPERATIONS=3000` does so many purchases on each database, and a quarter as many that go back, instead of
//! what fits into a minute; `DORMWATT_KILLS=500` goes on until so many kills. `make bench ONLY=kill` measures it too.
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
