//! View types of command batches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RoomName;
use crate::command::CommandReason;
use crate::defaults::DefaultsOf;
use crate::ids::{BatchId, MeterId, PlaceGroupId, PlaceId, Uuid};
use crate::issue::{Issue, Kind};
use crate::meter::SupplyState;
use crate::order::CommandState;
use crate::parameters::Limits;
use crate::time::Timestamp;
use crate::word_enum;

/// Longest list of rooms, characters.
pub const ROOMS_MAX: usize = 20_000;
/// The most rooms of such a list.
pub const ROOM_LINES_MAX: usize = 1_000;

/// The value of a place parameter that names a group begins with it.
const GROUP: &str = "group:";
/// The value of a place parameter that names a meter profile begins with it.
const PROFILE: &str = "profile:";
/// What selects all meters in queries.
pub const EVERYWHERE: &str = "all";

/// What meters should have, to select those that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// These limits, at the meters of a place or group that should have them by the default parameters of their rooms.
    Limits { of: DefaultsOf, limits: Limits },
    /// What the price plan says, at the meters to which it applies. `table` is the day table of a command that sets one; else 0.
    Prices { plan: Uuid, table: u8 },
}

/// The value of a parameter that names a price plan begins with it.
const PLAN: &str = "plan:";
/// The value of a parameter that names limits, fen and W, begins with it.
const LIMITS: &str = "limits:";

fn limits(text: &str) -> Option<Differs> {
    let (values, of) = text.strip_prefix(LIMITS)?.split_once(':')?;
    let mut values = values.split(',').map(|value| value.parse::<u32>().ok());
    let mut next = || values.next().flatten();
    let (alarm1, alarm2, overdraft, hoarding) = (next()?, next()?, next()?, next()?);
    let limits = Limits { alarm1, alarm2, overdraft, hoarding, overload_w: next()?.try_into().ok()? };
    Some(Differs::Limits { of: of.parse().ok()?, limits })
}

impl FromStr for Differs {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let Some(rest) = text.strip_prefix(PLAN) else { return limits(text).ok_or(NoTarget) };
        let (plan, table) = rest.split_once(':').ok_or(NoTarget)?;
        let table = table.parse().ok().filter(|table| *table <= 2).ok_or(NoTarget)?;
        Ok(Self::Prices { plan: Uuid::parse_str(plan).map_err(|_| NoTarget)?, table })
    }
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limits { of, limits: Limits { alarm1, alarm2, overdraft, hoarding, overload_w } } => {
                write!(f, "{LIMITS}{alarm1},{alarm2},{overdraft},{hoarding},{overload_w}:{of}")
            }
            Self::Prices { plan, table } => write!(f, "{PLAN}{plan}:{table}"),
        }
    }
}

/// The value of a place parameter that stands for what the wall shows begins with it.
const WALL: &str = "wall:";

/// What the meter wall shows under a filter: the words of its chips, joined by dots, and its search text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownOnWall {
    pub show: String,
    pub text: String,
}

impl fmt::Display for ShownOnWall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WALL}{}:", self.show)?;
        // Places are joined by commas in forms.
        for sign in self.text.chars() {
            match sign {
                '%' => f.write_str("%25")?,
                ',' => f.write_str("%2C")?,
                sign => write!(f, "{sign}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for ShownOnWall {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let (show, text) = text.strip_prefix(WALL).and_then(|rest| rest.split_once(':')).ok_or(NoTarget)?;
        let is_short = show.len() <= 200 && text.chars().count() <= 200;
        let text = text.replace("%2C", ",").replace("%25", "%");
        if is_short { Ok(Self { show: show.to_owned(), text }) } else { Err(NoTarget) }
    }
}

/// The text names no such selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTarget;

/// Selection of meters. Where it names nothing, it selects none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub meter: Option<MeterId>,
    /// All that the operator may see.
    pub everywhere: bool,
    /// Buildings, and floors of a building by name (empty: the whole building).
    pub places: Vec<(PlaceId, String)>,
    pub groups: Vec<PlaceGroupId>,
    /// What the wall shows.
    pub shown: Vec<ShownOnWall>,
    /// Only meters of this profile.
    pub profile: Option<String>,
    /// Only meters in this state.
    pub state: Option<SupplyState>,
    /// Rooms, one a line.
    pub rooms: String,
    /// Only meters that were last read with other values than they should have.
    pub differs: Option<Differs>,
    /// Also lost meters; they get the command when they answer again.
    pub lost: bool,
}

