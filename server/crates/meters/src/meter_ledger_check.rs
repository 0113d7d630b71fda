//! Compares purchase count and cumulative amount of every meter with the ledger; an unexplained difference becomes a case
//! (promise 3).
//!
//! Each reading is compared in memory; only for a difference is the database asked whether a money command explains it.

use domain::ledger_position::LedgerPosition;
use std::collections::HashMap;

use model::ids::MeterId;
use model::time::Timestamp;

use domain::meter_state::StateBlock;
use domain::rng::Rng;
use store::{self, Db, deliveries};

/// The expected position of every meter with an open account.
#[derive(Default)]
pub struct MeterLedgerCheck(HashMap<MeterId, LedgerPosition>);

impl MeterLedgerCheck {
    /// Loads all positions from the database.
    pub async fn load(db: &Db) -> store::Result<Self> {
        Ok(Self(deliveries::ledger_positions(db).await?.into_iter().collect()))
    }

    /// Updates the position of a meter after a delivery; `None` if it has no open account any more.
    pub fn expect(&mut self, meter: MeterId, expected: Option<LedgerPosition>) {
        match expected {
            Some(expected) => drop(self.0.insert(meter, expected)),
            None => drop(self.0.remove(&meter)),
        }
    }

    /// Whether a state block differs from the expected position.
    #[must_use]
    pub fn differs(&self, meter: MeterId, state: &StateBlock) -> bool {
        self.0.get(&meter).is_some_and(|expected| *expected != LedgerPosition::of(state))
    }

    /// Looks up a difference in the database, and opens a case if no money command explains it.
    ///
    /// # Errors
    /// If the database fails; the next reading asks again.
    pub async fn confirm(
        &mut self,
        db: &Db,
        rng: &Rng,
        at: Timestamp,
        meter: MeterId,
        read_from: Timestamp,
        state: &StateBlock,
    ) -> store::Result<()> {
        let expected = deliveries::confirm_difference(db, rng, at, meter, read_from, LedgerPosition::of(state)).await?;
        self.expect(meter, expected);
        Ok(())
    }
}
