//! The relay: the rule by which a meter controls it, and the relay itself.

use model::meter::ControlMode;
use serde::{Deserialize, Serialize};

/// Why the relay is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenReason {
    ForcedOff,
    NoAccount,
    /// An overload trip that was not released.
    Overload,
    /// A malignant-load trip that was not released.
    Malignant,
    /// Credit and overdraft are used up.
    Arrears,
    /// The resident's switch is off.
    UserSwitch,
}

/// Inputs of the relay rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayInputs {
    pub mode: ControlMode,
    pub account_open: bool,
    pub overload: bool,
    pub malignant: bool,
    /// The remaining amount is at or below minus the overdraft limit.
    pub used_up: bool,
    /// The resident's switch is off.
    pub switched_off: bool,
}

/// The relay rule in the order of the profile; `None`: the relay is closed.
#[must_use]
pub const fn open_reason(inputs: &RelayInputs) -> Option<OpenReason> {
    match inputs.mode {
        ControlMode::ForcedOff => return Some(OpenReason::ForcedOff),
        ControlMode::Guaranteed => return None,
        ControlMode::Prepaid => {}
    }
    if !inputs.account_open {
        Some(OpenReason::NoAccount)
    } else if inputs.overload {
        Some(OpenReason::Overload)
    } else if inputs.malignant {
        Some(OpenReason::Malignant)
    } else if inputs.used_up {
        Some(OpenReason::Arrears)
    } else if inputs.switched_off {
        Some(OpenReason::UserSwitch)
    } else {
        None
    }
}

/// The relay with its command and its defects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    /// State commanded by the rule: `true` is closed.
    pub commanded: bool,
    /// The contacts are welded: it never opens.
    pub welded: bool,
    /// The coil is dead: it never closes.
    pub stuck: bool,
}

impl Relay {
    /// Whether current can flow.
    #[must_use]
    pub const fn closed(self) -> bool {
        self.welded || (self.commanded && !self.stuck)
    }

    /// Whether it differs from the command.
    #[must_use]
    pub const fn fault(self) -> bool {
        self.closed() != self.commanded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: mode, account, overload, malignant, used up, switched off; and the result. Every condition is shown to take
    /// precedence over those after it.
    #[test]
    fn relay_rule_in_its_order() {
        use ControlMode::{ForcedOff, Guaranteed, Prepaid};
        let table = [
            (ForcedOff, true, false, false, false, false, Some(OpenReason::ForcedOff)),
            (ForcedOff, false, true, true, true, true, Some(OpenReason::ForcedOff)),
            (Guaranteed, true, false, false, false, false, None),
            (Guaranteed, false, true, true, true, true, None),
            (Prepaid, false, true, true, true, true, Some(OpenReason::NoAccount)),
            (Prepaid, false, false, false, false, false, Some(OpenReason::NoAccount)),
            (Prepaid, true, true, true, true, true, Some(OpenReason::Overload)),
            (Prepaid, true, false, true, true, true, Some(OpenReason::Malignant)),
            (Prepaid, true, false, false, true, true, Some(OpenReason::Arrears)),
            (Prepaid, true, false, false, false, true, Some(OpenReason::UserSwitch)),
            (Prepaid, true, false, false, false, false, None),
        ];
        for (mode, account_open, overload, malignant, used_up, switched_off, expected) in table {
            let inputs = RelayInputs { mode, account_open, overload, malignant, used_up, switched_off };
            assert_eq!(open_reason(&inputs), expected, "{inputs:?}");
        }
    }

    #[test]
    fn broken_relays_do_not_follow_commands() {
        for (commanded, welded, stuck, closed, fault) in [
            (true, false, false, true, false),
            (false, false, false, false, false),
            (false, true, false, true, true),
            (true, false, true, false, true),
            (true, true, false, true, false),
        ] {
            let relay = Relay { commanded, welded, stuck };
            assert_eq!((relay.closed(), relay.fault()), (closed, fault), "{relay:?}");
        }
    }
}