impl Target {
    /// Whether it names no meter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let named = self.meter.is_some() || self.everywhere || self.differs.is_some();
        !named && self.places.is_empty() && self.groups.is_empty() && self.shown.is_empty() && self.rooms.trim().is_empty()
    }

    /// From query parameters: `meter`, `place` (repeated; `all`, `<building>`, `<building>:<floor>`,
    /// `group:<group>`, [`ShownOnWall`] or [`Self::place_of_profile`]), `state`, `rooms`, `lost`; not [`Self::differs`].
    #[must_use]
    pub fn parse(meter: &str, places: &[String], state: Option<SupplyState>, rooms: &str, lost: &str) -> Self {
        let place = |text: &String| {
            let (id, floor) = text.split_once(':').unwrap_or((text, ""));
            Some((id.parse().ok()?, floor.to_owned()))
        };
        Self {
            meter: meter.parse().ok(),
            everywhere: places.iter().any(|text| text == EVERYWHERE),
            places: places.iter().filter_map(place).collect(),
            shown: places.iter().filter_map(|text| text.parse().ok()).collect(),
            groups: places.iter().filter_map(|text| text.strip_prefix(GROUP)?.parse().ok()).collect(),
            profile: places.iter().find_map(|text| Some(text.strip_prefix(PROFILE)?.to_owned())),
            state,
            rooms: rooms.chars().take(ROOMS_MAX).collect(),
            differs: None,
            lost: lost == "1",
        }
    }

    /// The value of a place parameter beside others, of which it leaves only the meters of a profile.
    #[must_use]
    pub fn place_of_profile(profile: &str) -> String {
        format!("{PROFILE}{profile}")
    }
}

/// A building and its floors, to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Building {
    pub id: PlaceId,
    pub name: String,
    /// Floors with their numbers of meters.
    pub floors: Vec<(String, usize)>,
}

/// Why a meter is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// It is lost.
    Lost,
    /// Its profile does not support it.
    Ability,
    /// No account is open.
    NotOpen,
}

/// Preview of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub meters: Vec<(MeterId, RoomName)>,
    pub left_out: Vec<(RoomName, LeftOut)>,
    /// Lines that match no room or several.
    pub unknown: Vec<String>,
    /// Digest of exactly these meters, so that the confirmation applies to what was shown.
    pub seal: String,
}

word_enum! {
    /// Which batches, or which meters of a batch, a list shows.
    pub enum BatchFilter {
        /// With commands that are queued or sent.
        Moving = "moving",
        /// With commands that failed.
        Failed = "failed",
        /// With commands that were read back; only for the meters of a batch.
        Done = "done",
    }
}

/// The filter of the batches; what is left out matches everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchQuery {
    pub kind: Option<Kind>,
    pub filter: Option<BatchFilter>,
    /// Counted from 0.
    pub page: i64,
}

/// Numbers of meters of a batch by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCounts {
    pub meters: i64,
    pub done: i64,
    /// Not sent yet.
    pub waiting: i64,
    /// Sent, not yet read back.
    pub sending: i64,
    /// Refused or not reached.
    pub failed: i64,
    /// Cancelled, or replaced by a newer command.
    pub dropped: i64,
    /// Planned prices not in force.
    pub missed: i64,
}

impl BatchCounts {
    /// Whether a command is still in progress.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.waiting > 0 || self.sending > 0
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    pub issue: Issue,
    pub by: String,
    pub decided_at: Timestamp,
    pub counts: BatchCounts,
}

/// A meter of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItem {
    pub meter: MeterId,
    pub room: RoomName,
    pub state: CommandState,
    /// Why it waits, failed or was cancelled.
    pub reason: Option<CommandReason>,
    pub decided_at: Timestamp,
    /// When its first frame was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was read back or ended.
    pub finished_at: Option<Timestamp>,
    /// Time of the next attempt.
    pub next_at: Timestamp,
    /// Number of frames sent.
    pub attempts: i64,
    /// For planned prices: state of the check whether they are in force.
    pub in_force: Option<CommandState>,
}

/// The batch page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    pub batch: Batch,
    /// A page of its meters.
    pub items: Vec<BatchItem>,
    /// Number of meters that match the filter.
    pub total: i64,
    pub at: Timestamp,
}

/// A meter that did not switch to the planned prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedSwitch {
    pub meter: MeterId,
    /// Batch that planned the prices.
    pub batch: BatchId,
    pub room: RoomName,
    /// Planned prices, 0.0001 yuan/kWh.
    pub prices: [u32; 4],
    pub at: Timestamp,
    pub loaded: bool,
    /// Whether it was observed to charge other prices.
    pub failed: bool,
    /// Since when nothing readable came from it.
    pub lost_since: Option<Timestamp>,
    /// Whether it answers, but cannot be read.
    pub unreadable: bool,
    /// Time of the check.
    pub looked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_restricts_a_target_and_selects_nothing() {
        let alone = [Target::place_of_profile("dlt645")];
        let target = Target::parse("", &alone, None, "", "");
        assert_eq!(target.profile.as_deref(), Some("dlt645"));
        assert!(target.is_empty() && target.places.is_empty() && target.shown.is_empty());
    }

    #[test]
    fn selections_of_meters_that_differ_go_round() {
        let id = Uuid::from_u128(7);
        let limits = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 50_000, overload_w: 1_800 };
        for one in [
            Differs::Limits { of: DefaultsOf::Place(PlaceId(id)), limits },
            Differs::Limits { of: DefaultsOf::Group(PlaceGroupId(id)), limits },
            Differs::Prices { plan: id, table: 0 },
            Differs::Prices { plan: id, table: 2 },
        ] {
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        for text in ["", "plan:", "plan:x:1", "plan:00000000-0000-0000-0000-000000000007", "x", "limits:1,2:x"] {
            assert_eq!(text.parse::<Differs>(), Err(NoTarget), "{text}");
        }
        assert_eq!(format!("plan:{id}:3").parse::<Differs>(), Err(NoTarget));
    }
}
