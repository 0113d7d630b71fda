//! A meter as it was last observed, and the state that people see.

use serde::{Deserialize, Serialize};

use super::energy::Energy;
use super::ids::MeterId;
use super::money::Fen;
use super::time::Timestamp;
use crate::word_enum;

/// The seven states of the wall: one a meter, worst first when several apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum SupplyState {
    /// Account open, credit above both alarm amounts.
    Open = 0,
    /// Credit below alarm amount 1.
    Alarm1 = 1,
    /// Credit below alarm amount 2.
    Alarm2 = 2,
    /// Credit used up, or tripped for arrears.
    Arrears = 3,
    /// No account is open.
    NotOpen = 4,
    /// The meter does not answer.
    Lost = 5,
    /// The meter answers, and nothing of it can be read.
    Unreadable = 6,
}

impl SupplyState {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Alarm1, Self::Alarm2, Self::Arrears, Self::NotOpen, Self::Lost, Self::Unreadable];

    /// Whether what is known of the meter is out of date: it is lost or unreadable.
    #[must_use]
    pub const fn is_unread(self) -> bool {
        matches!(self, Self::Lost | Self::Unreadable)
    }

    /// From its code; anything unknown is lost.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Open,
            1 => Self::Alarm1,
            2 => Self::Alarm2,
            3 => Self::Arrears,
            4 => Self::NotOpen,
            6 => Self::Unreadable,
            _ => Self::Lost,
        }
    }
}

word_enum! {
    /// How the relay is governed.
    #[derive(Default)]
    pub enum ControlMode {
        /// By the credit in the meter.
        #[default]
        Prepaid = "prepaid",
        /// Forced on, whatever the credit.
        Guaranteed = "guaranteed",
        /// Forced off, whatever the credit.
        ForcedOff = "forced_off",
    }

    /// Where a meter's credit lives.
    #[derive(Default)]
    pub enum Wallet {
        /// In the meter, which judges by itself, offline too.
        #[default]
        Meter = "meter",
        /// On the ledger: the server trips the relay.
        Server = "server",
        /// Nowhere: an instrument, which only measures.
        None = "none",
    }
}

impl ControlMode {
    /// Its code in a secured frame.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Prepaid => 0,
            Self::Guaranteed => 1,
            Self::ForcedOff => 2,
        }
    }
}

/// The status word of the reference prepaid profile, register 0x0103.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusWord(pub u16);

