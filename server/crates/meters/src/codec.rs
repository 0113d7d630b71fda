//! Decodes registers into field values as the profile describes them; lengths and digits are always checked.

mod registers;

use domain::meter_state::{Measurement, MeterStatus, PlainStatus, StateBlock};
use model::energy::Energy;
use model::meter::{StatusWord, Wallet};
use model::money::Fen;
use model::time::Timestamp;

use super::planner;
use super::profile::{FieldSet, MeterField, Profile, ReadRequest, Table, Value, WordOrder};
use domain::bcd;
use domain::serial::{AccountNumber, Serial};

/// The number in the registers of one value; `None` for what is none.
pub(crate) fn number(value: &Value, order: WordOrder, words: &[u16]) -> Option<i128> {
    registers::decode(value, order, words).ok().flatten()
}

/// Why registers could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The number of registers is not that of the request.
    #[error("{actual} registers instead of {expected}")]
    Length { actual: usize, expected: usize },
    /// A digit is not decimal, or a value is out of range.
    #[error("{0:?} is out of range")]
    Value(MeterField),
    /// The profile has no such field in this block.
    #[error("the profile has no {0:?}")]
    Missing(MeterField),
}

/// Decoded values of a meter by field, in the server's units; times in epoch milliseconds.
///
/// Boxed because it is held across every await on the way to the caller.
#[derive(Clone, Debug)]
pub struct DecodedValues {
    values: Box<[Option<i128>; MeterField::COUNT]>,
    odd: FieldSet,
}

impl Default for DecodedValues {
    fn default() -> Self {
        Self { values: Box::new([None; MeterField::COUNT]), odd: FieldSet::default() }
    }
}

impl DecodedValues {
    /// Decodes the registers of one request. An invalid time or a NaN leaves its field unknown; so does an invalid digit where
    /// the reading means something without the field, which is then [`DecodedValues::odd`].
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong length, or for an invalid digit of a field that is needed.
    pub fn decode_block(&mut self, profile: &Profile, read: &ReadRequest, registers: &[u16]) -> Result<(), DecodeError> {
        let expected = usize::from(read.count);
        if registers.len() != expected {
            return Err(DecodeError::Length { actual: registers.len(), expected });
        }
        let blocks = profile.readable().filter(|block| block.area == read.area);
        for value in blocks.flat_map(|block| &block.values).filter(|value| planner::is_within(value, read)) {
            match self.decode(profile, value, registers, value.address.saturating_sub(read.address)) {
                Err(_) if !profile.needs(value.field) => self.set_odd(value.field),
                decoded => decoded?,
            }
        }
        Ok(())
    }

    /// Decodes one record of a table.
    ///
    /// # Errors
    /// As [`DecodedValues::decode_block`].
    pub fn decode_record(profile: &Profile, table: &Table, registers: &[u16]) -> Result<Self, DecodeError> {
        let mut values = Self::default();
        for value in &table.values {
            values.decode(profile, value, registers, value.address)?;
        }
        Ok(values)
    }

    fn decode(&mut self, profile: &Profile, value: &Value, registers: &[u16], offset: u16) -> Result<(), DecodeError> {
        let start = usize::from(offset);
        let words = registers.get(start..start + usize::from(value.kind.registers()));
        let words = words.ok_or(DecodeError::Value(value.field))?;
        let order = value.word_order.unwrap_or(profile.word_order);
        let decoded = registers::decode(value, order, words).map_err(|_| DecodeError::Value(value.field))?;
        match (decoded, self.get(value.field)) {
            (Some(decoded), Some(phases_before)) if value.field.is_in(MeterField::PHASES) => {
                self.set(value.field, phases_before + decoded)
            }
            (Some(decoded), _) => self.set(value.field, decoded),
            (None, _) => {}
        }
        Ok(())
    }

    /// Sets a field, in the server's units.
    pub fn set(&mut self, field: MeterField, value: i128) {
        if let Some(slot) = self.values.get_mut(field as usize) {
            *slot = Some(value);
        }
    }

    /// Notes that what the meter shows as this field cannot be its value.
    pub const fn set_odd(&mut self, field: MeterField) {
        self.odd.insert(field);
    }

    /// The fields that are unknown because what the meter shows cannot be their value.
    #[must_use]
    pub const fn odd(&self) -> FieldSet {
        self.odd
    }

    /// The value of a field; `None` if unknown.
    #[must_use]
    pub fn get(&self, field: MeterField) -> Option<i128> {
        if self.odd.contains(field) { None } else { self.values.get(field as usize).copied().flatten() }
    }

    /// The serial number, if the meter reports one.
    ///
    /// # Errors
    /// [`DecodeError::Value`] for more than twelve digits.
    pub fn serial(&self) -> Result<Option<Serial>, DecodeError> {
        let of = |number| bcd::of_number(number).and_then(Serial::from_bytes).ok_or(DecodeError::Value(MeterField::Serial));
        self.get(MeterField::Serial).map(of).transpose()
    }

