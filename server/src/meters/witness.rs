//! Promise 3: purchase count and cumulative amount in every meter equal the ledger's, or the difference is an open case.
//!
//! Each reading is compared in memory; only a difference asks the database, which knows whether a money command explains it.

use std::collections::HashMap;

use app::model::ids::MeterId;
use app::model::money::Fen;
use app::model::time::Timestamp;

use super::codec::State;
use crate::rng::Rng;
use crate::store::{self, Db, deliveries};

/// What the ledger knows a meter to have applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Key epoch.
    pub epoch: u16,
    /// Purchase count.
    pub count: u16,
    /// Credited minus debited.
    pub cumulative: Fen,
}

/// What is expected of every meter with an open account.
#[derive(Default)]
pub struct Witness(HashMap<MeterId, Witnessed>);

impl Witness {
    /// As the database has it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn load(db: &Db) -> store::Result<Self> {
        Ok(Self(deliveries::witnessed(db).await?.into_iter().collect()))
    }

    /// A delivery has moved what is expected.
    pub fn expect(&mut self, meter: MeterId, expected: Option<Witnessed>) {
        match expected {
            Some(expected) => drop(self.0.insert(meter, expected)),
            None => drop(self.0.remove(&meter)),
        }
    }

    /// Whether a state is not what is expected.
    #[must_use]
    pub fn differs(&self, meter: MeterId, state: &State) -> bool {
        self.0.get(&meter).is_some_and(|expected| *expected != Witnessed::of(state))
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
        let expected = deliveries::confirm_difference(db, rng, at, meter, read_from, Witnessed::of(state)).await?;
        self.expect(meter, expected);
        Ok(())
    }
}

impl Witnessed {
    /// What a state shows.
    #[must_use]
    pub const fn of(state: &State) -> Self {
        Self { epoch: state.epoch, count: state.count, cumulative: state.cumulative }
    }
}
