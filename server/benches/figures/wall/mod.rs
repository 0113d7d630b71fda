//! The meter wall: in a browser, and as streams.

pub mod picture;
pub mod streams;
