//! Who is logged in, and what kind of person they are.

use crate::ids::UserId;

/// What kind of person is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Lives in a room.
    Resident,
    /// Sells, switches, reads.
    Operator,
    /// An operator who also keeps operators and settings.
    Admin,
}

/// The person of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub user: UserId,
    /// What they are.
    pub role: Role,
    /// What to call them.
    pub name: String,
    /// Where the request came from; for the audit chain.
    pub ip: String,
}
