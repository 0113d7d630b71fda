//! A DL/T 645-2007 meter as data: which data identifiers it answers, and what their digits mean.

use serde::Deserialize;

use super::field::Field;
use super::value::{Flag, Step};
use crate::dlt645::Switch;

/// What is asked of a DL/T 645 meter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dlt645 {
    /// The items of a reading, in the order in which they are asked.
    #[serde(rename = "item")]
    pub items: Vec<Item>,
    /// The daily freeze.
    pub freeze: Option<DailyFreeze>,
    /// The control codes of the relay.
    pub relay: Option<RelayCodes>,
}

impl Dlt645 {
    /// The identifiers of date and time of day: where a meter shows them, they can be set.
    #[must_use]
    pub fn clock(&self) -> Option<[u32; 2]> {
        let of = |field| self.items.iter().find(|item| item.field == field).map(|item| item.di);
        Some([of(Field::Date)?, of(Field::Time)?])
    }
}

/// A data identifier, and what stands in its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// DI3 to DI0, as `0x00010000`.
    pub di: u32,
    /// What it means.
    pub field: Field,
    /// Bytes of the answer before it, for an answer that holds more than one value.
    #[serde(default)]
    pub offset: u8,
    /// Digits: two a byte, low byte first.
    pub digits: u8,
    /// How they are written.
    #[serde(rename = "type", default)]
    pub form: Form,
    /// The highest bit is a sign.
    #[serde(default)]
    pub signed: bool,
    /// Our units in one of the last digit.
    #[serde(default)]
    pub step: Step,
    /// How a state is told from the number.
    pub flag: Option<Flag>,
}

/// How digits are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    #[default]
    Bcd,
    Binary,
    /// `YYMMDDWW`, with the day of the week.
    Date,
    /// `hhmmss`.
    Time,
}

/// The total at each midnight; the last byte of each identifier counts the days back, 1 for the newest.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyFreeze {
    /// The identifier of the newest's time, `YYMMDDhhmm`.
    pub when: u32,
    /// The identifier of the newest's counter.
    pub di: u32,
    /// How many days it keeps.
    pub days: u8,
    /// Digits of the total.
    pub digits: u8,
    /// Wh in one of the last digit.
    pub step: Step,
}

/// What control code 1C says.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayCodes {
    pub open: Switch,
    /// To close: at once, or permitting it, where the resident presses a key.
    pub close: Switch,
}
