//! What a meter shows: its counters, and how its wallet and relay stand.

use model::energy::Energy;
use model::meter::StatusWord;
use model::money::Fen;
use model::time::Timestamp;

use crate::load::Load;
use crate::serial::{AccountNumber, Serial};

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
    pub reactive_var: Option<i32>,
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
pub enum MeterStatus {
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
    pub clock: Option<Timestamp>,
    /// Remaining amount, where it can be read though not written.
    pub remaining: Option<Fen>,
    /// Purchase count, where it can be read though not written.
    pub count: Option<u16>,
}

impl MeterStatus {
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
    pub remaining: Fen,
    /// Credited minus debited in this epoch.
    pub cumulative: Fen,
    /// Money commands applied in this epoch.
    pub count: u16,
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
