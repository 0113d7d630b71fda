//! View types of issuing a price plan to the meters that hold their own credit.

use super::{Page, RoomName};
use crate::command::CommandReason;
use crate::ids::{BatchId, MeterId, Uuid};
use crate::issue::{Issue, Kind};
use crate::order::CommandState;
use crate::time::Timestamp;

/// What a meter keeps otherwise than its plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceGap {
    /// The prices of the rates.
    Prices,
    /// The prices of the next version with the instant at which it takes over.
    Standby,
    Tiers,
    /// Day table 1 or 2.
    Table(u8),
    Seasons,
}

impl PriceGap {
    /// The command that closes it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Prices => Kind::Prices,
            Self::Standby => Kind::Standby,
            Self::Tiers => Kind::Tiers,
            Self::Table(_) => Kind::DayTable,
            Self::Seasons => Kind::DatePlan,
        }
    }

    /// The day table; 0 for what is none.
    #[must_use]
    pub const fn table(self) -> u8 {
        if let Self::Table(table) = self { table } else { 0 }
    }
}

/// A command that is still to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceIssue {
    pub gap: PriceGap,
    /// `None` where no meter takes such a value.
    pub issue: Option<Issue>,
    /// Meters that need it.
    pub meters: usize,
}

/// The newest command about prices to a meter; of planned prices the check whether they are in force, once it has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceCommand {
    pub batch: BatchId,
    pub kind: Kind,
    pub state: CommandState,
    pub reason: Option<CommandReason>,
    pub decided_at: Timestamp,
}

impl PriceCommand {
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        matches!(self.state, CommandState::Queued | CommandState::Sending)
    }

    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.state, CommandState::Failed | CommandState::Case)
    }
}

/// A meter that does not keep what its plan says, or whose parameters are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceMeter {
    pub meter: MeterId,
    pub room: RoomName,
    /// When its parameters were read; `None`: never.
    pub read_at: Option<Timestamp>,
    pub gaps: Vec<PriceGap>,
    /// Since when nothing readable came from it.
    pub lost_since: Option<Timestamp>,
    pub last: Option<PriceCommand>,
}

/// How many meters keep what the plan says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriceMeterCounts {
    /// Meters with their own wallet to which the plan applies.
    pub meters: usize,
    pub same: usize,
    pub differing: usize,
    /// Parameters never read.
    pub unread: usize,
    /// Of those that differ or were never read: a command is on its way, or it failed.
    pub moving: usize,
    pub failed: usize,
    /// Charged by the server; nothing is issued to them.
    pub server_wallets: usize,
}

/// The page of a plan's meters.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceMeters {
    pub plan: Uuid,
    pub name: String,
    /// The version in force.
    pub number: i64,
    /// The next version, and when it takes over.
    pub next: Option<(i64, Timestamp)>,
    pub counts: PriceMeterCounts,
    pub issues: Vec<PriceIssue>,
    /// In the order of the wall.
    pub lines: Page<PriceMeter>,
}
