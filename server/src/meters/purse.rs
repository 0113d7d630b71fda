//! What the recorder knows of server wallets, so that such a meter is shown as one with a wallet inside.

use std::collections::HashMap;

use app::model::ids::MeterId;
use app::model::meter::Latest;
use app::model::money::Fen;
use app::model::time::Timestamp;

use crate::domain::wallet::Wallet;
use crate::store::{self, Db, wallets};

/// A server wallet as it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// What decides about the relay.
    pub wallet: Wallet,
    /// Bought in all.
    pub cumulative: Fen,
    /// Purchases.
    pub count: u16,
}

impl Purse {
    /// Puts what the ledger says beside what the meter shows.
    pub fn show(&self, latest: &mut Latest) {
        latest.status = self.wallet.status(latest.status);
        (latest.remaining, latest.cumulative, latest.count) = (self.wallet.remaining, self.cumulative, self.count);
    }

    /// Whether a relay that was seen is not as it should be.
    #[must_use]
    pub fn differs(&self, latest: &Latest) -> bool {
        latest.lost_since.is_none() && latest.observed_at.is_some() && latest.status.relay_closed() != self.wallet.relay()
    }
}

/// Those of all meters without a wallet inside.
#[derive(Default)]
pub struct Purses(HashMap<MeterId, Purse>);

impl Purses {
    /// As the database has them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn load(db: &Db) -> store::Result<Self> {
        Ok(Self(wallets::purses(db).await?.into_iter().collect()))
    }

    /// The purse of a meter; `None` where the wallet is in the meter.
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<&Purse> {
        self.0.get(&meter)
    }

    /// Takes in those that have moved since then, or all; gives them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn follow(&mut self, db: &Db, since: Option<Timestamp>) -> store::Result<Vec<(MeterId, Purse)>> {
        let moved = match since {
            Some(since) => wallets::purses_since(db, since).await?,
            None => wallets::purses(db).await?,
        };
        self.0.extend(moved.iter().copied());
        Ok(moved)
    }

    /// It has moved.
    pub fn put(&mut self, meter: MeterId, purse: Purse) {
        self.0.insert(meter, purse);
    }
}
