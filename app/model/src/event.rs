//! What is or was the matter with a meter or a gateway.

use serde::{Deserialize, Serialize};

/// Kinds of events; each has its reason and the next step in the catalogues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// The relay does not do what it is told: welded or stuck.
    RelayFault,
    /// Tripped for too much power.
    Overload,
    /// Tripped for a load that is forbidden.
    Malignant,
    /// Nothing is left, and the relay is open for it.
    Arrears,
    /// Below alarm amount 2.
    Alarm2,
    /// Below alarm amount 1.
    Alarm1,
    /// Energy flows backwards: a wiring fault or a bypass.
    Reverse,
    /// The cover is open.
    CoverOpen,
    /// The count of cover and bypass events grew: over as it is seen.
    Tamper,
    /// The energy counter was set to nothing.
    CounterZeroed,
    /// The clock shows no real time.
    ClockLost,
    /// The meter does not answer, though its gateway does.
    MeterLost,
    /// Nothing behind the gateway answers.
    GatewayLost,
}

impl EventKind {
    /// All of them, the gravest first.
    pub const ALL: [Self; 13] = [
        Self::RelayFault,
        Self::Overload,
        Self::Malignant,
        Self::Arrears,
        Self::Alarm2,
        Self::Alarm1,
        Self::Reverse,
        Self::CoverOpen,
        Self::Tamper,
        Self::CounterZeroed,
        Self::ClockLost,
        Self::MeterLost,
        Self::GatewayLost,
    ];

    /// The word that the database and addresses use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RelayFault => "relay-fault",
            Self::Overload => "overload",
            Self::Malignant => "malignant-load",
            Self::Arrears => "arrears",
            Self::Alarm2 => "alarm-2",
            Self::Alarm1 => "alarm-1",
            Self::Reverse => "reverse-energy",
            Self::CoverOpen => "cover-open",
            Self::Tamper => "tamper",
            Self::CounterZeroed => "counter-zeroed",
            Self::ClockLost => "clock-lost",
            Self::MeterLost => "meter-lost",
            Self::GatewayLost => "gateway-lost",
        }
    }

    /// From that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How sure a day's energy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayMark {
    /// A midnight of it was not read but worked out from the readings around it.
    pub estimated: bool,
    /// Late data changed it after it was over.
    pub revised: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_round() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::parse("earthquake"), None);
    }
}
