//! Records that a meter keeps: its values at each midnight, and its journal of money and relay. Newest first.

use domain::meter_records::JournalKind;
use serde::Deserialize;

use super::value::Value;
use super::{Area, Read};

/// Records of one form, one after the other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Where they stand.
    #[serde(default)]
    pub area: Area,
    /// The first register of the newest.
    pub address: u16,
    /// How many there are.
    pub records: u16,
    /// Registers of one.
    pub registers: u16,
    /// From the first register of one to the first of the next; the registers between cannot be read.
    pub spacing: Option<u16>,
    /// What one holds; addresses count from its first register.
    pub values: Vec<Value>,
    /// In a journal: what the numbers of `kind` stand for.
    #[serde(default)]
    pub kinds: Vec<KindCode>,
    /// In a journal without a `kind`: what every record is.
    pub kind: Option<JournalKind>,
}

/// A number and the kind of record that it stands for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCode {
    pub value: u64,
    /// What it stands for.
    pub kind: JournalKind,
}

impl Table {
    /// From one record to the next.
    #[must_use]
    pub fn stride(&self) -> u16 {
        self.spacing.unwrap_or(self.registers).max(1)
    }

    /// The register after the last record's.
    #[must_use]
    pub fn end(&self) -> u32 {
        let before = u32::from(self.records.saturating_sub(1)) * u32::from(self.stride());
        u32::from(self.address) + before + u32::from(self.registers)
    }

    /// The requests that read all records, newest first: as many records each as `max_registers` allows.
    pub fn reads(&self, max_registers: u16) -> impl Iterator<Item = Read> + use<> {
        let together = if self.stride() == self.registers { (max_registers / self.registers.max(1)).max(1) } else { 1 };
        let (area, address, records, registers, stride) = (self.area, self.address, self.records, self.registers, self.stride());
        (0..records).step_by(together.into()).map(move |first| Read {
            area,
            address: address.saturating_add(first.saturating_mul(stride)),
            count: together.min(records - first).saturating_mul(registers),
        })
    }

    /// What a record's number stands for.
    #[must_use]
    pub fn kind_of(&self, value: i128) -> Option<JournalKind> {
        self.kinds.iter().find(|code| i128::from(code.value) == value).map(|code| code.kind)
    }
}
