//! What the tests of several crates share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests is a test, though Clippy sees no #[test] on it"
)]

pub mod fuzz;
