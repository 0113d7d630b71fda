//! Decodes registers into field values as the profile describes them; lengths and digits are always checked.

mod registers;

use domain::meter_state::{Measurement, MeterStatus, Plain, State};
use model::energy::Energy;
use model::meter::{StatusWord, Wallet};
use model::money::Fen;
use model::time::Timestamp;

use super::planner;
use super::profile::{Field, Profile, Read, Table, Value};
use domain::bcd;
use domain::serial::{AccountNumber, Serial};

/// Why registers could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The number of registers is not that of the request.
    #[error("{got} registers instead of {wanted}")]
    Length { got: usize, wanted: usize },
    /// A digit is not decimal, or a value is out of range.
    #[error("{0:?} is out of range")]
    Value(Field),
    /// The profile has no such field in this block.
    #[error("the profile has no {0:?}")]
    Missing(Field),
}

/// Decoded values of a meter by field, in the server's units; times in epoch milliseconds.
///
/// Boxed because it is held across every await on the way to the caller.
#[derive(Clone, Debug)]
pub struct Values(Box<[Option<i128>; Field::COUNT]>);

impl Default for Values {
    fn default() -> Self {
        Self(Box::new([None; Field::COUNT]))
    }
}

impl Values {
    /// Decodes the registers of one request. An invalid time or a NaN leaves its field unknown.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong length or an invalid digit.
    pub fn take(&mut self, profile: &Profile, read: &Read, registers: &[u16]) -> Result<(), DecodeError> {
        let wanted = usize::from(read.count);
        if registers.len() != wanted {
            return Err(DecodeError::Length { got: registers.len(), wanted });
        }
        let blocks = profile.readable().filter(|block| block.area == read.area);
        for value in blocks.flat_map(|block| &block.values).filter(|value| planner::is_within(value, read)) {
            self.decode(profile, value, registers, value.address.saturating_sub(read.address))?;
        }
        Ok(())
    }

    /// Decodes one record of a table.
    ///
    /// # Errors
    /// As [`Values::take`].
    pub fn record(profile: &Profile, table: &Table, registers: &[u16]) -> Result<Self, DecodeError> {
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
        let ours = registers::ours(value, order, words).map_err(|_| DecodeError::Value(value.field))?;
        match (ours, self.get(value.field)) {
            (Some(ours), Some(phases_before)) if value.field.is_in(Field::PHASES) => self.set(value.field, phases_before + ours),
            (Some(ours), _) => self.set(value.field, ours),
            (None, _) => {}
        }
        Ok(())
    }

    /// Sets a field, in the server's units.
    pub fn set(&mut self, field: Field, ours: i128) {
        if let Some(slot) = self.0.get_mut(field as usize) {
            *slot = Some(ours);
        }
    }

    /// The value of a field; `None` if unknown.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<i128> {
        self.0.get(field as usize).copied().flatten()
    }

    /// The serial number, if the meter reports one.
    ///
    /// # Errors
    /// [`DecodeError::Value`] for more than twelve digits.
    pub fn serial(&self) -> Result<Option<Serial>, DecodeError> {
        let of = |number| bcd::of_number(number).and_then(Serial::from_bytes).ok_or(DecodeError::Value(Field::Serial));
        self.get(Field::Serial).map(of).transpose()
    }

    /// Counters and instantaneous values.
    ///
    /// # Errors
    /// [`DecodeError`] without a total, or for a value out of range.
    pub fn measurement(&self) -> Result<Measurement, DecodeError> {
        let rates = [Field::Spike, Field::Peak, Field::Flat, Field::Valley].map(|rate| self.get(rate));
        Ok(Measurement {
            total: self.energy(Field::Total)?,
            reverse: self.optional(Field::Reverse)?.map(Energy),
            rates: match rates {
                [Some(_), Some(_), Some(_), Some(_)] => Some([
                    self.energy(Field::Spike)?,
                    self.energy(Field::Peak)?,
                    self.energy(Field::Flat)?,
                    self.energy(Field::Valley)?,
                ]),
                _ => None,
            },
            voltage_dv: self.optional(Field::Voltage)?,
            current_ca: self.optional(Field::Current)?,
            power_w: self.optional(Field::Power)?,
            reactive_var: self.optional(Field::Reactive)?,
            apparent_va: self.optional(Field::Apparent)?,
            power_factor: self.optional(Field::PowerFactor)?,
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
        Ok(MeterStatus::Plain(Plain {
            relay_closed: flag(Field::RelayClosed),
            relay_fault: flag(Field::RelayFault),
            clock: self.optional(Field::Clock)?.map(Timestamp),
            remaining: self.optional(Field::Remaining)?.map(Fen),
            count: self.optional(Field::Count)?,
        }))
    }

    fn state(&self) -> Result<State, DecodeError> {
        let account = bcd::of_number(self.raw(Field::Account)?).and_then(AccountNumber::from_bytes);
        Ok(State {
            serial: self.serial()?.ok_or(DecodeError::Missing(Field::Serial))?,
            // Bit 15 is reserved in the meter; the server uses it for an unknown relay state.
            status: StatusWord(self.number::<u16>(Field::Status)? & 0x7fff),
            remaining: Fen(self.number(Field::Remaining)?),
            cumulative: Fen(self.number(Field::Cumulative)?),
            count: self.number(Field::Count)?,
            epoch: self.number(Field::Epoch)?,
            reverse: self.energy(Field::Reverse)?,
            rate: self.number(Field::Rate)?,
            clock: self.optional(Field::Clock)?.map(Timestamp),
            challenge: self.number::<u32>(Field::Challenge)?.to_be_bytes(),
            last_operation: self.number(Field::LastOperation)?,
            last_result: self.number(Field::LastResult)?,
            last_order: self.number(Field::LastOrder)?,
            journal: self.number(Field::JournalSequence)?,
            parameters: self.number(Field::Parameters)?,
            tier_energy: self.energy(Field::TierEnergy)?,
            account: account.ok_or(DecodeError::Value(Field::Account))?,
            tamper: self.number(Field::Tamper)?,
            accepts: self.number(Field::Accepts)?,
        })
    }

    /// A required field.
    ///
    /// # Errors
    /// [`DecodeError`] if it is missing or out of range.
    pub fn number<T: TryFrom<i128>>(&self, field: Field) -> Result<T, DecodeError> {
        T::try_from(self.raw(field)?).map_err(|_| DecodeError::Value(field))
    }

    /// An optional field.
    ///
    /// # Errors
    /// [`DecodeError`] if it is out of range.
    pub fn optional<T: TryFrom<i128>>(&self, field: Field) -> Result<Option<T>, DecodeError> {
        self.get(field).map(T::try_from).transpose().map_err(|_| DecodeError::Value(field))
    }

    fn raw(&self, field: Field) -> Result<i128, DecodeError> {
        self.get(field).ok_or(DecodeError::Missing(field))
    }

    fn energy(&self, field: Field) -> Result<Energy, DecodeError> {
        self.number(field).map(Energy)
    }
}

#[cfg(test)]
mod tests;
