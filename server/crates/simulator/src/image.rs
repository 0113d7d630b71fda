//! Registers of a meter of any Modbus profile, encoded from the same file with which the server decodes them. Implemented
//! independently of the server's decoder, so that each tests the other.

use std::ops::Range;

use super::field_values::FieldValues;
use super::load::Load;
use super::meter::Meter;
use super::modbus::Exception;
use domain::bcd::pack;
use meters::profile::{AccessMode, Area, Block, MeterField, Profile, Table, Value, ValueType, WordOrder};

/// Reads registers, all within one range that the profile allows to be read at once.
///
/// # Errors
/// Exception 02 for unknown registers, 03 for more than the meter returns at once.
pub fn read(profile: &Profile, meter: &Meter, load: &Load, area: Area, address: u16, count: u16) -> Result<Vec<u16>, Exception> {
    if count > profile.max_registers {
        return Err(Exception::IllegalValue);
    }
    let requested = u32::from(address)..u32::from(address) + u32::from(count);
    let block =
        profile.readable().find(|block| block.area == area && covers(&(u32::from(block.address)..block.end()), &requested));
    let tables = profile.freeze.iter().chain(&profile.journals);
    let table =
        tables.into_iter().find(|table| table.area == area && covers(&(u32::from(table.address)..table.end()), &requested));
    let (first, image) = match (block, table) {
        (Some(block), _) => (block.address, self::block(profile, meter, load, block)),
        (None, Some(table)) => (table.address, self::table(profile, meter, table)),
        (None, None) => return Err(Exception::IllegalAddress),
    };
    let start = usize::from(address - first);
    let found = image.get(start..start + usize::from(count)).ok_or(Exception::IllegalAddress)?;
    found.iter().copied().collect::<Option<Vec<u16>>>().ok_or(Exception::IllegalAddress)
}

fn covers(range: &Range<u32>, requested: &Range<u32>) -> bool {
    range.start <= requested.start && requested.end <= range.end
}

/// A range of registers; `None` for gaps that cannot be read.
type Image = Vec<Option<u16>>;

fn block(profile: &Profile, meter: &Meter, load: &Load, block: &Block) -> Image {
    let mut image = vec![Some(0); usize::from(block.registers)];
    let field_values = FieldValues::of(meter, load);
    for (n, value) in block.values.iter().enumerate() {
        // A field listed once per phase is split so that the parts add up to the total.
        let same = |values: &[Value]| values.iter().filter(|other| other.field == value.field).count();
        let (before, all) = (same(block.values.get(..n).unwrap_or_default()), same(&block.values));
        if let Some(whole) = field_values.get(value.field) {
            let part = |n: usize| whole * n as i128 / all as i128;
            put(&mut image, profile, value, value.address - block.address, part(before + 1) - part(before));
        }
    }
    image
}

fn table(profile: &Profile, meter: &Meter, table: &Table) -> Image {
    let mut image = vec![None; (table.end() - u32::from(table.address)) as usize];
    let is_freeze = profile.freeze.as_ref().is_some_and(|freeze| std::ptr::eq(freeze, table));
    let records = if is_freeze { FieldValues::freezes(meter) } else { FieldValues::journal(meter, table) };
    let mut records = records.into_iter();
    for place in (0..table.records).map(|n| n * table.stride()) {
        let range = usize::from(place)..usize::from(place + table.registers);
        image.get_mut(range).into_iter().flatten().for_each(|word| *word = Some(0));
        let Some(record) = records.next() else { continue };
        for value in &table.values {
            if let Some(number) = record.get(value.field) {
                put(&mut image, profile, value, place + value.address, number);
            }
        }
    }
    image
}

/// Writes a value; several values may share a register.
fn put(image: &mut Image, profile: &Profile, value: &Value, at: u16, number: i128) {
    let count = value.kind.registers();
    let raw = raw(value, number);
    for n in 0..count {
        let high_first = value.word_order.unwrap_or(profile.word_order) == WordOrder::High;
        let shift = 16 * if high_first { count - 1 - n } else { n };
        if let Some(word) = image.get_mut(usize::from(at + n)) {
            *word = Some(word.unwrap_or(0) | (raw >> shift) as u16);
        }
    }
}

/// The encoded bits of a value. Higher digits of a counter are dropped.
fn raw(value: &Value, number: i128) -> u64 {
    if let Some(flag) = value.flag {
        let other = if flag.on & flag.mask == 0 { flag.mask & flag.mask.wrapping_neg() } else { 0 };
        return if number == 0 { flag.off.unwrap_or(other) } else { flag.on };
    }
    let step = value.step;
    let (numerator, denominator) = (i128::from(step.numerator), i128::from(step.denominator));
    let counts = number * denominator / numerator;
    let float = number as f64 * denominator as f64 / numerator as f64;
    match value.kind {
        ValueType::U8h => (counts as u64 & 0xff) << 8,
        ValueType::U8l => counts as u64 & 0xff,
        ValueType::U16 | ValueType::I16 => counts as u64 & 0xffff,
        ValueType::U32 | ValueType::I32 => counts as u64 & 0xffff_ffff,
        ValueType::U64 | ValueType::I64 => counts as u64,
        ValueType::F32 => (float as f32).to_bits().into(),
        ValueType::F64 => float.to_bits(),
        ValueType::Bcd4 => digits(counts, 2),
        ValueType::Bcd8 => digits(counts, 4),
        ValueType::Bcd12 => digits(counts, 6),
        ValueType::Bcd16 => digits(counts, 8),
        // Times are BCD digits already.
        ValueType::Clock | ValueType::Date => number as u64,
    }
}

fn digits(counts: i128, bytes: u32) -> u64 {
    let pair = |n: u32| u64::from(pack((counts.unsigned_abs() / 100_u128.pow(n) % 100) as u8));
    (0..bytes).fold(0, |all, n| all | pair(n) << (8 * n))
}

/// Effect of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterWrite {
    /// Switches the relay; `true` is closed.
    Relay(bool),
    /// Resets the energy counters to zero, which some models allow anyone on the bus.
    Zero,
}

/// Decodes a write.
///
/// # Errors
/// Exception 02 for registers that cannot be written, 03 for invalid values.
pub fn write(profile: &Profile, address: u16, bytes: &[u8]) -> Result<RegisterWrite, Exception> {
    let words: Vec<u16> = bytes.as_chunks().0.iter().copied().map(u16::from_be_bytes).collect();
    if let Some(relay) = profile.relay.as_ref().filter(|relay| relay.address == address) {
        // Without a wallet the meter has no reason to open, so a released relay is closed.
        let closes = relay.close == words || relay.release.as_ref() == Some(&words);
        return if closes || relay.open == words { Ok(RegisterWrite::Relay(closes)) } else { Err(Exception::IllegalValue) };
    }
    let requested = u32::from(address)..u32::from(address) + words.len() as u32;
    let writable = |block: &&Block| block.access != AccessMode::R && covers(&(u32::from(block.address)..block.end()), &requested);
    let block = profile.blocks.iter().find(writable).ok_or(Exception::IllegalAddress)?;
    let total = block
        .values
        .iter()
        .any(|value| value.field == MeterField::Total && covers(&requested, &(value.address.into()..value.end())));
    if total && words.iter().all(|&word| word == 0) { Ok(RegisterWrite::Zero) } else { Err(Exception::IllegalValue) }
}
