//! The arguments of a command: written with the decision, carried out by the delivery engine.

use model::command::CommandKind;
use model::issue::Issue;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::money_rule::MoneyOperation;
use crate::serial::AccountNumber;

/// What a command asks for, with its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandArgs {
    /// Opens or closes an account in a meter, or moves money in or out of it.
    Money(MoneyOperation),
    /// An operator's or resident's operation that moves no money.
    Issue(Issue),
    /// Sets the clock because the clock rule found it wrong: soon after the decision, or not at all.
    ClockCorrection,
    /// Closes this account, which the books do not know, under this order number.
    CloseForeign { account: AccountNumber, order: u64 },
    /// Moves the relay of a meter whose credit is on the server.
    Relay { closed: bool },
    /// Checks that planned prices are in force since their switch-over.
    InForce {
        /// Of rates 1-4, 0.0001 yuan/kWh.
        prices: [u32; 4],
        /// The instant of the switch-over.
        at: Timestamp,
    },
}

impl CommandArgs {
    #[must_use]
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Money(MoneyOperation::Open(_)) => CommandKind::Open,
            Self::Money(MoneyOperation::Credit { .. }) => CommandKind::Credit,
            Self::Money(MoneyOperation::Debit { .. }) => CommandKind::Debit,
            Self::Money(MoneyOperation::Close { .. }) => CommandKind::Close,
            Self::Issue(issue) => issue.kind().into(),
            Self::ClockCorrection => CommandKind::Clock,
            Self::CloseForeign { .. } => CommandKind::CloseForeign,
            Self::Relay { .. } => CommandKind::Relay,
            Self::InForce { .. } => CommandKind::InForce,
        }
    }

    /// The position that it wants the relay in, where it moves a relay by itself.
    #[must_use]
    pub const fn relay_closed(&self) -> Option<bool> {
        match self {
            Self::Relay { closed } => Some(*closed),
            _ => None,
        }
    }

    /// Whether power is switched on or off at a resident's request.
    #[must_use]
    pub const fn switches_on(&self) -> Option<bool> {
        match self {
            Self::Issue(Issue::Switch(on)) | Self::Relay { closed: on } => Some(*on),
            _ => None,
        }
    }
}

impl From<Issue> for CommandArgs {
    fn from(issue: Issue) -> Self {
        Self::Issue(issue)
    }
}

/// The stored arguments. Those that this version cannot read are kept: their command is refused and does not block its meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredArgs {
    Known(CommandArgs),
    Unknown(serde_json::Value),
}

impl StoredArgs {
    /// `None` where this version cannot read them.
    #[must_use]
    pub const fn readable(&self) -> Option<&CommandArgs> {
        match self {
            Self::Known(args) => Some(args),
            Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::meter::ControlMode;

    #[test]
    fn arguments_survive_serialization() {
        let account = "6407353703886369".parse().unwrap();
        for (args, text) in [
            (CommandArgs::Money(MoneyOperation::Open(account)), r#"{"money":{"open":"6407353703886369"}}"#),
            (
                CommandArgs::Money(MoneyOperation::Credit { order: 7, amount: 5_000 }),
                r#"{"money":{"credit":{"order":7,"amount":5000}}}"#,
            ),
            (CommandArgs::Money(MoneyOperation::Close { order: 7 }), r#"{"money":{"close":{"order":7}}}"#),
            (CommandArgs::CloseForeign { account, order: 7 }, r#"{"close_foreign":{"account":"6407353703886369","order":7}}"#),
            (Issue::Mode(ControlMode::ForcedOff).into(), r#"{"issue":{"mode":"forced_off"}}"#),
            (Issue::Switch(false).into(), r#"{"issue":{"switch":false}}"#),
            (CommandArgs::ClockCorrection, r#""clock_correction""#),
            (CommandArgs::Relay { closed: true }, r#"{"relay":{"closed":true}}"#),
        ] {
            assert_eq!(serde_json::to_string(&args).unwrap(), text);
            assert_eq!(serde_json::from_str::<StoredArgs>(text).unwrap().readable(), Some(&args));
        }
    }

    #[test]
    fn unreadable_arguments_are_kept() {
        for text in [
            r#"{"money":{"credit":{"order":-7,"amount":5000}}}"#,
            r#"{"money":{"credit":{"order":7,"amount":5000000000}}}"#,
            r#"{"money":{"credit":{"order":7}}}"#,
            r#"{"money":{"open":"12"}}"#,
            r#"{"issue":{"mode":"on"}}"#,
            "{}",
        ] {
            assert_eq!(serde_json::from_str::<StoredArgs>(text).unwrap().readable(), None, "{text}");
        }
    }
}
