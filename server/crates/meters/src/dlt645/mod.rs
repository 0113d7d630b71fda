//! DL/T 645-2007 behind transparent gateways: frames, requests, and the check that an answer belongs to its request.

mod credentials;
pub mod driver;
mod frame;
#[cfg(test)]
mod fuzz;
mod item;
mod refusal;
mod request;

pub use credentials::Credentials;
pub(crate) use item::decimal;
pub use refusal::Refusal;
pub use request::{Answer, ClockPart, Dlt645Request, Switch};
