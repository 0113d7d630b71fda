//! What is no longer in use and is still looked for: closed accounts and meters out of service.

use serde::{Deserialize, Serialize};

use super::{AccountState, CommandLine, RoomName};
use crate::ids::{AccountId, ClosingId, MeterId};
use crate::time::Timestamp;

/// What a search finds besides rooms in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Former {
    pub accounts: Vec<FormerAccount>,
    pub meters: Vec<FormerMeter>,
}

impl Former {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.meters.is_empty()
    }
}

/// A closed account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerAccount {
    pub id: AccountId,
    pub number: String,
    /// Its room, which may have another account now.
    pub room: RoomName,
    pub closed_at: Option<Timestamp>,
    /// How it was closed.
    pub closing: Option<ClosingId>,
}

/// A meter out of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerMeter {
    pub id: MeterId,
    pub serial: String,
    /// Where it was.
    pub room: RoomName,
    pub retired_at: Timestamp,
}

/// A meter out of service, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredMeter {
    pub id: MeterId,
    pub serial: String,
    pub room: RoomName,
    pub profile: String,
    pub gateway: String,
    pub since: Timestamp,
    /// Who took it out of service; `None` where an import did, or its gateway was retired.
    pub by: Option<String>,
    /// The meter that came in its place.
    pub replaced_by: Option<(MeterId, String)>,
    /// The meter in its room now, where it is another one.
    pub in_room: Option<MeterId>,
    /// The accounts that it had, newest first.
    pub accounts: Vec<RetiredMeterAccount>,
    /// What was last sent to it, newest first.
    pub commands: Vec<CommandLine>,
}

/// An account that a meter had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredMeterAccount {
    pub number: String,
    pub state: AccountState,
    pub from: Timestamp,
    pub until: Option<Timestamp>,
    pub closing: Option<ClosingId>,
}
