//! The server is killed (SIGKILL) again and again while people buy, give back, close, move and replace, on lines that lose requests
//! and answers and through channels that lose, double, delay and falsify what they say. Afterwards meters, ledger, orders, charges and
//! the channels' own books agree to the fen and the watt-hour. What is done and proved is in `trial/`; this runs it on both databases.
//!
//! `DORMWATT_KILL_OPERATIONS=3000` does so many purchases on each database, and a quarter as many that go back, instead of
//! what fits into a minute; `DORMWATT_KILLS=500` goes on until so many kills. `make bench ONLY=kill` measures [`trial`] too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test says so by failing")]

/// Before the other, for its macro.
#[macro_use]
#[path = "../stories/support/mod.rs"]
mod support;

mod trial;

use support::World;
use trial::{Volume, accounts, purchases, refunds};

both!(
    killed_at_any_moment,
    |w: World| async move { println!("{}", purchases::run(&w, Volume::of_the_environment()).await.said) }
);

both!(killed_while_money_goes_back, |w: World| async move {
    println!("{}", refunds::run(&w, Volume::of_the_environment()).await.said)
});

both!(killed_while_accounts_end, |w: World| async move { println!("{}", accounts::run(&w).await.said) });
