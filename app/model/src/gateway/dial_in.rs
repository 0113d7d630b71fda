//! Connections of gateways that dial in.

use crate::time::Timestamp;

/// One connection of a gateway since the server started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialInConnection {
    /// Address and port from where it came.
    pub peer: String,
    pub since: Timestamp,
    /// `None` while it is open.
    pub until: Option<Timestamp>,
    /// It took the place of an earlier one that was still open.
    pub replaces: bool,
}

/// Something that dialled in and is no gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCaller {
    /// The first bytes that it sent, 1 to 64.
    pub received: Vec<u8>,
    /// The address from where it came last.
    pub peer: String,
    pub first: Timestamp,
    pub last: Timestamp,
    pub times: u64,
}
