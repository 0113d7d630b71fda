//! Batches of commands, as the console shows them.

use serde::{Deserialize, Serialize};

use super::RoomName;
use crate::command::CommandReason;
use crate::ids::{BatchId, MeterId, PlaceId};
use crate::issue::{Issue, Kind};
use crate::meter::SupplyState;
use crate::order::CommandState;
use crate::time::Timestamp;

/// The most characters of a list of rooms.
pub const ROOMS_MAX: usize = 20_000;

/// Which meters are meant. Without places, rooms and a meter: all that the operator may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub meter: Option<MeterId>,
    /// Buildings, and floors of a building by name (empty: the whole building).
    pub places: Vec<(PlaceId, String)>,
    /// Only those in this state.
    pub state: Option<SupplyState>,
    /// Rooms as people write them, one a line.
    pub rooms: String,
    /// Those that do not answer are told when they answer again.
    pub lost: bool,
}

impl Target {
    /// The address's words for it: `meter`, `place` (several), `state`, `rooms`, `lost`.
    #[must_use]
    pub fn parse(meter: &str, places: &[String], state: &str, rooms: &str, lost: &str) -> Self {
        let place = |text: &String| {
            let (id, floor) = text.split_once(':').unwrap_or((text, ""));
            Some((id.parse().ok()?, floor.to_owned()))
        };
        Self {
            meter: meter.parse().ok(),
            places: places.iter().filter_map(place).collect(),
            state: state.parse().ok().map(SupplyState::from_code).filter(|_| !state.is_empty()),
            rooms: rooms.chars().take(ROOMS_MAX).collect(),
            lost: lost == "1",
        }
    }
}

/// A building and its floors, to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Building {
    pub id: PlaceId,
    pub name: String,
    /// Its floors and how many meters each has.
    pub floors: Vec<(String, usize)>,
}

/// Why a meter is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// It does not answer.
    Lost,
    /// Its model cannot do it.
    Ability,
    /// No account is open.
    NotOpen,
}

/// What would be told to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Which meters, by place.
    pub meters: Vec<(MeterId, RoomName)>,
    /// Which not, and why.
    pub left_out: Vec<(RoomName, LeftOut)>,
    /// Lines of the list that name no room, or several.
    pub unknown: Vec<String>,
    /// Stands for exactly these meters: what is confirmed is what was shown.
    pub seal: String,
}

/// What the batches are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchQuery {
    pub kind: Option<Kind>,
    /// `moving`, `failed`, or empty for all.
    pub state: String,
    /// Counted from 0.
    pub page: i64,
}

/// How many meters of a batch stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCounts {
    pub meters: i64,
    pub done: i64,
    /// Not sent yet.
    pub waiting: i64,
    /// Sent, not read back yet.
    pub sending: i64,
    /// Refused, or not reached.
    pub failed: i64,
    /// Taken back or overtaken by a newer wish.
    pub dropped: i64,
    /// The planned prices are not in force.
    pub missed: i64,
}

impl BatchCounts {
    /// Whether something is still on its way.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.waiting > 0 || self.sending > 0
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    /// What was told.
    pub issue: Issue,
    pub by: String,
    pub decided_at: Timestamp,
    /// How far it is.
    pub counts: BatchCounts,
}

/// A meter of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItem {
    pub meter: MeterId,
    /// Where it is.
    pub room: RoomName,
    pub state: CommandState,
    /// Why it waits, failed, or was given up.
    pub reason: Option<CommandReason>,
    /// When it was decided, the last time.
    pub decided_at: Timestamp,
    /// When its first byte left.
    pub sent_at: Option<Timestamp>,
    /// When it was read back, or ended otherwise.
    pub finished_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_at: Timestamp,
    /// How often it was sent.
    pub attempts: i64,
    /// Since when the meter does not answer.
    pub lost_since: Option<Timestamp>,
    /// For planned prices: how the look stands whether they are in force.
    pub in_force: Option<CommandState>,
}

/// A batch as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    pub batch: Batch,
    /// A page of its meters.
    pub items: Vec<BatchItem>,
    /// Meters that the filter leaves.
    pub total: i64,
    /// The server's time.
    pub at: Timestamp,
}

/// A meter that missed a price switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub meter: MeterId,
    /// By which batch.
    pub batch: BatchId,
    /// Where it is.
    pub room: RoomName,
    /// What should be in force, 0.0001 yuan/kWh.
    pub prices: [u32; 4],
    pub at: Timestamp,
    /// Whether it holds the planned prices.
    pub loaded: bool,
    /// Whether it was seen to charge others.
    pub failed: bool,
    /// Since when it does not answer.
    pub lost_since: Option<Timestamp>,
    /// When it was looked at.
    pub looked_at: Option<Timestamp>,
}
