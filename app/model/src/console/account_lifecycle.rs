//! What the pages of account life show and ask for.

use super::RoomName;
use crate::energy::Energy;
use crate::ids::{BatchId, ClosingId, GatewayId, MeterId, OrderId, ReturnId};
use crate::issue::Issue;
use crate::money::{Fen, Money};
use crate::order::{CommandState, OrderState, ReturnState, Tender};
use crate::parameters::{Parameters, TierPeriod};
use crate::time::Timestamp;

/// Somebody who moves in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResidentToAdd {
    /// Never lived here: name, login name, first password.
    New {
        /// What to call them.
        name: String,
        /// How they will log in.
        login: String,
        /// Their first password.
        password: String,
    },
    /// Logs in by this name already.
    Known(String),
}

/// Where the money of an account goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BalanceTarget {
    /// Over the counter.
    Counter(Tender),
    /// Into the account of that number.
    Account(String),
}

/// A meter that takes another one's place; what is empty is as the old one's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its serial number.
    pub serial: String,
    /// Behind which gateway.
    pub gateway: Option<GatewayId>,
    /// Its address on the bus.
    pub unit: Option<u8>,
    pub profile: Option<String>,
}

/// What a person counted of a meter that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What was left in it; for a meter with a wallet inside.
    pub remaining: Option<Fen>,
    /// Where its counter stood.
    pub total: Option<Energy>,
    /// How it is known.
    pub reason: String,
}

/// A meter, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherMeter {
    pub meter: MeterId,
    /// Its serial number.
    pub serial: String,
}

/// What can be done about the account of a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Other meters of the account.
    pub siblings: Vec<OtherMeter>,
    /// Other meters of the room that have no account.
    pub free: Vec<OtherMeter>,
    /// The closing that is under way.
    pub closing: Option<ClosingId>,
    /// The gateways, for a meter that is replaced.
    pub gateways: Vec<(GatewayId, String)>,
}

/// What a closing is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosingKind {
    /// The account ends.
    Close,
    /// It goes on in another room.
    Move,
    /// One of its meters is replaced.
    Replace,
}

/// Why a closing cannot be taken back any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawalRefusal {
    /// A meter was told to close.
    Told,
    /// A meter has ended.
    Read,
    /// The account in the new room has begun.
    Arrived,
}

/// What a new meter was told so that it is set as the old one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where it can be followed, and tried again.
    pub batch: BatchId,
    pub issue: Issue,
    /// Where it stands.
    pub state: CommandState,
}

/// A closing, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub id: ClosingId,
    pub kind: ClosingKind,
    pub room: RoomName,
    /// The account's number.
    pub account: String,
    /// How it is paid out, where it goes over the counter.
    pub tender: Option<Tender>,
    /// The number of the account that it goes into.
    pub to_account: Option<String>,
    /// The meter that it goes into.
    pub to_meter: Option<MeterId>,
    pub reason: String,
    pub by: String,
    pub begun_at: Timestamp,
    /// When the last of its meters was read.
    pub read_at: Option<Timestamp>,
    /// When the money was where it belongs.
    pub ended_at: Option<Timestamp>,
    /// The return, and where it stands.
    pub returned: Option<(ReturnId, ReturnState)>,
    /// The order that carries it on, and where it stands.
    pub carried: Option<(OrderId, OrderState)>,
    pub meters: Vec<ClosingMeter>,
    /// Who took it back.
    pub withdrawn_by: Option<String>,
    /// Whether the account in the new room has begun.
    pub arrived: bool,
    /// What the old meter's parameters were when last read, where a new one is to be set like it.
    pub parameters: Option<(Parameters, Timestamp)>,
    /// What the new meter was told with its installation.
    pub settings: Vec<Setting>,
    /// Purchases that could not reach their meter and wait for a person.
    pub undeliverable: Vec<UndeliverableOrder>,
    /// The gateways, for a meter that is replaced.
    pub gateways: Vec<(GatewayId, String)>,
}

impl Closing {
    /// What was left in its meters so far.
    #[must_use]
    pub fn left(&self) -> Fen {
        self.meters.iter().filter_map(|meter| meter.left).sum()
    }

    /// Why it cannot be taken back (any more); `None` where it can.
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

    /// Whether the credit is in the meter itself.
    #[must_use]
    pub fn own_wallet(&self) -> bool {
        self.meters.iter().any(|meter| meter.own_wallet)
    }

    /// Whether the new meter will count its tier use from nothing though tiers are in force, for all that is known.
    #[must_use]
    pub fn loses_tiers(&self) -> bool {
        self.own_wallet() && self.parameters.as_ref().is_none_or(|(known, _)| known.tiers.period != TierPeriod::None)
    }

    /// Whether a new meter is to be put in place.
    #[must_use]
    pub fn waits_for_meter(&self) -> bool {
        self.kind == ClosingKind::Replace && self.read_at.is_some() && self.ended_at.is_none()
    }

    /// Whether a person may decide where the money goes: nothing is on its way, or what was came to nothing.
    #[must_use]
    pub fn may_decide(&self) -> bool {
        let open = self.read_at.is_some() && self.ended_at.is_none();
        open && self.returned.is_none_or(|(_, state)| !matches!(state, ReturnState::Taken | ReturnState::Done))
    }

    /// Whether something goes on by itself, in meters also after its end.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        let coming = self.carried.is_some_and(|(_, state)| state == OrderState::Paid);
        let telling = self.settings.iter().any(|one| !one.state.is_final());
        self.read_at.is_none() || (self.ended_at.is_none() && !self.waits_for_meter()) || coming || telling
    }
}

/// A meter of a closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingMeter {
    pub meter: MeterId,
    /// Its serial number.
    pub serial: String,
    /// Whether its credit is inside.
    pub own_wallet: bool,
    /// Where its `close` stands.
    pub command: Option<CommandState>,
    pub reason: Option<crate::command::CommandReason>,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// Since when the meter does not answer.
    pub lost_since: Option<Timestamp>,
    /// When it ended.
    pub final_at: Option<Timestamp>,
    /// What was left.
    pub left: Option<Fen>,
    /// What was written off; negative where it was overdrawn.
    pub written_off: Option<Money>,
    /// Where its counter stood.
    pub total: Option<Energy>,
    /// Who counted it, and how they knew.
    pub counted: Option<(String, String)>,
}

/// A purchase that could not reach its meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndeliverableOrder {
    pub order: OrderId,
    pub number: i64,
    pub amount: Fen,
    /// How it was paid.
    pub tender: Tender,
    pub at: Timestamp,
}
