//! One page a file: `<who>/<noun>.rs`.

pub mod auth;
pub mod error;
pub mod kiosk;
pub mod offline;
pub mod operator;
pub mod pay_link;
pub mod resident;
