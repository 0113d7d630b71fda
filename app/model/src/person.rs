//! Who is logged in, and what kind of person they are.

use crate::ids::UserId;
use crate::word_enum;

word_enum! {
    /// What kind of person is logged in.
    pub enum Role {
        /// Lives in a room.
        Resident = "resident",
        /// Sells, switches and reads.
        Operator = "operator",
        /// An operator who also manages operators and settings.
        Admin = "admin",
    }
}

/// The person of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub user: UserId,
    /// What they are.
    pub role: Role,
    pub name: String,
    /// Where the request came from; for the audit chain.
    pub ip: String,
}
