//! Promise 3: purchase count and cumulative amount in every meter equal the ledger's, or the difference is an open case.
//!
//! Each reading is compared in memory; only a difference asks the database, which knows whether a money command explains it.

use domain::ledger_position::LedgerPosition;
use std::collections::HashMap;

use model::ids::MeterId;
use model::time::Timestamp;

use domain::meter_state::State;
use domain::rng::Rng;
use store::{self, Db, deliveries};

/// What is expected of every meter with an open account.
#[derive(Default)]
pub struct MeterLedgerCheck(HashMap<MeterId, LedgerPosition>);

impl MeterLedgerCheck {
    /// As the database has it.
    pub async fn load(db: &Db) -> store::Result<Self> {
        Ok(Self(deliveries::ledger_positions(db).await?.into_iter().collect()))
    }

    /// A delivery has moved what is expected.
    pub fn expect(&mut self, meter: MeterId, expected: Option<LedgerPosition>) {
        match expected {
            Some(expected) => drop(self.0.insert(meter, expected)),
            None => drop(self.0.remove(&meter)),
        }
    }

    /// Whether a state is not what is expected.
    #[must_use]
    pub fn differs(&self, meter: MeterId, state: &State) -> bool {
        self.0.get(&meter).is_some_and(|expected| *expected != LedgerPosition::of(state))
    }

    /// Asks the database about a state that differs, and opens a case where no money command explains it.
    ///
    /// # Errors
    /// Where the database fails; the next reading asks again.
    pub async fn confirm(
        &mut self,
        db: &Db,
        rng: &Rng,
        at: Timestamp,
        meter: MeterId,
        read_from: Timestamp,
        state: &State,
    ) -> store::Result<()> {
        let expected = deliveries::confirm_difference(db, rng, at, meter, read_from, LedgerPosition::of(state)).await?;
        self.expect(meter, expected);
        Ok(())
    }
}
