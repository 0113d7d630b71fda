//! DL/T 645-2007 behind transparent gateways: frames, requests, and the check that an answer belongs to its request.

mod access;
mod ask;
pub mod driver;
mod frame;
#[cfg(test)]
mod fuzz;
mod item;
mod refusal;

pub use access::Access;
pub use ask::{Answer, Ask, Half, Switch};
pub use refusal::Refusal;