macro_rules! bits {
    ($($(#[$doc:meta])* $name:ident = $bit:expr),* $(,)?) => {
        impl StatusWord {$(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(self) -> bool { self.0 & (1 << $bit) != 0 }
        )*}
    };
}

bits! {
    /// The relay was observed closed: power flows.
    relay_closed = 0,
    /// An account is open.
    account_open = 1,
    /// Remaining amount below alarm amount 1.
    below_alarm1 = 2,
    /// Remaining amount below alarm amount 2.
    below_alarm2 = 3,
    /// Tripped for arrears.
    tripped_arrears = 4,
    /// Tripped for overload.
    tripped_overload = 5,
    /// Guaranteed: forced on.
    guaranteed = 6,
    forced_off = 7,
    /// The resident's own switch is off.
    user_switch_off = 8,
    /// Reverse energy was seen in the last 24 h.
    reverse_energy = 9,
    /// The cover is open.
    cover_open = 10,
    /// Tripped for a malignant load.
    tripped_malignant = 11,
    /// The relay does not do what it was told.
    relay_fault = 12,
    /// The clock was lost.
    clock_lost = 13,
    /// Standby prices are loaded.
    standby_prices = 14,
    /// Ours, not the profile's: nothing tells how the relay stands, or there is none.
    relay_unseen = 15,
}

impl StatusWord {
    /// The control mode that the word names.
    #[must_use]
    pub const fn mode(self) -> ControlMode {
        if self.forced_off() {
            ControlMode::ForcedOff
        } else if self.guaranteed() {
            ControlMode::Guaranteed
        } else {
            ControlMode::Prepaid
        }
    }
}

/// What a meter was last seen to hold; the newest good reading, and since when it has been silent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latest {
    pub meter: MeterId,
    /// When the values below were read; `None` before the first reading.
    pub observed_at: Option<Timestamp>,
    /// Since when it could not be read; `None` while it can.
    pub lost_since: Option<Timestamp>,
    /// It answered since then, and nothing of it could be read; otherwise it did not answer.
    pub unreadable: bool,
    /// Its status word.
    pub status: StatusWord,
    /// Remaining amount, negative in overdraft.
    pub remaining: Fen,
    /// Credited minus debited in this key epoch.
    pub cumulative: Fen,
    /// Money commands applied in this key epoch.
    pub count: u16,
    pub epoch: u16,
    /// Total active energy counter.
    pub total: Energy,
    /// Reverse active energy counter.
    pub reverse: Energy,
    /// Active power, W; `None`, here and below, for what the meter does not measure.
    pub power_w: Option<i32>,
    /// Voltage, 0.1 V.
    pub voltage_dv: Option<u16>,
    /// Current, 0.01 A.
    pub current_ca: Option<u16>,
    /// Power factor, 0.001.
    pub power_factor: Option<i16>,
    /// Meter clock minus ours, s; `None` where its clock cannot be read.
    pub clock_offset_s: Option<i32>,
    /// Rate in force, 1-4.
    pub rate: Option<u8>,
    /// Energy used in the current tier period.
    pub tier: Option<Energy>,
    /// Cover and bypass events since manufacture.
    pub tamper: Option<u16>,
    /// Sequence of the newest record in its journal.
    pub journal: Option<u16>,
}

impl Latest {
    /// A meter that was never read.
    #[must_use]
    pub fn unseen(meter: MeterId) -> Self {
        Self {
            meter,
            observed_at: None,
            lost_since: None,
            unreadable: false,
            status: StatusWord::default(),
            remaining: Fen::ZERO,
            cumulative: Fen::ZERO,
            count: 0,
            epoch: 0,
            total: Energy::ZERO,
            reverse: Energy::ZERO,
            power_w: None,
            voltage_dv: None,
            current_ca: None,
            power_factor: None,
            clock_offset_s: None,
            rate: None,
            tier: None,
            tamper: None,
            journal: None,
        }
    }

    /// The one state that people see.
    #[must_use]
    pub const fn state(&self) -> SupplyState {
        if self.lost_since.is_some() || self.observed_at.is_none() {
            if self.unreadable { SupplyState::Unreadable } else { SupplyState::Lost }
        } else if !self.status.account_open() {
            SupplyState::NotOpen
        } else if self.status.tripped_arrears() || self.remaining.0 <= 0 {
            SupplyState::Arrears
        } else if self.status.below_alarm2() {
            SupplyState::Alarm2
        } else if self.status.below_alarm1() {
            SupplyState::Alarm1
        } else {
            SupplyState::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: u16, remaining: i64) -> Latest {
        Latest {
            observed_at: Some(Timestamp(1)),
            status: StatusWord(status),
            remaining: Fen(remaining),
            ..Latest::unseen(MeterId(uuid::Uuid::nil()))
        }
    }

    #[test]
    fn the_worst_state_wins() {
        assert_eq!(seen(0b0011, 5_000).state(), SupplyState::Open);
        assert_eq!(seen(0b0111, 1_500).state(), SupplyState::Alarm1);
        assert_eq!(seen(0b1111, 500).state(), SupplyState::Alarm2);
        assert_eq!(seen(0b1_1110, -1).state(), SupplyState::Arrears);
        assert_eq!(seen(0, 0).state(), SupplyState::NotOpen);
        let lost = Latest { lost_since: Some(Timestamp(2)), ..seen(0b1_1110, -1) };
        assert_eq!(lost.state(), SupplyState::Lost);
        assert_eq!(Latest { unreadable: true, ..lost }.state(), SupplyState::Unreadable);
        assert_eq!(Latest::unseen(MeterId(uuid::Uuid::nil())).state(), SupplyState::Lost);
    }

    #[test]
    fn codes_go_round() {
        for state in SupplyState::ALL {
            assert_eq!(SupplyState::from_code(state as u8), state);
        }
    }
}
