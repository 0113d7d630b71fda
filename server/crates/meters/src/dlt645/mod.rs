//! DL/T 645-2007, behind transparent gateways: frames, what can be asked, and how an answer is told from everything else.

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
