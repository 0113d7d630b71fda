//! What is known of a GSM modem.

use crate::time::Timestamp;
use crate::word_enum;

word_enum! {
    /// Whether the modem can send.
    pub enum ModemPhase {
        /// It is being set up.
        Starting = "starting",
        Ready = "ready",
        /// The serial port cannot be opened.
        NoPort = "no-port",
        /// It does not answer, or not in its language.
        NoAnswer = "no-answer",
        /// Its SIM cannot be used.
        NoSim = "no-sim",
        /// It is not in a network.
        NoNetwork = "no-network",
    }

    /// The SIM of a modem.
    pub enum SimState {
        Unknown = "unknown",
        Ready = "ready",
        /// There is none, or it is broken.
        Missing = "missing",
        /// The configuration has no PIN, and the SIM needs one.
        PinNeeded = "pin-needed",
        /// The SIM refused the PIN of the configuration; it is not tried again, since three wrong ones lock the SIM.
        PinRefused = "pin-refused",
        /// The SIM is locked until its PUK is entered in a phone.
        PukNeeded = "puk-needed",
    }

    /// Whether a modem is in a network (3GPP 27.007, +CREG).
    pub enum Registration {
        Unknown = "unknown",
        Home = "home",
        Roaming = "roaming",
        Searching = "searching",
        Denied = "denied",
        /// In no network, and not looking for one.
        Idle = "idle",
    }
}

impl Registration {
    #[must_use]
    pub const fn can_send(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

/// The state of a modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemState {
    pub phase: ModemPhase,
    pub sim: SimState,
    pub registration: Registration,
    /// 0 (-113 dBm) to 31 (-51 dBm and better); `None` where the modem does not know.
    pub signal: Option<u8>,
    /// The network's name; empty where it is not known.
    pub network: String,
    /// Most SIMs do not know their own number.
    pub own_number: Option<String>,
    /// When it answered last.
    pub answered_at: Option<Timestamp>,
    /// How often it had to be set up again since the server started.
    pub recoveries: i64,
}

impl Default for ModemState {
    fn default() -> Self {
        Self {
            phase: ModemPhase::Starting,
            sim: SimState::Unknown,
            registration: Registration::Unknown,
            signal: None,
            network: String::new(),
            own_number: None,
            answered_at: None,
            recoveries: 0,
        }
    }
}

impl ModemState {
    /// The strength of the signal in dBm.
    #[must_use]
    pub fn dbm(&self) -> Option<i64> {
        self.signal.map(|signal| i64::from(signal) * 2 - 113)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_is_in_steps_of_two_dbm() {
        let of = |signal| ModemState { signal, ..ModemState::default() }.dbm();
        assert_eq!([Some(0), Some(31), None].map(of), [Some(-113), Some(-51), None]);
    }
}
