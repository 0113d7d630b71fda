//! Messages of the live wall: every room once, then only changes.

mod message;

use serde::{Deserialize, Serialize};

use message::Message;

use super::ids::MeterId;
use super::meter::{ControlMode, Latest, StatusWord, SupplyState};

/// Content of a tile, in 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// State and flags.
    pub flags: Flags,
    /// Remaining amount in fen.
    pub remaining: i32,
    /// Active power, W.
    pub power_w: i32,
    /// Time of the reading, epoch seconds; 0 for never.
    pub observed_s: u32,
    /// When it was lost, epoch seconds; 0 while it answers.
    pub lost_s: u32,
}

/// State and flags, packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u16);

const GUARANTEED: u16 = 1 << 3;
const FORCED_OFF: u16 = 1 << 4;
const RELAY_OPEN: u16 = 1 << 5;
const SWITCHED_OFF: u16 = 1 << 6;
const RELAY_UNSEEN: u16 = 1 << 7;

/// Why somebody should look after a meter, other than its credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// It tripped because too much power was drawn.
    Overload,
    /// It tripped because of a prohibited load.
    Malignant,
    CoverOpen,
    /// The relay does not stand where it should.
    RelayFault,
    /// Energy flows backwards.
    Reverse,
}

impl Attention {
    pub const ALL: [Self; 5] = [Self::Overload, Self::Malignant, Self::CoverOpen, Self::RelayFault, Self::Reverse];
    const MASK: u16 = 0b1_1111 << 8;

    const fn bit(self) -> u16 {
        1 << (8 + self as u16)
    }

    const fn is_in(self, status: StatusWord) -> bool {
        match self {
            Self::Overload => status.tripped_overload(),
            Self::Malignant => status.tripped_malignant(),
            Self::CoverOpen => status.cover_open(),
            Self::RelayFault => status.relay_fault(),
            Self::Reverse => status.reverse_energy(),
        }
    }
}

impl Flags {
    /// From the last known state of a meter.
    #[must_use]
    pub fn of(latest: &Latest) -> Self {
        let status = latest.status;
        let mut bits = latest.state() as u16;
        bits |= match status.mode() {
            ControlMode::Prepaid => 0,
            ControlMode::Guaranteed => GUARANTEED,
            ControlMode::ForcedOff => FORCED_OFF,
        };
        // A meter that was never read has no relay to speak of.
        if !status.relay_closed() && !status.relay_unseen() && latest.observed_at.is_some() {
            bits |= RELAY_OPEN;
        }
        if status.user_switch_off() {
            bits |= SWITCHED_OFF;
        }
        bits |= Attention::ALL.into_iter().filter(|reason| reason.is_in(status)).map(Attention::bit).sum::<u16>();
        if status.relay_unseen() {
            bits |= RELAY_UNSEEN;
        }
        Self(bits)
    }

    #[must_use]
    pub const fn state(self) -> SupplyState {
        SupplyState::from_code((self.0 & 0b111) as u8)
    }

    #[must_use]
    pub const fn mode(self) -> ControlMode {
        if self.0 & FORCED_OFF != 0 {
            ControlMode::ForcedOff
        } else if self.0 & GUARANTEED != 0 {
            ControlMode::Guaranteed
        } else {
            ControlMode::Prepaid
        }
    }

    /// The relay was observed open.
    #[must_use]
    pub const fn relay_open(self) -> bool {
        self.0 & RELAY_OPEN != 0
    }

    /// The relay position is unknown, or there is no relay.
    #[must_use]
    pub const fn relay_unseen(self) -> bool {
        self.0 & RELAY_UNSEEN != 0
    }

    /// The resident has switched the room off.
    #[must_use]
    pub const fn switched_off(self) -> bool {
        self.0 & SWITCHED_OFF != 0
    }

    /// Needs attention, for any reason.
    #[must_use]
    pub const fn attention(self) -> bool {
        self.0 & Attention::MASK != 0
    }

    /// Needs attention for this reason.
    #[must_use]
    pub const fn has(self, reason: Attention) -> bool {
        self.0 & reason.bit() != 0
    }
}

impl Tile {
    /// A tile without a reading.
    pub const UNSEEN: Self = Self { flags: Flags(SupplyState::Lost as u16), remaining: 0, power_w: 0, observed_s: 0, lost_s: 0 };

    /// Numbers per tile in a flat list.
    pub const WIDTH: usize = 5;

    /// From the last known state of a meter.
    #[must_use]
    pub fn of(latest: &Latest) -> Self {
        let seconds = |at: Option<super::time::Timestamp>| at.map_or(0, |at| u32::try_from(at.0 / 1_000).unwrap_or(0));
        let fen = latest.remaining.0.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        Self {
            flags: Flags::of(latest),
            remaining: i32::try_from(fen).unwrap_or(0),
            power_w: latest.power_w.unwrap_or(0),
            observed_s: seconds(latest.observed_at),
            lost_s: seconds(latest.lost_since),
        }
    }

