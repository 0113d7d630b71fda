//! Decoded values of a meter: measurements, wallet and relay.

use model::energy::Energy;
use model::meter::StatusWord;
use model::money::Fen;
use model::time::Timestamp;

use crate::load::Load;
use crate::serial::{AccountNumber, Serial};

/// Counters and instantaneous values of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Active energy in both directions; the billed counter.
    pub total: Energy,
    /// The part of it that flowed in reverse, from a wiring fault or a bypass.
    pub reverse: Option<Energy>,
    /// By rate: spike, peak, flat, valley.
    pub rates: Option<[Energy; 4]>,
    /// In 0.1 V; the first phase of a three-phase meter.
    pub voltage_dv: Option<u16>,
    /// In 0.01 A; the first phase of a three-phase meter.
    pub current_ca: Option<u16>,
    /// In W, sum of all phases.
    pub power_w: Option<i32>,
    pub reactive_var: Option<i32>,
    pub apparent_va: Option<i32>,
    /// In 0.001.
    pub power_factor: Option<i16>,
}

impl Measurement {
    /// The load at `at`; `None` if the meter measures no power.
    #[must_use]
    pub fn load(&self, at: Timestamp) -> Option<Load> {
        Load::new(at, self.power_w, self.apparent_va, self.power_factor, self.voltage_dv.zip(self.current_ca))
    }
}

/// Everything a meter shows besides its measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterStatus {
    /// The credit lives in the meter: its state block.
    Wallet(StateBlock),
    /// No secured wallet in the meter: the server decides, the meter switches or only measures.
    Plain(PlainStatus),
}

/// Status of a meter without a secured wallet; `None` for what the meter does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlainStatus {
    /// Observed relay state.
    pub relay_closed: Option<bool>,
    /// The meter reports a relay fault.
    pub relay_fault: Option<bool>,
    pub clock: Option<Timestamp>,
    /// Remaining amount, on meters that show it although the server cannot write it.
    pub remaining: Option<Fen>,
    /// Purchase count, on meters that show it although the server cannot write it.
    pub count: Option<u16>,
}

impl MeterStatus {
    /// The meter's own status word, or one built from the relay state; bit 15 marks an unknown relay state.
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

    /// The meter's clock minus `at`, s.
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
    pub const fn wallet(&self) -> Option<&StateBlock> {
        match self {
            Self::Wallet(state) => Some(state),
            Self::Plain(_) => None,
        }
    }
}

/// The state block of the reference profile: identity, wallet and relay at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBlock {
    pub serial: Serial,
    pub status: StatusWord,
    pub remaining: Fen,
    /// Credits minus debits in this key epoch.
    pub cumulative: Fen,
    /// Purchase count: money commands applied in this key epoch.
    pub count: u16,
    pub epoch: u16,
    pub reverse: Energy,
    /// Rate in force, 1-4.
    pub rate: u16,
    /// `None` if the meter shows no valid time.
    pub clock: Option<Timestamp>,
    /// The value that the next secured frame must carry.
    pub challenge: [u8; 4],
    /// Operation code of the last secured frame.
    pub last_operation: u8,
    pub last_result: u8,
    /// Order number of the last applied money command.
    pub last_order: u64,
    /// Sequence number of the newest journal record.
    pub journal: u16,
    /// Parameter version; increases with each accepted parameter command.
    pub parameters: u16,
    /// Energy used in the current tier period.
    pub tier_energy: Energy,
    /// [`AccountNumber::NONE`] if no account is open.
    pub account: AccountNumber,
    /// Number of cover-open and bypass events.
    pub tamper: u16,
    /// Bit mask of the frame versions that the meter accepts.
    pub accepts: u16,
}

impl StateBlock {
    /// Depth of the overdraft; zero if the balance is not negative.
    #[must_use]
    pub fn overdraft(&self) -> Fen {
        Fen(self.remaining.0.min(0).saturating_neg())
    }
}
