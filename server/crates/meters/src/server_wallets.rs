//! What the recorder knows of server wallets, so that such a meter is shown as one with a wallet inside.

use domain::server_wallet::ServerWallet;
use std::collections::HashMap;

use model::ids::MeterId;
use model::time::Timestamp;

use store::{self, Db, wallets};

/// Those of all meters without a wallet inside.
#[derive(Default)]
pub struct ServerWallets(HashMap<MeterId, ServerWallet>);

impl ServerWallets {
    /// As the database has them.
    pub async fn load(db: &Db) -> store::Result<Self> {
        Ok(Self(wallets::server_wallets(db).await?.into_iter().collect()))
    }

    /// The purse of a meter; `None` where the wallet is in the meter.
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<&ServerWallet> {
        self.0.get(&meter)
    }

    /// Takes in those that have moved since then, or all; gives them.
    pub async fn follow(&mut self, db: &Db, since: Option<Timestamp>) -> store::Result<Vec<(MeterId, ServerWallet)>> {
        let moved = match since {
            Some(since) => wallets::server_wallets_since(db, since).await?,
            None => wallets::server_wallets(db).await?,
        };
        self.0.extend(moved.iter().copied());
        Ok(moved)
    }

    /// It has moved.
    pub fn put(&mut self, meter: MeterId, server_wallet: ServerWallet) {
        self.0.insert(meter, server_wallet);
    }
}
