//! Fuzzing of decoders, for the unit tests of any crate. `story-support` has what needs a database or a server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests is a test, though Clippy sees no #[test] on it"
)]

pub mod fuzz;
