//! What a secured frame tells a meter to do: its code and its fields after the serial number.

mod parse;
mod tables;

use model::meter::ControlMode;
pub use model::parameters::{DayTable, Limits, PlanEntry, Slot, TierPeriod, Tiers};
use serde::{Deserialize, Serialize};

use super::bcd::BcdTime;
use super::serial::AccountNumber;
pub use parse::ParseError;

/// One operation of the reference prepaid profile. Amounts are in 0.01 yuan, prices in 0.0001 yuan/kWh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Opens an account: count, amounts and tier use to 0, key epoch + 1.
    Open {
        account: AccountNumber,
    },
    Credit {
        /// The order it comes from.
        order: u64,
        /// The purchase count after it.
        count: u16,
        amount: u32,
    },
    /// Takes money back, at most what remains.
    Debit {
        /// The order it comes from.
        order: u64,
        /// The purchase count after it.
        count: u16,
        amount: u32,
    },
    /// Closes the account: the wallet is emptied, the relay opens.
    Close {
        /// The order it comes from.
        order: u64,
        /// The purchase count after it.
        count: u16,
    },
    /// Sets how the relay is governed; releases an overload or malignant trip.
    SetMode(ControlMode),
    /// The resident's own switch.
    UserSwitch(bool),
    /// Alarm, overdraft, hoarding and overload limits.
    SetLimits(Limits),
    /// Prices of rates 1-4.
    SetPrices {
        /// They wait for the switch-over time, where they are in force now otherwise.
        standby: bool,
        /// One a rate.
        prices: [u32; 4],
    },
    SetTiers(Tiers),
    /// When the standby prices come into force; `None` cancels.
    SetSwitchOver(Option<BcdTime>),
    /// The meter's clock.
    SetClock(BcdTime),
    /// One of the two day tables.
    SetDayTable {
        /// 1 or 2.
        table: u8,
        slots: DayTable,
    },
    /// Which day table is in force from which day of the year; at most four.
    SetDatePlan(Vec<PlanEntry>),
}

impl Operation {
    /// Its code on the wire.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Open { .. } => 0x01,
            Self::Credit { .. } => 0x02,
            Self::Debit { .. } => 0x03,
            Self::Close { .. } => 0x04,
            Self::SetMode(_) => 0x05,
            Self::UserSwitch(_) => 0x06,
            Self::SetLimits(_) => 0x07,
            Self::SetPrices { .. } => 0x08,
            Self::SetTiers(_) => 0x09,
            Self::SetSwitchOver(_) => 0x0a,
            Self::SetClock(_) => 0x0b,
            Self::SetDayTable { .. } => 0x0c,
            Self::SetDatePlan(_) => 0x0d,
        }
    }

    /// Whether it moves money and follows the purchase count.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Credit { .. } | Self::Debit { .. } | Self::Close { .. })
    }

    /// Its fields, without serial number and padding.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        match self {
            Self::Open { account } => out.extend(account.bytes()),
            Self::Credit { order, count, amount } | Self::Debit { order, count, amount } => {
                out.extend(order.to_be_bytes());
                out.extend(count.to_be_bytes());
                out.extend(amount.to_be_bytes());
            }
            Self::Close { order, count } => {
                out.extend(order.to_be_bytes());
                out.extend(count.to_be_bytes());
            }
            Self::SetMode(mode) => out.push(mode.code()),
            Self::UserSwitch(on) => out.push(u8::from(*on)),
            Self::SetLimits(limits) => tables::limits(limits, &mut out),
            Self::SetPrices { standby, prices } => {
                out.push(u8::from(*standby));
                prices.iter().for_each(|price| out.extend(price.to_be_bytes()));
            }
            Self::SetTiers(tiers) => tables::tiers(tiers, &mut out),
            Self::SetSwitchOver(at) => out.extend(at.map_or([0; 6], BcdTime::bytes)),
            Self::SetClock(at) => out.extend(at.bytes()),
            Self::SetDayTable { table, slots } => {
                out.extend([*table, slots.count()]);
                slots.slots().iter().for_each(|slot| out.extend(slot.bytes()));
            }
            Self::SetDatePlan(entries) => {
                out.push(u8::try_from(entries.len()).unwrap_or(u8::MAX));
                entries.iter().for_each(|entry| out.extend(entry.bytes()));
            }
        }
        out
    }

    /// Reads the fields after the serial number; fewer than eight zero bytes may follow them.
    ///
    /// # Errors
    /// [`ParseError`] says what is not as the profile has it.
    pub fn parse(code: u8, body: &[u8]) -> Result<Self, ParseError> {
        parse::operation(code, body)
    }
}
