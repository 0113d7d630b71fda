//! The promises, at length: a server that is killed again and again, and simulations by seed.

pub mod kill;
pub mod seeds;
