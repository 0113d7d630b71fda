//! Why a meter was read.

/// Why a meter was read, by its code in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The regular round.
    Sweep = 0,
    OnDemand = 1,
    /// After a command.
    ReadBack = 2,
    /// What the meter itself kept of midnight.
    Freeze = 3,
}
