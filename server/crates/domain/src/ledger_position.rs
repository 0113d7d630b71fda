//! What the ledger knows a meter to have applied.

use model::money::Fen;

use crate::meter_state::StateBlock;

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
}
