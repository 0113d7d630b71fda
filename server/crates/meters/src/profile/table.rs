//! Records that a meter keeps: daily freezes, and its journal of money and relay events. Newest first.

use domain::meter_records::JournalKind;
use serde::Deserialize;

use super::value::Value;
use super::{Area, ReadRequest};

/// Consecutive records of one format.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default)]
    pub area: Area,
    /// First register of the newest record.
    pub address: u16,
    pub records: u16,
    /// Registers of one record.
    pub registers: u16,
    /// Registers from the start of one record to the start of the next, if larger than `registers`; the gap cannot be read.
    pub spacing: Option<u16>,
    /// Values of a record; addresses count from its first register.
    pub values: Vec<Value>,
    /// Journal only: meaning of the codes in the field `kind`.
    #[serde(default)]
    pub kinds: Vec<KindCode>,
    /// Journal without a field `kind`: the kind of all records.
    pub kind: Option<JournalKind>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCode {
    pub value: u64,
    pub kind: JournalKind,
}

impl Table {
    /// Registers from one record to the next.
    #[must_use]
    pub fn stride(&self) -> u16 {
        self.spacing.unwrap_or(self.registers).max(1)
    }

    /// The register after the last record.
    #[must_use]
    pub fn end(&self) -> u32 {
        let before = u32::from(self.records.saturating_sub(1)) * u32::from(self.stride());
        u32::from(self.address) + before + u32::from(self.registers)
    }

    /// The requests that read all records, newest first, with as many records each as `max_registers` allows.
    pub fn reads(&self, max_registers: u16) -> impl Iterator<Item = ReadRequest> + use<> {
        let together = if self.stride() == self.registers { (max_registers / self.registers.max(1)).max(1) } else { 1 };
        let (area, address, records, registers, stride) = (self.area, self.address, self.records, self.registers, self.stride());
        (0..records).step_by(together.into()).map(move |first| ReadRequest {
            area,
            address: address.saturating_add(first.saturating_mul(stride)),
            count: together.min(records - first).saturating_mul(registers),
        })
    }

    /// The kind that a code stands for.
    #[must_use]
    pub fn kind_of(&self, value: i128) -> Option<JournalKind> {
        self.kinds.iter().find(|code| i128::from(code.value) == value).map(|code| code.kind)
    }
}
