//! Payment channels: each speaks its own protocol and gives out nothing that moves money but a [`Verified`] event.

mod verified;

pub use verified::{Kind, Source, Verified};
