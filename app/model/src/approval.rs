//! What one operator asks for and another approves.

use serde::{Deserialize, Serialize};

use super::ids::{ApprovalId, MeterId, OrderId, PlaceGroupId, PlaceId, Uuid};
use super::money::Fen;
use super::subsidy::{Month, Per};
use super::tariff::Prices;
use super::time::Timestamp;
use crate::word_enum;

word_enum! {
    /// What a request is for.
    pub enum ApprovalKind {
        Subsidy = "subsidy",
        Prices = "prices",
        PricePlace = "price_place",
        WriteOff = "write_off",
        CloseForeign = "close_foreign",
        Adjustment = "adjustment",
    }

    /// How far a request is.
    pub enum ApprovalState {
        /// Carried out at once: one person may do it alone.
        Alone = "alone",
        Waiting = "waiting",
        Approved = "approved",
        Rejected = "rejected",
        /// By who asked.
        Withdrawn = "withdrawn",
        Expired = "expired",
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The monthly subsidy of the rooms below a place, from a month on; nothing ends it.
    Subsidy { place: PlaceId, from: Month, per: Per, amount: Fen },
    /// A version of a price plan; `None`: in force at once.
    Prices { plan: String, effective_at: Option<Timestamp>, prices: Prices },
    /// The price plan of a place.
    PricePlace { place: PlaceId, plan: Uuid },
    /// The price plan of the places of a group; `None` takes it away.
    PriceGroup { group: PlaceGroupId, plan: Option<Uuid> },
    /// Gives up what was refunded at a channel's console and can no longer be debited.
    WriteOff { order: OrderId },
    /// Closes the account in the meter that the books do not know.
    CloseForeign { meter: MeterId },
    /// Makes the books say what the meter holds.
    Adjustment { meter: MeterId },
}

impl Decision {
    #[must_use]
    pub const fn kind(&self) -> ApprovalKind {
        match self {
            Self::Subsidy { .. } => ApprovalKind::Subsidy,
            Self::Prices { .. } => ApprovalKind::Prices,
            Self::PricePlace { .. } | Self::PriceGroup { .. } => ApprovalKind::PricePlace,
            Self::WriteOff { .. } => ApprovalKind::WriteOff,
            Self::CloseForeign { .. } => ApprovalKind::CloseForeign,
            Self::Adjustment { .. } => ApprovalKind::Adjustment,
        }
    }

    /// What it is about, as in the audit log. Of one kind, one request about it waits at a time.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Subsidy { place, .. } | Self::PricePlace { place, .. } => format!("place:{place}"),
            Self::PriceGroup { group, .. } => format!("group:{group}"),
            Self::Prices { plan, .. } => format!("prices:{plan}"),
            Self::WriteOff { order } => format!("order:{order}"),
            Self::CloseForeign { meter } | Self::Adjustment { meter } => format!("meter:{meter}"),
        }
    }

    /// The meter that must be read before it is asked for, and again before it is carried out.
    #[must_use]
    pub const fn meter(&self) -> Option<MeterId> {
        match self {
            Self::CloseForeign { meter } | Self::Adjustment { meter } => Some(*meter),
            _ => None,
        }
    }
}

/// The state that a request was made on. It is carried out only if nothing of this has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    Subsidy {
        /// The rule of the same place in that month: from when, for each what, how much.
        before: Option<(Month, Per, Fen)>,
        rooms: i64,
    },
    Prices {
        /// The number of the plan's newest version; `None`: a new plan.
        newest: Option<i64>,
    },
    PricePlace {
        /// The plan of the place itself, or of the group.
        before: Option<Uuid>,
        /// The number of the new plan's newest version.
        newest: Option<i64>,
    },
    WriteOff {
        /// What is left to write off.
        left: Fen,
    },
    Meter {
        /// The account that the meter showed.
        number: Option<String>,
        shown: Position,
        /// `None` without an account.
        books: Option<Position>,
    },
}

/// What a meter holds, or should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The key epoch.
    pub epoch: i64,
    /// The purchase count.
    pub count: i64,
    /// Credited minus debited.
    pub cumulative: Fen,
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It waits for a second person.
    Waits,
}

impl Outcome {
    /// The page that shows it: `page`, or what waits for approval.
    #[must_use]
    pub fn page(self, page: &str) -> String {
        match self {
            Self::Done => page.to_owned(),
            Self::Waits => "/approvals".to_owned(),
        }
    }
}

/// The meters that are charged in a place or group, and below, with their prices now and after the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceReach {
    pub changes: Vec<PlanChange>,
}

/// Rooms whose prices are the same now, and the same afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanChange {
    /// The place of the group that they are in; `None` where it is one place, or there are many.
    pub place: Option<String>,
    pub rooms: usize,
    pub meters: usize,
    /// `None`: without a plan.
    pub before: Option<PlanPrices>,
    pub after: Option<PlanPrices>,
}

/// A price plan with its prices in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPrices {
    /// Its name.
    pub plan: String,
    pub prices: Prices,
}

impl PriceReach {
    /// In how many rooms they are, and how many.
    #[must_use]
    pub fn rooms_and_meters(&self) -> (usize, usize) {
        self.changes.iter().fold((0, 0), |(rooms, meters), change| (rooms + change.rooms, meters + change.meters))
    }
}

/// A request that waits for the second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalLine {
    pub id: ApprovalId,
    pub decision: Decision,
    pub basis: Basis,
    /// What it gives away or writes off; of a subsidy in a month.
    pub amount: Fen,
    /// The name of the place, room or group; empty for the whole site.
    pub place: String,
    /// The name of the plan that a place or group is to get.
    pub plan: Option<String>,
    /// Whom that is for.
    pub reach: Option<PriceReach>,
    pub reason: String,
    pub asked_by: String,
    /// Whether that is who looks at it.
    pub mine: bool,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
}
