//! A meter model as data: where its values are, what they mean, and what it can do. The format is described in
//! `profiles/README.md`.

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
pub use field::{FieldSet, MeterField};
pub(crate) use load::toml_files;
pub use load::{ProfileError, ProfileProblem, Profiles};
pub use table::Table;
pub use time_of_use::TimeOfUse;
pub use value::{Flag, Step, Value, ValueType, WordOrder};

use super::planner::Plan;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Referenced by `meters.profile`.
    pub name: String,
    pub title: String,
    /// Sources of the facts, with revision.
    pub source: Vec<String>,
    /// Facts that could not be confirmed; printed by `dormwatt check`.
    #[serde(default)]
    pub unknown: Vec<String>,
    #[serde(default)]
    pub protocol: Protocol,
    /// The most registers that one read may request.
    #[serde(default = "most_registers")]
    pub max_registers: u16,
    /// Word order of multi-register numbers.
    #[serde(default)]
    pub word_order: WordOrder,
    /// The energy at which the counter wraps to zero, Wh, if known.
    pub wraps_wh: Option<i64>,
    /// The most power that can flow through it, W, all phases; a counter that grows faster has jumped. Default: one phase of 60
    /// A, or 1 MW for an instrument.
    pub most_w: Option<i64>,
    pub abilities: Abilities,
    /// Ranges of registers that may be read in one request.
    #[serde(rename = "block", default)]
    pub blocks: Vec<Block>,
    /// How the relay is switched by plain registers.
    pub relay: Option<RelayRegisters>,
    /// Time-of-use tables in plain registers.
    pub time_of_use: Option<TimeOfUse>,
    /// The daily freeze.
    pub freeze: Option<Table>,
    #[serde(rename = "journal", default)]
    pub journals: Vec<Table>,
    /// How secured frames are written, for a meter wallet.
    pub secured: Option<SecuredFrames>,
    /// Data items of a DL/T 645 meter.
    pub dlt645: Option<Dlt645>,
    /// The requests of a reading, planned when the profile is loaded.
    #[serde(skip)]
    pub plan: Plan,
}

const fn most_registers() -> u16 {
    125
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Modbus, in the framing of the gateway.
    #[default]
    Modbus,
    /// DL/T 645-2007, behind a transparent gateway.
    Dlt645,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abilities {
    /// Where the credit lives: `meter`, `server`, or `none` for an instrument.
    pub wallet: Wallet,
    /// The relay can be switched.
    #[serde(default)]
    pub relay: bool,
    /// Number of time-of-use rates counted separately.
    #[serde(default)]
    pub rates: u8,
    /// It keeps a journal of money or relay events.
    #[serde(default)]
    pub journal: bool,
    /// It keeps daily freezes.
    #[serde(default)]
    pub freeze: bool,
    /// It reports its serial number, so that another meter's answer is recognised.
    #[serde(default)]
    pub serial: bool,
}

/// The two kinds of Modbus registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Function 03, numbered 4xxxx.
    #[default]
    Holding,
    /// Function 04, numbered 3xxxx.
    Input,
}

/// Permitted access to registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    #[default]
    R,
    /// Write with function 16.
    W,
    Rw,
}

/// Registers that may be read in one request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    #[serde(default)]
    pub area: Area,
    pub address: u16,
    pub registers: u16,
    #[serde(default)]
    pub access: AccessMode,
    /// The values are only consistent together, so the block is always read whole.
    #[serde(default)]
    pub atomic: bool,
    #[serde(default)]
    pub values: Vec<Value>,
}

impl Block {
    /// The register after the last one.
    #[must_use]
    pub fn end(&self) -> u32 {
        u32::from(self.address) + u32::from(self.registers)
    }
}

/// One read request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadRequest {
    pub area: Area,
    pub address: u16,
    pub count: u16,
}

/// A relay that is switched by one function-16 write. Its state is the value `relay_closed` of a block.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayRegisters {
    pub address: u16,
    /// Words that open it.
    pub open: Vec<u16>,
    /// Words that close it.
    pub close: Vec<u16>,
    /// Words that return control to the meter, if it has a rule of its own.
    pub release: Option<Vec<u16>>,
}

/// How secured frames are written, and where their effect is read back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecuredFrames {
    /// Register to which a frame is written.
    pub address: u16,
    /// Frame versions with the bit of `accepts` that announces each.
    pub versions: Vec<FrameVersionBit>,
    pub read_back: ReadBack,
}

/// A frame version and its bit in `accepts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameVersionBit {
    /// 1 (TDES) or 2 (AES).
    pub version: u8,
    /// 0-15.
    pub bit: u8,
}

/// First registers of the settings, for reading them back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Alarm, overdraft, hoarding and overload limits.
    pub limits: u16,
    /// Prices in force.
    pub prices: u16,
    pub tiers: u16,
    pub standby_prices: u16,
    /// When the standby prices take effect.
    pub switch_over: u16,
    pub date_plan: u16,
    /// Day tables 1 and 2.
    pub day_tables: [u16; 2],
}

impl Profile {
    /// Whether a reading contains this field.
    #[must_use]
    pub fn has(&self, field: MeterField) -> bool {
        let among_items = || self.dlt645.iter().flat_map(|dlt645| &dlt645.items).any(|item| item.field == field);
        self.values().any(|value| value.field == field) || among_items()
    }

    /// The values of all readable blocks.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.readable().flat_map(|block| &block.values)
    }

    /// Where a meter keeps a field, and the field's name: for people who look it up in the manual.
    #[must_use]
    pub fn item(&self, field: MeterField) -> String {
        let of_dlt645 = self.dlt645.as_ref().and_then(|has| has.items.iter().find(|item| item.field == field));
        let place = match of_dlt645 {
            Some(item) => Some(format!("{:08X}", item.di)),
            None => {
                let mut values = self.readable().flat_map(|block| &block.values);
                values.find(|value| value.field == field).map(|value| format!("0x{:04X}", value.address))
            }
        };
        place.map_or_else(|| format!("{field:?}"), |place| format!("{place} {field:?}"))
    }

    /// Whether a reading means nothing without this field: who answers, what is counted, and all of a secured wallet.
    #[must_use]
    pub fn needs(&self, field: MeterField) -> bool {
        matches!(field, MeterField::Serial | MeterField::Total)
            || (self.abilities.wallet == Wallet::Meter && field.is_in(MeterField::WALLET))
    }

    /// The readable blocks.
    pub fn readable(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.access != AccessMode::W)
    }
}

impl Profile {
    /// Limits of the energy counter. A counter of unknown range is assumed not to wrap; an instrument may measure a building.
    #[must_use]
    pub fn counter(&self) -> Counter {
        let most = if self.abilities.wallet == Wallet::None { MOST_W_OF_A_BUILDING } else { MOST_W };
        Counter { wrap: Energy(self.wraps_wh.unwrap_or(0)), per_hour: Energy(self.most_w.unwrap_or(most)) }
    }
}
