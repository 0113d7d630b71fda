//! Types of the account lifecycle pages.

use super::RoomName;
use crate::energy::Energy;
use crate::ids::{BatchId, ClosingId, GatewayId, MeterId, OrderId, ReturnId};
use crate::issue::Issue;
use crate::money::{Fen, Money};
use crate::order::{CommandState, OrderState, ReturnState, Tender};
use crate::parameters::{Parameters, TierPeriod};
use crate::time::Timestamp;
use crate::word_enum;

/// A resident to add to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResidentToAdd {
    /// Creates a user.
    New {
        name: String,
        login: String,
        /// Their first password.
        password: String,
    },
    /// An existing user, by login name.
    Known(String),
}

/// Where the balance of a closed account goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BalanceTarget {
    /// Paid out at the cash desk.
    Counter(Tender),
    /// Transferred to the account with this number.
    Account(String),
}

/// A replacement meter; an empty field keeps the value of the old meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    pub serial: String,
    pub gateway: Option<GatewayId>,
    pub unit: Option<u8>,
    pub profile: Option<String>,
}

/// Values that an operator enters for a meter that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Remaining amount; only for a meter wallet.
    pub remaining: Option<Fen>,
    /// Final reading of the energy counter.
    pub total: Option<Energy>,
    /// Source of these values, in the operator's words.
    pub reason: String,
}

/// A meter and its serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherMeter {
    pub meter: MeterId,
    pub serial: String,
}

/// Choices for the account of a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Other meters of the account.
    pub siblings: Vec<OtherMeter>,
    /// Other meters of the room that have no account.
    pub free: Vec<OtherMeter>,
    /// The account closure in progress.
    pub closing: Option<ClosingId>,
    /// Gateways to choose from for a replacement meter.
    pub gateways: Vec<(GatewayId, String)>,
}

word_enum! {
    /// What an account closure is for.
    pub enum ClosingKind {
        /// The account ends.
        Close = "close",
        /// The account continues in another room.
        Move = "move",
        /// One of its meters is replaced; the account stays open.
        Replace = "replace",
    }
}

/// Why an account closure can no longer be withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawalRefusal {
    /// A `close` command was sent to a meter.
    Told,
    /// The final reading of a meter is stored.
    Read,
    /// The account in the new room is in use.
    Arrived,
}

/// A setting sent to the new meter so that it matches the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The batch that shows its progress.
    pub batch: BatchId,
    pub issue: Issue,
    pub state: CommandState,
}

/// An account closure and its progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub id: ClosingId,
    pub kind: ClosingKind,
    pub room: RoomName,
    pub account: String,
    /// Tender of the payout, if it is paid at the cash desk.
    pub tender: Option<Tender>,
    /// Number of the account that receives the balance.
    pub to_account: Option<String>,
    /// Meter that receives the balance.
    pub to_meter: Option<MeterId>,
    pub reason: String,
    pub by: String,
    pub begun_at: Timestamp,
    /// When its last meter was read.
    pub read_at: Option<Timestamp>,
    /// When the balance had been paid out or transferred.
    pub ended_at: Option<Timestamp>,
    /// The return that pays the balance out, and its state.
    pub returned: Option<(ReturnId, ReturnState)>,
    /// The order that transfers the balance, and its state.
    pub carried: Option<(OrderId, OrderState)>,
    pub meters: Vec<ClosingMeter>,
    /// Who withdrew it.
    pub withdrawn_by: Option<String>,
    /// Whether the account in the new room is in use.
    pub arrived: bool,
    /// Last read parameters of the old meter, to be copied to the new one.
    pub parameters: Option<(Parameters, Timestamp)>,
    /// Settings sent to the new meter.
    pub settings: Vec<Setting>,
    /// Paid orders that cannot be delivered; an operator decides.
    pub undeliverable: Vec<UndeliverableOrder>,
    /// Gateways to choose from for a replacement meter.
    pub gateways: Vec<(GatewayId, String)>,
}

impl Closing {
    /// Sum of the final amounts read so far.
    #[must_use]
    pub fn left(&self) -> Fen {
        self.meters.iter().filter_map(|meter| meter.left).sum()
    }

    /// Why it cannot be withdrawn; `None` if it can.
    #[must_use]
    pub fn kept(&self) -> Option<WithdrawalRefusal> {
        if self.read_at.is_some() || self.meters.iter().any(|meter| meter.final_at.is_some()) {
            return Some(WithdrawalRefusal::Read);
        }
        if self.meters.iter().any(|meter| meter.sent_at.is_some()) {
            return Some(WithdrawalRefusal::Told);
        }
        self.arrived.then_some(WithdrawalRefusal::Arrived)
    }

    /// Whether the meter has a meter wallet.
    #[must_use]
    pub fn own_wallet(&self) -> bool {
        self.meters.iter().any(|meter| meter.own_wallet)
    }

    /// Whether the new meter starts its tier energy at zero although tiers are in force, as far as is known.
    #[must_use]
    pub fn loses_tiers(&self) -> bool {
        self.own_wallet() && self.parameters.as_ref().is_none_or(|(known, _)| known.tiers.period != TierPeriod::None)
    }

    /// Whether the replacement meter is still to be installed.
    #[must_use]
    pub fn waits_for_meter(&self) -> bool {
        self.kind == ClosingKind::Replace && self.read_at.is_some() && self.ended_at.is_none()
    }

    /// Whether an operator may choose the destination of the balance: no transfer is in progress, or it failed.
    #[must_use]
    pub fn may_decide(&self) -> bool {
        let open = self.read_at.is_some() && self.ended_at.is_none();
        open && self.returned.is_none_or(|(_, state)| !matches!(state, ReturnState::Taken | ReturnState::Done))
    }

    /// Whether the closure goes on without an operator, so that its page is worth reloading.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        let coming = self.carried.is_some_and(|(_, state)| state == OrderState::Paid);
        let telling = self.settings.iter().any(|one| !one.state.is_final());
        self.read_at.is_none() || (self.ended_at.is_none() && !self.waits_for_meter()) || coming || telling
    }
}

/// A meter of an account closure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingMeter {
    pub meter: MeterId,
    pub serial: String,
    pub own_wallet: bool,
    pub command: Option<CommandState>,
    pub reason: Option<crate::command::CommandReason>,
    /// When the command was first sent.
    pub sent_at: Option<Timestamp>,
    /// Since when nothing readable came from it.
    pub lost_since: Option<Timestamp>,
    /// Whether it answers, but cannot be read.
    pub unreadable: bool,
    /// When its final reading was stored.
    pub final_at: Option<Timestamp>,
    pub left: Option<Fen>,
    /// Amount written off; negative if overdrawn.
    pub written_off: Option<Money>,
    /// Final reading of the energy counter.
    pub total: Option<Energy>,
    /// Operator who entered the values, and their source.
    pub counted: Option<(String, String)>,
}

/// A paid order that cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndeliverableOrder {
    pub order: OrderId,
    pub number: i64,
    pub amount: Fen,
    pub tender: Tender,
    pub at: Timestamp,
}