    /// Counters and instantaneous values.
    ///
    /// # Errors
    /// [`DecodeError`] without a total, or for a value out of range.
    pub fn measurement(&self) -> Result<Measurement, DecodeError> {
        let rates = [MeterField::Spike, MeterField::Peak, MeterField::Flat, MeterField::Valley].map(|rate| self.get(rate));
        Ok(Measurement {
            total: self.energy(MeterField::Total)?,
            reverse: self.optional(MeterField::Reverse)?.map(Energy),
            rates: match rates {
                [Some(_), Some(_), Some(_), Some(_)] => Some([
                    self.energy(MeterField::Spike)?,
                    self.energy(MeterField::Peak)?,
                    self.energy(MeterField::Flat)?,
                    self.energy(MeterField::Valley)?,
                ]),
                _ => None,
            },
            voltage_dv: self.optional(MeterField::Voltage)?,
            current_ca: self.optional(MeterField::Current)?,
            power_w: self.optional(MeterField::Power)?,
            reactive_var: self.optional(MeterField::Reactive)?,
            apparent_va: self.optional(MeterField::Apparent)?,
            power_factor: self.optional(MeterField::PowerFactor)?,
        })
    }

    /// Wallet and relay.
    ///
    /// # Errors
    /// [`DecodeError`] for a value out of range, or if a field of a secured wallet is missing.
    pub fn meter_status(&self, wallet: Wallet) -> Result<MeterStatus, DecodeError> {
        if wallet == Wallet::Meter {
            return self.state().map(MeterStatus::Wallet);
        }
        let flag = |field| self.get(field).map(|on| on != 0);
        Ok(MeterStatus::Plain(PlainStatus {
            relay_closed: flag(MeterField::RelayClosed),
            relay_fault: flag(MeterField::RelayFault),
            clock: self.optional(MeterField::Clock)?.map(Timestamp),
            remaining: self.optional(MeterField::Remaining)?.map(Fen),
            count: self.optional(MeterField::Count)?,
        }))
    }

    fn state(&self) -> Result<StateBlock, DecodeError> {
        let account = bcd::of_number(self.raw(MeterField::Account)?).and_then(AccountNumber::from_bytes);
        Ok(StateBlock {
            serial: self.serial()?.ok_or(DecodeError::Missing(MeterField::Serial))?,
            // Bit 15 is reserved in the meter; the server uses it for an unknown relay state.
            status: StatusWord(self.number::<u16>(MeterField::Status)? & 0x7fff),
            remaining: Fen(self.number(MeterField::Remaining)?),
            cumulative: Fen(self.number(MeterField::Cumulative)?),
            count: self.number(MeterField::Count)?,
            epoch: self.number(MeterField::Epoch)?,
            reverse: self.energy(MeterField::Reverse)?,
            rate: self.number(MeterField::Rate)?,
            clock: self.optional(MeterField::Clock)?.map(Timestamp),
            challenge: self.number::<u32>(MeterField::Challenge)?.to_be_bytes(),
            last_operation: self.number(MeterField::LastOperation)?,
            last_result: self.number(MeterField::LastResult)?,
            last_order: self.number(MeterField::LastOrder)?,
            journal: self.number(MeterField::JournalSequence)?,
            parameters: self.number(MeterField::Parameters)?,
            tier_energy: self.energy(MeterField::TierEnergy)?,
            account: account.ok_or(DecodeError::Value(MeterField::Account))?,
            tamper: self.number(MeterField::Tamper)?,
            accepts: self.number(MeterField::Accepts)?,
        })
    }

    /// A required field.
    ///
    /// # Errors
    /// [`DecodeError`] if it is missing or out of range.
    pub fn number<T: TryFrom<i128>>(&self, field: MeterField) -> Result<T, DecodeError> {
        T::try_from(self.raw(field)?).map_err(|_| DecodeError::Value(field))
    }

    /// An optional field.
    ///
    /// # Errors
    /// [`DecodeError`] if it is out of range.
    pub fn optional<T: TryFrom<i128>>(&self, field: MeterField) -> Result<Option<T>, DecodeError> {
        self.get(field).map(T::try_from).transpose().map_err(|_| DecodeError::Value(field))
    }

    fn raw(&self, field: MeterField) -> Result<i128, DecodeError> {
        let why = if self.odd.contains(field) { DecodeError::Value(field) } else { DecodeError::Missing(field) };
        self.get(field).ok_or(why)
    }

    fn energy(&self, field: MeterField) -> Result<Energy, DecodeError> {
        self.number(field).map(Energy)
    }
}

#[cfg(test)]
mod tests;
