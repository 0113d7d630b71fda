//! What a value of a profile means.

use serde::Deserialize;

macro_rules! fields {
    ($($name:ident),* $(,)?) => {
        /// What a value means. `profiles/README.md` gives each with its unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the names are the words of the profile")]
        pub enum Field { $($name),* }

        impl Field {
            /// How many there are.
            pub const COUNT: usize = [$(Self::$name),*].len();
        }
    };
}

fields! {
    // Counters and instantaneous values.
    Total, Reverse, Spike, Peak, Flat, Valley, Voltage, Current, Power, Reactive, Apparent, PowerFactor,
    // Who it is and how it stands.
    Serial, RelayClosed, RelayFault, Clock, Remaining, Count,
    // A secured wallet.
    Status, Cumulative, Epoch, Rate, Challenge, LastOperation, LastResult, LastOrder,
    JournalSequence, Parameters, TierEnergy, Account, Tamper, Accepts,
    // What it can say of its settings.
    Alarm1, Alarm2, Overdraft, Price,
    // Records of its freeze and its journal.
    Day, When, Kind, Cause, Amount,
    // DL/T 645 gives a clock in two items.
    Date, Time,
}

impl Field {
    /// What is measured.
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
    /// Who it is, and how wallet and relay stand.
    pub const FACE: &[Self] = &[
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
    /// What a meter with a secured wallet must show, all in one block.
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
    /// What it can say of its settings.
    pub const SETTINGS: &[Self] = &[Self::Alarm1, Self::Alarm2, Self::Overdraft, Self::Price];
    /// What is a time rather than a number.
    pub const TIMES: &[Self] = &[Self::Clock, Self::Day, Self::When];
    /// What a record of the daily freeze may hold.
    pub const FREEZE: &[Self] = &[Self::Day, Self::Total, Self::Remaining];
    /// What a record of a journal may hold.
    pub const JOURNAL: &[Self] =
        &[Self::JournalSequence, Self::Kind, Self::Cause, Self::When, Self::Amount, Self::Count, Self::Remaining];
    /// What may be listed once a phase; the phases are added.
    pub const PHASES: &[Self] = &[Self::Power, Self::Reactive, Self::Apparent];
    /// What is one of two states rather than a number.
    pub const FLAGS: &[Self] = &[Self::RelayClosed, Self::RelayFault];

    /// Whether it is one of these.
    #[must_use]
    pub fn is_in(self, list: &[Self]) -> bool {
        list.contains(&self)
    }
}
