//! What a meter should show by the books.

use model::case::{CaseDetail, MeterPosition};
use model::meter::ControlMode;
use model::money::Fen;

use crate::meter_state::StateBlock;
use crate::serial::AccountNumber;

/// What the ledger knows a meter to have applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerPosition {
    pub epoch: u16,
    pub count: u16,
    /// Credited minus debited.
    pub cumulative: Fen,
}

impl LedgerPosition {
    /// From epoch, count and cumulative amount (fen) as they are stored; `None` where a meter could not hold them.
    #[must_use]
    pub fn from_row((epoch, count, cumulative): (i64, i64, i64)) -> Option<Self> {
        Some(Self { epoch: epoch.try_into().ok()?, count: count.try_into().ok()?, cumulative: Fen(cumulative) })
    }

    /// What a state shows.
    #[must_use]
    pub const fn of(state: &StateBlock) -> Self {
        Self { epoch: state.epoch, count: state.count, cumulative: state.cumulative }
    }

    fn position(self) -> MeterPosition {
        let Self { epoch, count, cumulative } = self;
        MeterPosition { epoch: Some(epoch), count: Some(count), cumulative: Some(cumulative), ..MeterPosition::default() }
    }
}

/// What a state shows of what the books know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownState {
    pub account: Option<AccountNumber>,
    pub mode: ControlMode,
    pub position: LedgerPosition,
}

impl ShownState {
    #[must_use]
    pub fn of(state: &StateBlock) -> Self {
        Self { account: account(state), mode: state.status.mode(), position: LedgerPosition::of(state) }
    }
}

/// What a meter with a wallet should show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedState {
    /// The account that is open in it, and its position; `None`: none is open.
    pub account: Option<(AccountNumber, LedgerPosition)>,
    /// `None` until a command or the first reading tells it.
    pub mode: Option<ControlMode>,
}

/// In what a state differs from the expected one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateDifference {
    /// Purchase count, key epoch or cumulative amount.
    pub ledger: bool,
    /// Another account is open, or none.
    pub account: bool,
    pub mode: bool,
}

impl StateDifference {
    /// Whether account or mode differ: somebody else sent the meter a command.
    #[must_use]
    pub const fn is_changed(self) -> bool {
        self.account || self.mode
    }
}

/// The account that a state shows as open.
fn account(state: &StateBlock) -> Option<AccountNumber> {
    state.status.account_open().then_some(state.account)
}

impl ExpectedState {
    /// Positions are compared only in the right account.
    #[must_use]
    pub fn difference(&self, state: &StateBlock) -> StateDifference {
        let (expected, found) = (self.account.map(|(number, _)| number), account(state));
        let account = expected != found;
        StateDifference {
            ledger: !account && self.account.is_some_and(|(_, position)| position != LedgerPosition::of(state)),
            account,
            mode: self.mode.is_some_and(|mode| mode != state.status.mode()),
        }
    }

    /// The case about a position that differs.
    #[must_use]
    pub fn ledger_case(&self, state: &StateBlock) -> Option<CaseDetail> {
        let (_, position) = self.account.filter(|_| self.difference(state).ledger)?;
        Some(CaseDetail::MeterDiffers { ledger: position.position(), meter: LedgerPosition::of(state).position() })
    }

    /// The case about an account or mode that differs.
    #[must_use]
    pub fn change_case(&self, state: &StateBlock) -> Option<CaseDetail> {
        let difference = self.difference(state);
        let shown = |account: Option<AccountNumber>, mode: Option<ControlMode>| MeterPosition {
            account: difference.account.then(|| account.map_or_else(String::new, |number| number.to_string())),
            mode: mode.filter(|_| difference.mode),
            ..MeterPosition::default()
        };
        let expected = shown(self.account.map(|(number, _)| number), self.mode);
        let found = shown(account(state), Some(state.status.mode()));
        difference.is_changed().then_some(CaseDetail::MeterChanged { expected, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::state;
    use model::meter::StatusWord;

    #[test]
    fn accounts_positions_and_modes_are_compared() {
        let (ours, other): (AccountNumber, AccountNumber) =
            ("6407353703886369".parse().unwrap(), "1111111111111111".parse().unwrap());
        let position = LedgerPosition { epoch: 1, count: 4, cumulative: Fen(900) };
        let shows = |status, account, count| StateBlock {
            status: StatusWord(status),
            account,
            count,
            epoch: 1,
            cumulative: Fen(900),
            ..state()
        };
        let in_use = ExpectedState { account: Some((ours, position)), mode: Some(ControlMode::Prepaid) };
        let empty = ExpectedState { account: None, mode: None };
        let differs = |ledger, account, mode| StateDifference { ledger, account, mode };
        for (expected, state, difference) in [
            (in_use, shows(0b10, ours, 4), differs(false, false, false)),
            (in_use, shows(0b10, ours, 5), differs(true, false, false)),
            (in_use, shows(0b10, other, 5), differs(false, true, false)),
            (in_use, shows(0, AccountNumber::NONE, 4), differs(false, true, false)),
            (in_use, shows(0b1000_0010, ours, 4), differs(false, false, true)),
            (empty, shows(0b1000_0000, AccountNumber::NONE, 9), differs(false, false, false)),
            (empty, shows(0b10, other, 0), differs(false, true, false)),
        ] {
            assert_eq!(expected.difference(&state), difference, "{expected:?} {state:?}");
            assert_eq!(expected.ledger_case(&state).is_some(), difference.ledger);
            let changed = expected.change_case(&state);
            assert_eq!(changed.is_some(), difference.account || difference.mode);
            assert_eq!(changed.is_some_and(|case| case.has_foreign_account()), difference.account);
        }
    }
}
