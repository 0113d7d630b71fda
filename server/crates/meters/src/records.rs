//! Reads the records that a meter keeps: daily freezes, and the journal of money and relay events.

use domain::meter_records::{Frozen, JournalRecord};
use model::energy::Energy;
use model::money::Fen;
use model::time::{Date, Timestamp};

use super::codec::{DecodeError, DecodedValues};
use super::directory::Meter;
use super::link::Priority;
use super::profile::{MeterField, Table};
use super::reader::{self, ReadError};

/// The daily freezes that the meter keeps, newest first. A freeze taken while they are read may be missing; none is repeated.
///
/// # Errors
/// [`ReadError`].
pub async fn freeze(meter: &Meter, priority: Priority) -> Result<Vec<Frozen>, ReadError> {
    let mut frozen: Vec<Frozen> = Vec::new();
    let Some(table) = &meter.profile.freeze else { return Ok(frozen) };
    for values in read(meter, priority, table, |values| values.get(MeterField::Day).is_none()).await? {
        let record = self::frozen(&values)?;
        if frozen.last().is_none_or(|last| record.day < last.day) {
            frozen.push(record);
        }
    }
    Ok(frozen)
}

/// The journal, newest first, one table after the other.
///
/// # Errors
/// [`ReadError`].
pub async fn journal(meter: &Meter, priority: Priority) -> Result<Vec<JournalRecord>, ReadError> {
    let mut records: Vec<JournalRecord> = Vec::new();
    for table in &meter.profile.journals {
        let is_empty = |values: &DecodedValues| match values.get(MeterField::JournalSequence) {
            Some(sequence) => sequence == 0,
            None => values.get(MeterField::When).is_none(),
        };
        for values in read(meter, priority, table, is_empty).await? {
            // A record written while the table is read shifts the others by one, so that one is read twice.
            match record(table, &values)? {
                Some(record) if records.last() != Some(&record) => records.push(record),
                _ => {}
            }
        }
    }
    Ok(records)
}

/// The records before the first empty one.
async fn read(
    meter: &Meter,
    priority: Priority,
    table: &Table,
    is_empty: impl Fn(&DecodedValues) -> bool,
) -> Result<Vec<DecodedValues>, ReadError> {
    let mut all = Vec::new();
    for read in table.reads(meter.profile.max_registers) {
        let registers = reader::registers(meter, priority, &read).await?;
        for record in registers.chunks(usize::from(table.registers).max(1)) {
            let values = DecodedValues::decode_record(&meter.profile, table, record)?;
            if is_empty(&values) {
                return Ok(all);
            }
            all.push(values);
        }
    }
    Ok(all)
}

fn frozen(values: &DecodedValues) -> Result<Frozen, DecodeError> {
    Ok(Frozen {
        day: Date(values.number(MeterField::Day)?),
        total: Energy(values.number(MeterField::Total)?),
        remaining: values.optional(MeterField::Remaining)?.map(Fen),
    })
}

/// `None` for a kind that the profile does not know.
fn record(table: &Table, values: &DecodedValues) -> Result<Option<JournalRecord>, DecodeError> {
    let Some(what) = table.kind.or_else(|| table.kind_of(values.get(MeterField::Kind)?)) else { return Ok(None) };
    Ok(Some(JournalRecord {
        sequence: values.optional(MeterField::JournalSequence)?,
        at: values.optional(MeterField::When)?.map(Timestamp),
        what,
        cause: values.optional(MeterField::Cause)?.unwrap_or(0),
        amount: Fen(values.optional(MeterField::Amount)?.unwrap_or(0)),
        count: values.optional(MeterField::Count)?,
        remaining: values.optional(MeterField::Remaining)?.map(Fen),
    }))
}
