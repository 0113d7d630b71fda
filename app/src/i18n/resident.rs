//! Texts of the resident's pages; `sentences` puts figures into them.

pub mod sentences;

pub use super::catalogue::resident::*;
