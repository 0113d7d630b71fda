//! How a gateway carries the frames of its meters.

pub use model::gateway::Framing;
