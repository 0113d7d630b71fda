//! Readings: how good one is, and why it was taken; and what a meter's own journal records.

use crate::{code_enum, word_enum};

code_enum! {
    /// The quality of a reading's energy counter.
    pub enum ReadingQuality {
        /// The counter went on.
        Good = 0,
        /// It passed its end and began again at zero.
        Rollover = 1,
        /// It fell: the meter was replaced or tampered with.
        Fell = 2,
        /// It grew by more than can have passed.
        Jumped = 3,
        /// The reading is not newer than the last one.
        Disordered = 4,
        /// It began again at zero: reset, or erased over the bus.
        Reset = 5,
        /// An operator let it start again here; the energy before is not counted.
        Begun = 6,
        /// An operator entered the energy that passed up to here.
        Settled = 7,
    }

    /// Why a meter was read.
    pub enum ReadingSource {
        /// The regular round.
        Sweep = 0,
        OnDemand = 1,
        /// After a command.
        ReadBack = 2,
        /// The meter's own midnight value.
        Freeze = 3,
    }
}

word_enum! {
    /// What a record of a meter's journal is about.
    pub enum JournalKind {
        Credit = "credit",
        Debit = "debit",
        Open = "open",
        Close = "close",
        RelayOpened = "relay_opened",
        RelayClosed = "relay_closed",
        Parameter = "parameter",
        /// The cover was opened, or a bypass.
        Tamper = "tamper",
    }
}

impl ReadingQuality {
    /// Whether its energy counts, and the next reading is measured against it.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Good | Self::Rollover | Self::Begun | Self::Settled)
    }

    /// Whether the counter did not go on as it can have, which a person settles.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Fell | Self::Jumped | Self::Reset)
    }

    /// The word in a case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Rollover => "rollover",
            Self::Fell => "fell",
            Self::Jumped => "jumped",
            Self::Disordered => "disordered",
            Self::Reset => "reset",
            Self::Begun => "begun",
            Self::Settled => "settled",
        }
    }
}