    /// Start of the present state: lost since, or time of the reading; 0 if never read.
    #[must_use]
    pub const fn since_s(self) -> u32 {
        if self.lost_s != 0 { self.lost_s } else { self.observed_s }
    }

    /// The tile as numbers.
    #[must_use]
    pub fn numbers(self) -> [i64; Self::WIDTH] {
        [
            i64::from(self.flags.0),
            i64::from(self.remaining),
            i64::from(self.power_w),
            i64::from(self.observed_s),
            i64::from(self.lost_s),
        ]
    }

    /// From its numbers; `None` if invalid.
    #[must_use]
    pub fn from_numbers(numbers: &[i64]) -> Option<Self> {
        let &[flags, remaining, power_w, observed, lost] = numbers else { return None };
        Some(Self {
            flags: Flags(u16::try_from(flags).ok()?),
            remaining: i32::try_from(remaining).ok()?,
            power_w: i32::try_from(power_w).ok()?,
            observed_s: u32::try_from(observed).ok()?,
            lost_s: u32::try_from(lost).ok()?,
        })
    }
}

/// A building on the wall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Building {
    /// How a selection names it: its id.
    pub place: String,
    pub name: String,
    pub floors: Vec<Floor>,
}

/// A floor (or unit): one row of tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    pub name: String,
    /// Room name and meter, in order.
    pub rooms: Vec<(String, MeterId)>,
}

/// What the meters of a set have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    Gateway,
    Profile,
    /// A free group of places.
    Group,
}

/// Meters that belong together in another way than by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub kind: SetKind,
    pub name: String,
    /// Indices of their tiles, ascending.
    pub tiles: Vec<i64>,
}

/// The wall of one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Message", into = "Message")]
pub struct Snapshot {
    pub revision: u64,
    /// The server's time, epoch ms; ages are counted against it, not against the browser's clock.
    pub at: i64,
    /// Places of the meters; tiles are indexed in this order.
    pub buildings: Vec<Building>,
    /// Gateways, profiles and groups, each kind by name.
    pub sets: Vec<Set>,
    /// [`Tile::WIDTH`] numbers a meter.
    pub tiles: Vec<i64>,
}

/// Changes since the previous revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Message", into = "Message")]
pub struct Delta {
    /// Revision after the change.
    pub revision: u64,
    /// The server's time, epoch ms.
    pub at: i64,
    /// Index and [`Tile::WIDTH`] numbers a changed meter.
    pub tiles: Vec<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Fen;
    use crate::time::Timestamp;

    #[test]
    fn a_tile_goes_over_the_wire_unchanged() {
        let latest = Latest {
            observed_at: Some(Timestamp(1_795_600_000_123)),
            status: StatusWord(0b1_0100_0010),
            remaining: Fen(-1_234),
            power_w: Some(-7),
            ..Latest::unseen(MeterId(uuid::Uuid::nil()))
        };
        let tile = Tile::of(&latest);
        assert_eq!(Tile::from_numbers(&tile.numbers()), Some(tile));
        assert_eq!(tile.flags.state(), SupplyState::Arrears);
        assert_eq!(tile.flags.mode(), ControlMode::Guaranteed);
        assert!(tile.flags.relay_open() && tile.flags.switched_off());
        assert_eq!(tile.since_s(), 1_795_600_000);
    }

    #[test]
    fn a_tile_says_why_it_needs_attention() {
        let bits = [5, 11, 10, 12, 9];
        for (bit, reason) in bits.into_iter().zip(Attention::ALL) {
            let latest = Latest { status: StatusWord(1 << bit), ..Latest::unseen(MeterId(uuid::Uuid::nil())) };
            let flags = Flags::of(&latest);
            assert!(flags.attention());
            assert_eq!(Attention::ALL.map(|one| flags.has(one)), Attention::ALL.map(|one| one == reason));
        }
    }

    #[test]
    fn what_is_no_tile_is_refused() {
        for numbers in [&[][..], &[0; 4], &[0; 6], &[-1, 0, 0, 0, 0], &[0, i64::MAX, 0, 0, 0], &[0, 0, 0, -1, 0]] {
            assert_eq!(Tile::from_numbers(numbers), None);
        }
    }

    #[test]
    fn a_meter_never_read_is_lost_and_shows_no_relay() {
        let tile = Tile::of(&Latest::unseen(MeterId(uuid::Uuid::nil())));
        assert_eq!(tile, Tile::UNSEEN);
    }
}
