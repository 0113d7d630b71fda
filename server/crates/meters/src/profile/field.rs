//! The fields that a profile can describe.

use serde::Deserialize;

macro_rules! fields {
    ($($name:ident),* $(,)?) => {
        /// Meaning of a value. `profiles/README.md` lists the fields with their units.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the names are the keywords of the profile format")]
        pub enum MeterField { $($name),* }

        impl MeterField {
            pub const ALL: &[Self] = &[$(Self::$name),*];
            pub const COUNT: usize = Self::ALL.len();
        }
    };
}

fields! {
    // Counters and instantaneous values.
    Total, Reverse, Spike, Peak, Flat, Valley, Voltage, Current, Power, Reactive, Apparent, PowerFactor,
    // Identity, relay and readable wallet.
    Serial, RelayClosed, RelayFault, Clock, Remaining, Count,
    // A secured wallet.
    Status, Cumulative, Epoch, Rate, Challenge, LastOperation, LastResult, LastOrder,
    JournalSequence, Parameters, TierEnergy, Account, Tamper, Accepts,
    // Readable settings.
    Alarm1, Alarm2, Overdraft, Price,
    // Records of freeze and journal.
    Day, When, Kind, Cause, Amount,
    // DL/T 645 has date and time of day as two items.
    Date, Time,
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(u64);

const _: () = assert!(MeterField::COUNT <= 64);

impl FieldSet {
    pub const fn insert(&mut self, field: MeterField) {
        self.0 |= 1 << field as u32;
    }

    #[must_use]
    pub const fn contains(self, field: MeterField) -> bool {
        self.0 & 1 << field as u32 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = MeterField> {
        MeterField::ALL.iter().copied().filter(move |field| self.contains(*field))
    }
}

impl MeterField {
    /// Counters and instantaneous values.
    pub const MEASUREMENT: &[Self] = &[
        Self::Total,
        Self::Reverse,
        Self::Spike,
        Self::Peak,
        Self::Flat,
        Self::Valley,
        Self::Voltage,
        Self::Current,
        Self::Power,
        Self::Reactive,
        Self::Apparent,
        Self::PowerFactor,
    ];
    /// Identity, wallet and relay.
    pub const STATUS_FIELDS: &[Self] = &[
        Self::Serial,
        Self::RelayClosed,
        Self::RelayFault,
        Self::Clock,
        Self::Remaining,
        Self::Count,
        Self::Status,
        Self::Cumulative,
        Self::Epoch,
        Self::Rate,
        Self::Challenge,
        Self::LastOperation,
        Self::LastResult,
        Self::LastOrder,
        Self::JournalSequence,
        Self::Parameters,
        Self::TierEnergy,
        Self::Account,
        Self::Tamper,
        Self::Accepts,
    ];
    /// Fields that a meter with a secured wallet must have, all in one block.
    pub const WALLET: &[Self] = &[
        Self::Serial,
        Self::Status,
        Self::Remaining,
        Self::Cumulative,
        Self::Count,
        Self::Epoch,
        Self::Reverse,
        Self::Rate,
        Self::Clock,
        Self::Challenge,
        Self::LastOperation,
        Self::LastResult,
        Self::LastOrder,
        Self::JournalSequence,
        Self::Parameters,
        Self::TierEnergy,
        Self::Account,
        Self::Tamper,
        Self::Accepts,
    ];
    pub const SETTINGS: &[Self] = &[Self::Alarm1, Self::Alarm2, Self::Overdraft, Self::Price];
    /// Fields that are times.
    pub const TIMES: &[Self] = &[Self::Clock, Self::Day, Self::When];
    /// Fields of a daily freeze record.
    pub const FREEZE: &[Self] = &[Self::Day, Self::Total, Self::Remaining];
    /// Fields of a journal record.
    pub const JOURNAL: &[Self] =
        &[Self::JournalSequence, Self::Kind, Self::Cause, Self::When, Self::Amount, Self::Count, Self::Remaining];
    /// Fields that may be listed once per phase; the phases are added.
    pub const PHASES: &[Self] = &[Self::Power, Self::Reactive, Self::Apparent];
    /// Fields with two states.
    pub const FLAGS: &[Self] = &[Self::RelayClosed, Self::RelayFault];

    #[must_use]
    pub fn is_in(self, list: &[Self]) -> bool {
        list.contains(&self)
    }
}
