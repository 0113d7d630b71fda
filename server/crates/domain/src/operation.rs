//! Operations of secured frames: code and fields after the serial number.

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
    /// Opens an account: count, amounts and tier energy become 0, the key epoch increases by 1.
    Open {
        account: AccountNumber,
    },
    Credit {
        order: u64,
        /// Purchase count after the operation.
        count: u16,
        amount: u32,
    },
    /// Takes back credit, at most the remaining amount.
    Debit {
        order: u64,
        /// Purchase count after the operation.
        count: u16,
        amount: u32,
    },
    /// Closes the account: empties the wallet and opens the relay.
    Close {
        order: u64,
        /// Purchase count after the operation.
        count: u16,
    },
    /// Sets the control mode; releases an overload or malignant-load trip.
    SetMode(ControlMode),
    /// The resident's switch; `true` is on.
    UserSwitch(bool),
    /// Alarm, overdraft, hoarding and overload limits.
    SetLimits(Limits),
    /// Prices of rates 1-4.
    SetPrices {
        /// `true`: the prices take effect at the switch-over time; `false`: at once.
        standby: bool,
        prices: [u32; 4],
    },
    SetTiers(Tiers),
    /// When the standby prices take effect; `None` cancels the switch-over.
    SetSwitchOver(Option<BcdTime>),
    SetClock(BcdTime),
    /// One of the two day tables.
    SetDayTable {
        /// 1 or 2.
        table: u8,
        slots: DayTable,
    },
    /// Which day table applies from which day of the year; at most four entries.
    SetDatePlan(Vec<PlanEntry>),
}

impl Operation {
    /// Operation code on the wire.
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

    /// Whether it moves money and increases the purchase count.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Credit { .. } | Self::Debit { .. } | Self::Close { .. })
    }

    /// The encoded fields, without serial number and padding.
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

    /// Decodes the fields after the serial number; up to seven zero bytes of padding may follow.
    ///
    /// # Errors
    /// [`ParseError`] for a code, length, value or padding that the profile does not allow.
    pub fn parse(code: u8, body: &[u8]) -> Result<Self, ParseError> {
        parse::operation(code, body)
    }
}
