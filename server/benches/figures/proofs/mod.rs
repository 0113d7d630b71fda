//! The promises at length: a server that is killed repeatedly, and simulations by seed.

pub mod kill;
pub mod seeds;
