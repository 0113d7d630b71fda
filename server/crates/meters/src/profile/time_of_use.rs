//! Time-of-use tables in plain registers: where they stand, and in which order a meter keeps the parts of an entry.

use serde::Deserialize;

use crate::command_args::words;
use domain::operation::{DayTable, PlanEntry, Slot};

/// Where a meter keeps its time-of-use tables. Entries are of three bytes; those that are zero are unused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeOfUse {
    /// From which day of the year on a day table is in force.
    pub date_plan: DatePlan,
    /// From which time of day on a rate is in force.
    pub day_tables: DayTables,
}

/// The date plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatePlan {
    /// Its first register.
    pub address: u16,
    /// How many entries it has.
    pub entries: u8,
    /// The bytes of an entry.
    pub order: [PlanPart; 3],
}

/// The day tables.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayTables {
    /// Their first registers.
    pub addresses: [u16; 2],
    /// How many slots each has.
    pub slots: u8,
    /// The bytes of a slot.
    pub order: [SlotPart; 3],
}

/// A byte of an entry of the date plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanPart {
    Month,
    Day,
    Table,
}

/// A byte of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotPart {
    Rate,
    Hour,
    Minute,
}

impl TimeOfUse {
    /// What to write, and where; `None` for more entries than the meter keeps.
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

    /// What to write, and where; `None` for a table that the meter does not have, or more slots than it keeps.
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
