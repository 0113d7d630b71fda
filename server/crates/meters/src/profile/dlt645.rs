//! A DL/T 645-2007 meter as data: its data identifiers, and the meaning of their digits.

use serde::Deserialize;

use super::field::MeterField;
use super::value::{Flag, Step};
use crate::dlt645::Switch;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dlt645 {
    /// The items of a reading, in request order.
    #[serde(rename = "item")]
    pub items: Vec<DataItem>,
    pub freeze: Option<DailyFreeze>,
    pub relay: Option<RelayCodes>,
}

impl Dlt645 {
    /// The identifiers of date and time of day. A meter that has them can be set.
    #[must_use]
    pub fn clock(&self) -> Option<[u32; 2]> {
        let of = |field| self.items.iter().find(|item| item.field == field).map(|item| item.di);
        Some([of(MeterField::Date)?, of(MeterField::Time)?])
    }
}

/// A data identifier, and one value of its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataItem {
    /// DI3 to DI0, such as `0x00010000`.
    pub di: u32,
    pub field: MeterField,
    /// Byte offset of the value, for answers with several values.
    #[serde(default)]
    pub offset: u8,
    /// Number of digits: two a byte, low byte first.
    pub digits: u8,
    #[serde(rename = "type", default)]
    pub form: ItemType,
    /// The highest bit is the sign.
    #[serde(default)]
    pub signed: bool,
    /// The server's units in one unit of the last digit.
    #[serde(default)]
    pub step: Step,
    /// How a flag is encoded, for a field with two states.
    pub flag: Option<Flag>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemType {
    #[default]
    Bcd,
    Binary,
    /// `YYMMDDWW`, with the day of the week.
    Date,
    /// `hhmmss`.
    Time,
}

/// The total at each midnight. The last byte of each identifier counts the days back, 1 for the newest.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyFreeze {
    /// Identifier of the newest freeze's time, `YYMMDDhhmm`.
    pub when: u32,
    /// Identifier of the newest freeze's counter.
    pub di: u32,
    /// Number of days kept.
    pub days: u8,
    /// Number of digits of the total.
    pub digits: u8,
    /// Wh in one unit of the last digit.
    pub step: Step,
}

/// Commands of control code 1C.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayCodes {
    pub open: Switch,
    /// Closes at once, or permits closing by the resident's button.
    pub close: Switch,
}
