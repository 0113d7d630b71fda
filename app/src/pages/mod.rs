//! One page a file: `<who>/<noun>.rs`.

pub mod auth;
pub mod error;
pub mod operator;
pub mod resident;
