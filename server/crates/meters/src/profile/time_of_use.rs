//! Time-of-use tables in plain registers: their addresses, and the byte order of their entries.

use serde::Deserialize;

use crate::command_args::words;
use domain::operation::{DayTable, PlanEntry, Slot};

/// Entries have three bytes; unused ones are zero.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeOfUse {
    /// Start days of the day tables.
    pub date_plan: DatePlan,
    /// Start times of the rates.
    pub day_tables: DayTables,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatePlan {
    pub address: u16,
    /// Number of entries.
    pub entries: u8,
    /// Bytes of an entry, in order.
    pub order: [PlanPart; 3],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayTables {
    /// First register of each table.
    pub addresses: [u16; 2],
    /// Slots of each table.
    pub slots: u8,
    /// Bytes of a slot, in order.
    pub order: [SlotPart; 3],
}

/// A byte of a date plan entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanPart {
    Month,
    Day,
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotPart {
    Rate,
    Hour,
    Minute,
}

impl TimeOfUse {
    /// Address and registers of a date plan; `None` if it has more entries than the meter keeps.
    #[must_use]
    pub fn date_plan(&self, entries: &[PlanEntry]) -> Option<(u16, Vec<u16>)> {
        let part = |entry: &PlanEntry, part| match part {
            PlanPart::Month => entry.month,
            PlanPart::Day => entry.day,
            PlanPart::Table => entry.table,
        };
        let plan = &self.date_plan;
        let bytes = entries.iter().flat_map(|entry| plan.order.map(|which| part(entry, which))).collect();
        Some((plan.address, filled(bytes, plan.entries)?))
    }

    /// Address and registers of a day table; `None` if the meter has no such table or keeps fewer slots.
    #[must_use]
    pub fn day_table(&self, table: u8, slots: &DayTable) -> Option<(u16, Vec<u16>)> {
        let part = |slot: &Slot, part| match part {
            SlotPart::Rate => slot.rate,
            SlotPart::Hour => slot.hour,
            SlotPart::Minute => slot.minute,
        };
        let tables = &self.day_tables;
        let address = tables.addresses.get(usize::from(table.checked_sub(1)?))?;
        let bytes = slots.slots().iter().flat_map(|slot| tables.order.map(|which| part(slot, which))).collect();
        Some((*address, filled(bytes, tables.slots)?))
    }
}

fn filled(mut bytes: Vec<u8>, entries: u8) -> Option<Vec<u16>> {
    let length = 3 * usize::from(entries);
    if bytes.len() > length {
        return None;
    }
    bytes.resize(length, 0);
    Some(words(&bytes))
}
