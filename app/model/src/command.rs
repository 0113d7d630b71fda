//! Commands to meters: what they ask for, how urgent they are, and why one stands where it stands.

use crate::case::HoldReason;
use crate::issue::Kind;
use crate::{code_enum, word_enum};

word_enum! {
    /// What a command asks of its meter, without the values.
    pub enum CommandKind {
        /// Opens an account in the meter.
        Open = "open",
        Credit = "credit",
        Debit = "debit",
        /// Closes the account; the meter's wallet is emptied.
        Close = "close",
        Mode = "mode",
        Switch = "switch",
        Limits = "limits",
        Prices = "prices",
        Standby = "standby",
        SwitchOver = "switch_over",
        Tiers = "tiers",
        DayTable = "day_table",
        DatePlan = "date_plan",
        Clock = "clock",
        Read = "read",
        /// Moves the relay of a meter whose credit is on the server.
        Relay = "relay",
        /// Checks that planned prices came into force.
        InForce = "in_force",
    }

    /// Why a command waits, failed, or was given up.
    pub enum CommandReason {
        /// The meter does not answer. It is tried again at `next_at`, and at once when the meter answers.
        Lost = "lost",
        /// The gateway does not accept connections.
        GatewayLost = "gateway-lost",
        /// The meter or its gateway is busy.
        Busy = "busy",
        /// The server stops.
        Stopping = "stopping",
        /// The answer cannot be decoded.
        Unreadable = "unreadable",
        /// Another meter answers at the address.
        SerialMismatch = "serial-mismatch",
        /// Frames were sent and no answer says what became of them; the meter is read again at `next_at`.
        Unconfirmed = "unconfirmed",
        /// The meter is not in service, or its profile is unknown.
        UnknownMeter = "unknown-meter",
        /// The arguments are not those of the kind, or the meter cannot do it.
        Invalid = "invalid",
        /// A newer command of its kind replaced it.
        Superseded = "superseded",
        /// The relay does not follow.
        Relay = "relay",
        /// It was meant for a moment that has passed.
        Late = "late",
        /// A person cancelled it before it was sent.
        Cancelled = "cancelled",
        /// Its money is refunded instead.
        Refund = "refund",
        /// The meter was gone, and a person entered its final reading.
        Counted = "counted",
        /// The meter does not accept the password, or none is configured.
        Password = "password",
        /// It was sent as often as allowed, and the meter does not show it.
        NotKept = "not-kept",
        /// Planned prices are not in force after their switch-over.
        Missed = "missed",
        /// The meter rejected the frame.
        FrameRefused = "frame-refused",
        /// No account is on the meter.
        NoAccount = "no-account",
        /// The meter's journal has no record of the closure.
        NoFinalRecord = "no-final-record",
        /// The meter would hold more than the hoarding limit.
        HoardingLimit = "hoarding-limit",
        /// A debit of more than the meter holds.
        ExceedsRemaining = "exceeds-remaining",
        /// The meter says that it was applied and shows that it was not.
        Contradiction = "contradiction",
        /// Only the closure is left of the meter's purchase counts.
        CountEnds = "count-ends",
        /// The purchase count is neither the claimed one nor the one before.
        Count = "count",
        /// Another order made the claimed purchase count.
        Order = "order",
        /// The key epoch is not the claimed one.
        Epoch = "epoch",
        /// The meter shows no open account.
        NotOpen = "not-open",
        /// The meter shows another account.
        Account = "account",
        /// The meter's result: the purchase count does not follow.
        PurchaseCount = "purchase-count",
        /// The meter's result: the MAC is wrong.
        Mac = "mac",
        /// The meter's result: no account is open.
        AccountNotOpen = "account-not-open",
        /// The meter's result: an account is open.
        AccountAlreadyOpen = "account-already-open",
        /// The meter's result: the challenge has moved on.
        StaleChallenge = "stale-challenge",
        /// The meter's result: a value is out of range.
        OutOfRange = "out-of-range",
        /// A result that the profile does not define.
        UnknownResult = "unknown-result",
    }
}

code_enum! {
    /// Priority of a command on its bus; the smallest goes first.
    pub enum CommandPriority {
        Money = 0,
        /// Modes, switches and relays.
        Relay = 1,
        Settings = 2,
        /// Somebody asked to read the meter.
        Read = 3,
    }
}

impl CommandKind {
    /// Whether it moves money: it changes the purchase count or the key epoch.
    #[must_use]
    pub const fn moves_money(self) -> bool {
        matches!(self, Self::Open | Self::Credit | Self::Debit | Self::Close)
    }

    #[must_use]
    pub const fn priority(self) -> CommandPriority {
        match self {
            Self::Open | Self::Credit | Self::Debit | Self::Close => CommandPriority::Money,
            Self::Mode | Self::Switch | Self::Relay => CommandPriority::Relay,
            // Behind everything else, so that it never overtakes the prices that it checks.
            Self::Read | Self::InForce => CommandPriority::Read,
            _ => CommandPriority::Settings,
        }
    }
}

impl From<Kind> for CommandKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Mode => Self::Mode,
            Kind::Switch => Self::Switch,
            Kind::Limits => Self::Limits,
            Kind::Prices => Self::Prices,
            Kind::Standby => Self::Standby,
            Kind::Cancel => Self::SwitchOver,
            Kind::Tiers => Self::Tiers,
            Kind::DayTable => Self::DayTable,
            Kind::DatePlan => Self::DatePlan,
            Kind::Clock => Self::Clock,
            Kind::Read => Self::Read,
        }
    }
}

impl From<HoldReason> for CommandReason {
    fn from(reason: HoldReason) -> Self {
        match reason {
            HoldReason::Epoch => Self::Epoch,
            HoldReason::Order => Self::Order,
            HoldReason::Count => Self::Count,
            HoldReason::NotOpen => Self::NotOpen,
            HoldReason::Account => Self::Account,
            HoldReason::PurchaseCount => Self::PurchaseCount,
            HoldReason::HoardingLimit => Self::HoardingLimit,
            HoldReason::SerialMismatch => Self::SerialMismatch,
            HoldReason::Mac => Self::Mac,
            HoldReason::AccountNotOpen => Self::AccountNotOpen,
            HoldReason::AccountAlreadyOpen => Self::AccountAlreadyOpen,
            HoldReason::ExceedsRemaining => Self::ExceedsRemaining,
            HoldReason::StaleChallenge => Self::StaleChallenge,
            HoldReason::OutOfRange => Self::OutOfRange,
            HoldReason::UnknownResult => Self::UnknownResult,
            HoldReason::Contradiction => Self::Contradiction,
            HoldReason::CountEnds => Self::CountEnds,
            HoldReason::NoAccount => Self::NoAccount,
            HoldReason::Invalid => Self::Invalid,
            HoldReason::FrameRefused => Self::FrameRefused,
            HoldReason::NoFinalRecord => Self::NoFinalRecord,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_commands_keep_the_reason_of_their_case() {
        for reason in HoldReason::ALL {
            assert_eq!(CommandReason::from(reason).as_str(), reason.as_str());
        }
    }

    #[test]
    fn operations_keep_their_word_in_the_outbox() {
        for kind in Kind::ALL {
            assert_eq!(CommandKind::from(kind).as_str(), kind.as_str());
        }
    }
}
