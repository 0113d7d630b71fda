//! What the operator's console reads: lists that join what other files of the store write.

mod places;

pub use places::{latest, layout, scope};
