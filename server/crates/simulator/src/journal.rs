//! Block J: the last sixteen events of a meter.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Records that a meter keeps.
pub const RECORDS: usize = 16;
/// Registers of one record.
pub const WIDTH: usize = 10;
/// Cause of a relay record: a command rather than the meter's own rule.
pub const BY_COMMAND: u8 = 0xff;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RecordKind {
    Credit = 1,
    Debit = 2,
    Open = 3,
    /// Account closed; the amount is the remaining amount.
    Close = 4,
    RelayOpened = 5,
    RelayClosed = 6,
    Parameter = 7,
    Tamper = 8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Increases by one with every record; never 0.
    pub sequence: u16,
    pub kind: RecordKind,
    /// Status bit of a relay record; operation code of a parameter record.
    pub cause: u8,
    /// The meter's clock, BCD.
    pub when: [u8; 6],
    /// 0.01 yuan.
    pub amount: i32,
    /// Purchase count after the event.
    pub count: u16,
    /// Remaining amount after the event, 0.01 yuan.
    pub remaining: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    newest: u16,
    records: VecDeque<Record>,
}

impl Journal {
    /// Adds a record with the next sequence number and drops the oldest.
    pub fn push(&mut self, mut record: Record) {
        // 0 means "empty", so the sequence continues from 65535 to 1.
        self.newest = self.newest.checked_add(1).unwrap_or(1);
        record.sequence = self.newest;
        self.records.truncate(RECORDS - 1);
        self.records.push_front(record);
    }

    /// Sequence of the newest record; 0 if there is none.
    #[must_use]
    pub const fn newest(&self) -> u16 {
        self.newest
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_records_are_kept_and_the_sequence_skips_zero() {
        let mut journal = Journal { newest: 65_530, ..Journal::default() };
        let record = Record { sequence: 0, kind: RecordKind::Credit, cause: 0, when: [0; 6], amount: 1, count: 1, remaining: 1 };
        (0..20).for_each(|_| journal.push(record));
        let sequences: Vec<u16> = journal.records().map(|record| record.sequence).collect();
        assert_eq!(sequences, [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 65_535]);
        assert_eq!(journal.newest(), 15);
    }
}
