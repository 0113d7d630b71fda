//! A meter model as data: where its values stand, what they mean, and what it can do. `profiles/README.md` says how to write one.

mod check;
pub mod dlt645;
mod field;
mod load;

#[cfg(test)]
mod shipped;
mod table;
mod time_of_use;
mod value;

use domain::classify::{Counter, MOST_W, MOST_W_OF_A_BUILDING};
use model::energy::Energy;
use model::meter::Wallet;
use serde::Deserialize;

pub use dlt645::Dlt645;
pub use field::Field;
pub use load::{Problem, ProfileError, Profiles};
pub use table::Table;
pub use time_of_use::TimeOfUse;
pub use value::{Flag, Kind, Step, Value, WordOrder};

use super::planner::Plan;

/// A meter model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What `meters.profile` names.
    pub name: String,
    /// What people read.
    pub title: String,
    /// Where the facts come from, with revision.
    pub source: Vec<String>,
    /// What nobody could confirm; shown by `dormwatt check`.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// What it speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// The most registers one read may ask for.
    #[serde(default = "most_registers")]
    pub max_registers: u16,
    /// Which word of a number comes first.
    #[serde(default)]
    pub word_order: WordOrder,
    /// The energy at which the counter begins again at zero, Wh, where that is known.
    pub wraps_wh: Option<i64>,
    /// The most that can flow through it, W, all phases: what tells a jump of its counter from use. Not given: one phase of 60 A,
    /// or 1 MW for an instrument.
    pub most_w: Option<i64>,
    /// What the meter can do.
    pub abilities: Abilities,
    /// Ranges of registers that may be read across.
    #[serde(rename = "block", default)]
    pub blocks: Vec<Block>,
    /// How its relay is switched by plain registers.
    pub relay: Option<Relay>,
    /// Its time-of-use tables, where they stand in plain registers.
    pub time_of_use: Option<TimeOfUse>,
    /// Its values at each midnight.
    pub freeze: Option<Table>,
    #[serde(rename = "journal", default)]
    pub journals: Vec<Table>,
    /// How secured frames are written, for a wallet in the meter.
    pub secured: Option<Secured>,
    /// The items of a DL/T 645 meter.
    pub dlt645: Option<Dlt645>,
    /// The requests of a reading; made of the rest when the profile is read.
    #[serde(skip)]
    pub plan: Plan,
}

const fn most_registers() -> u16 {
    125
}

/// What a meter speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Modbus, in whichever framing its gateway has.
    #[default]
    Modbus,
    /// DL/T 645-2007, behind a transparent gateway.
    Dlt645,
}

/// What a meter can do.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abilities {
    /// Where its credit lives: `meter`, `server`, or `none` for an instrument.
    pub wallet: Wallet,
    /// It can switch.
    #[serde(default)]
    pub relay: bool,
    /// Time-of-use rates that it counts apart.
    #[serde(default)]
    pub rates: u8,
    /// It keeps a journal of money or relay.
    #[serde(default)]
    pub journal: bool,
    /// It keeps midnight values.
    #[serde(default)]
    pub freeze: bool,
    /// It says who it is, so that another meter's answer cannot be taken for its own.
    #[serde(default)]
    pub serial: bool,
}

/// Modbus keeps two kinds of registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Function 03, numbered 4xxxx.
    #[default]
    Holding,
    /// Function 04, numbered 3xxxx.
    Input,
}

/// What may be done with registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    #[default]
    R,
    /// Write, with function 16.
    W,
    Rw,
}

/// Registers that may be read across.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    #[serde(default)]
    pub area: Area,
    /// The first register.
    pub address: u16,
    pub registers: u16,
    /// What may be done with them.
    #[serde(default)]
    pub access: Access,
    /// They only mean something together, so they are always read whole.
    #[serde(default)]
    pub atomic: bool,
    /// What they mean.
    #[serde(default)]
    pub values: Vec<Value>,
}

impl Block {
    /// The register after the last.
    #[must_use]
    pub fn end(&self) -> u32 {
        u32::from(self.address) + u32::from(self.registers)
    }
}

/// One request for registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// Of which area.
    pub area: Area,
    pub address: u16,
    pub count: u16,
}

/// How a relay is switched: one function-16 write. Its state is a value `relay_closed` of a block.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// The first register.
    pub address: u16,
    /// What opens it.
    pub open: Vec<u16>,
    /// What closes it.
    pub close: Vec<u16>,
    /// What gives it back to the meter's own judgement, where it has one.
    pub release: Option<Vec<u16>>,
}

/// How secured frames are written, and where their effect is read back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secured {
    /// Where a frame is written.
    pub address: u16,
    /// Which versions, by the bit of `accepts` that announces each.
    pub versions: Vec<FrameBit>,
    /// Where settings are read back.
    pub read_back: ReadBack,
}

/// A frame version and its bit in `accepts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameBit {
    /// 1 (TDES) or 2 (AES).
    pub version: u8,
    /// 0-15.
    pub bit: u8,
}

/// Where the fields of a settings command stand after it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Alarm, overdraft, hoarding and overload limits.
    pub limits: u16,
    /// Prices in force.
    pub prices: u16,
    pub tiers: u16,
    pub standby_prices: u16,
    /// When the standby prices come into force.
    pub switch_over: u16,
    pub date_plan: u16,
    /// Day tables 1 and 2.
    pub day_tables: [u16; 2],
}

impl Profile {
    /// Whether a reading gives this field.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        let among_items = || self.dlt645.iter().flat_map(|dlt645| &dlt645.items).any(|item| item.field == field);
        self.values().any(|value| value.field == field) || among_items()
    }

    /// The values of all blocks that can be read.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.readable().flat_map(|block| &block.values)
    }

    /// The blocks that can be read.
    pub fn readable(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.access != Access::W)
    }
}

impl Profile {
    /// What its counter can show and what can pass through it. A counter whose end is not known is not taken to have passed it; an
    /// instrument may stand at the head of a building.
    #[must_use]
    pub fn counter(&self) -> Counter {
        let most = if self.abilities.wallet == Wallet::None { MOST_W_OF_A_BUILDING } else { MOST_W };
        Counter { wrap: Energy(self.wraps_wh.unwrap_or(0)), per_hour: Energy(self.most_w.unwrap_or(most)) }
    }
}
