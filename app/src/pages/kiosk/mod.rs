//! Query machines: what they show while nobody is logged in, and what residents and operators do about them.

pub mod code;
pub mod confirm;
pub mod screen;
pub mod setup;
