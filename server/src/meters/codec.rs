//! From registers to what they say, by the profile; never trusts a length or a digit.

mod registers;

use app::model::energy::Energy;
use app::model::meter::{StatusWord, Wallet};
use app::model::money::Fen;
use app::model::time::Timestamp;

use super::bcd;
use super::planner;
use super::profile::{Field, Profile, Read, Table, Value};
use super::serial::{AccountNumber, Serial};
use crate::domain::load::Load;

/// Why registers say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not as many registers as the block has.
    #[error("{got} registers instead of {wanted}")]
    Length {
        /// How many came.
        got: usize,
        /// How many the block has.
        wanted: usize,
    },
    /// A digit is none, or a value is out of its range.
    #[error("{0:?} is not of its type")]
    Value(Field),
    /// The profile names no such value in this block.
    #[error("the profile has no {0:?}")]
    Missing(Field),
}

/// What a meter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Active energy, both directions: what is billed.
    pub total: Energy,
    /// Of it, what flowed backwards: a wiring fault or a bypass.
    pub reverse: Option<Energy>,
    /// By rate: spike, peak, flat, valley.
    pub rates: Option<[Energy; 4]>,
    /// 0.1 V; the first phase of three.
    pub voltage_dv: Option<u16>,
    /// 0.01 A; the first phase of three.
    pub current_ca: Option<u16>,
    /// W, all phases.
    pub power_w: Option<i32>,
    /// var.
    pub reactive_var: Option<i32>,
    /// VA.
    pub apparent_va: Option<i32>,
    /// 0.001.
    pub power_factor: Option<i16>,
}

impl Measurement {
    /// Its load at that instant; `None` where it measures no power.
    #[must_use]
    pub fn load(&self, at: Timestamp) -> Option<Load> {
        Load::new(at, self.power_w, self.apparent_va, self.power_factor, self.voltage_dv.zip(self.current_ca))
    }
}

/// What a meter shows besides its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Credit lives in the meter: its state block.
    Wallet(State),
    /// No secured wallet inside: the server decides, the meter switches or only measures.
    Plain(Plain),
}

/// What a meter without a secured wallet shows; `None` for what it cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plain {
    /// Whether power flows, as observed.
    pub relay_closed: Option<bool>,
    /// It says itself that its relay does not obey.
    pub relay_fault: Option<bool>,
    /// Its clock.
    pub clock: Option<Timestamp>,
    /// Remaining amount, where it can be read though not written.
    pub remaining: Option<Fen>,
    /// Purchase count, where it can be read though not written.
    pub count: Option<u16>,
}

impl Face {
    /// The status word: the meter's own, or what can be said of the relay.
    #[must_use]
    pub const fn status(&self) -> StatusWord {
        match self {
            Self::Wallet(state) => state.status,
            Self::Plain(plain) => {
                let closed = matches!(plain.relay_closed, Some(true)) as u16;
                let fault = matches!(plain.relay_fault, Some(true)) as u16;
                let unseen = plain.relay_closed.is_none() as u16;
                StatusWord(closed | fault << 12 | unseen << 15)
            }
        }
    }

    /// The meter's clock minus ours, in seconds.
    #[must_use]
    pub fn clock_offset_s(&self, at: Timestamp) -> Option<i32> {
        let clock = match self {
            Self::Wallet(state) => state.clock,
            Self::Plain(plain) => plain.clock,
        };
        i32::try_from(clock?.since(at) / 1_000).ok()
    }

    /// The state block of a meter with a wallet.
    #[must_use]
    pub const fn wallet(&self) -> Option<&State> {
        match self {
            Self::Wallet(state) => Some(state),
            Self::Plain(_) => None,
        }
    }
}

/// Who a meter is, what its wallet holds and how its relay stands: one block, one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its serial number.
    pub serial: Serial,
    /// Its status word.
    pub status: StatusWord,
    /// Remaining amount.
    pub remaining: Fen,
    /// Credited minus debited in this epoch.
    pub cumulative: Fen,
    /// Money commands applied in this epoch.
    pub count: u16,
    /// Key epoch.
    pub epoch: u16,
    /// Reverse active energy.
    pub reverse: Energy,
    /// Rate in force.
    pub rate: u16,
    /// Its clock; `None` where that shows no real time.
    pub clock: Option<Timestamp>,
    /// For the next secured frame.
    pub challenge: [u8; 4],
    /// Operation of the last secured frame.
    pub last_operation: u8,
    /// Its result.
    pub last_result: u8,
    /// Order number of the last applied money command.
    pub last_order: u64,
    /// Sequence of the newest journal record.
    pub journal: u16,
    /// Raised at each accepted parameter command.
    pub parameters: u16,
    /// Energy in the current tier period.
    pub tier_energy: Energy,
    /// Account number; [`AccountNumber::NONE`] where none is open.
    pub account: AccountNumber,
    /// Open-cover and bypass events.
    pub tamper: u16,
    /// Frame versions it accepts, as bits.
    pub accepts: u16,
}

impl State {
    /// How deep in overdraft the wallet is; zero where it is not.
    #[must_use]
    pub fn overdraft(&self) -> Fen {
        Fen(self.remaining.0.min(0).saturating_neg())
    }
}

/// What was read of a meter, by field: numbers in our units, instants in milliseconds.
///
/// On the heap: it goes through every caller that awaits a request.
#[derive(Clone, Debug)]
pub struct Values(Box<[Option<i128>; Field::COUNT]>);

impl Default for Values {
    fn default() -> Self {
        Self(Box::new([None; Field::COUNT]))
    }
}

impl Values {
    /// Takes what one request brought. What shows no real time or no number stays unknown.
    ///
    /// # Errors
    /// [`DecodeError`] where the length is wrong or a digit is none.
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

    /// Takes one record of a table.
    ///
    /// # Errors
    /// [`DecodeError`] as [`Values::take`].
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

    /// Sets a field, in our units.
    pub fn set(&mut self, field: Field, ours: i128) {
        if let Some(slot) = self.0.get_mut(field as usize) {
            *slot = Some(ours);
        }
    }

    /// A field, where it is known.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<i128> {
        self.0.get(field as usize).copied().flatten()
    }

    /// The serial number, where the meter says one.
    ///
    /// # Errors
    /// [`DecodeError::Value`] for more than twelve digits.
    pub fn serial(&self) -> Result<Option<Serial>, DecodeError> {
        let of = |number| bcd::of_number(number).and_then(Serial::from_bytes).ok_or(DecodeError::Value(Field::Serial));
        self.get(Field::Serial).map(of).transpose()
    }

    /// What was measured.
    ///
    /// # Errors
    /// [`DecodeError`] without a total, or for what is beyond its range.
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

    /// How wallet and relay stand.
    ///
    /// # Errors
    /// [`DecodeError`] for what is beyond its range, and for a secured wallet that is not whole.
    pub fn face(&self, wallet: Wallet) -> Result<Face, DecodeError> {
        if wallet == Wallet::Meter {
            return self.state().map(Face::Wallet);
        }
        let flag = |field| self.get(field).map(|on| on != 0);
        Ok(Face::Plain(Plain {
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
            // Bit 15 is reserved in the meter and ours here.
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

    /// A field that must be there.
    ///
    /// # Errors
    /// [`DecodeError`] where it is not, or does not fit.
    pub fn number<T: TryFrom<i128>>(&self, field: Field) -> Result<T, DecodeError> {
        T::try_from(self.raw(field)?).map_err(|_| DecodeError::Value(field))
    }

    /// A field that may be there.
    ///
    /// # Errors
    /// [`DecodeError`] where it does not fit.
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
