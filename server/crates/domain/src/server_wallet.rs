//! A server wallet and what it contributes to the state of its meter.

use model::meter::Latest;
use model::money::Fen;

use crate::wallet::Wallet;

/// A server wallet with its balance and purchases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerWallet {
    /// What decides about the relay.
    pub wallet: Wallet,
    /// Credited minus debited.
    pub cumulative: Fen,
    pub count: u16,
}

impl ServerWallet {
    /// Writes the wallet's status and amounts into the state of the meter.
    pub fn show(&self, latest: &mut Latest) {
        latest.status = self.wallet.status(latest.status);
        (latest.remaining, latest.cumulative, latest.count) = (self.wallet.remaining, self.cumulative, self.count);
    }

    /// Whether the observed relay is not in the desired state.
    #[must_use]
    pub fn differs(&self, latest: &Latest) -> bool {
        latest.lost_since.is_none() && latest.observed_at.is_some() && latest.status.relay_closed() != self.wallet.relay()
    }
}
