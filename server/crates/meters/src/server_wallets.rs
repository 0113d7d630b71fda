//! Server wallets as the recorder knows them, so that their meters are shown like meters with a wallet.

use domain::server_wallet::ServerWallet;
use std::collections::HashMap;

use model::ids::MeterId;
use model::time::Timestamp;

use store::{self, Db, wallets};

/// Server wallets of all meters without a meter wallet.
#[derive(Default)]
pub struct ServerWallets(HashMap<MeterId, ServerWallet>);

impl ServerWallets {
    /// Loads all server wallets from the database.
    pub async fn load(db: &Db) -> store::Result<Self> {
        Ok(Self(wallets::server_wallets(db).await?.into_iter().collect()))
    }

    /// The server wallet of a meter; `None` for a meter wallet.
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<&ServerWallet> {
        self.0.get(&meter)
    }

    /// Reloads the wallets changed since `since`, or all; returns them.
    pub async fn refresh(&mut self, db: &Db, since: Option<Timestamp>) -> store::Result<Vec<(MeterId, ServerWallet)>> {
        let moved = match since {
            Some(since) => wallets::server_wallets_since(db, since).await?,
            None => wallets::server_wallets(db).await?,
        };
        self.0.extend(moved.iter().copied());
        Ok(moved)
    }

    /// Stores the changed wallet of a meter.
    pub fn insert(&mut self, meter: MeterId, server_wallet: ServerWallet) {
        self.0.insert(meter, server_wallet);
    }
}
