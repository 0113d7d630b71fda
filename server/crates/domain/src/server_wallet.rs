//! A server wallet as it is shown: what the ledger says, beside what the meter shows.

use model::meter::Latest;
use model::money::Fen;

use crate::wallet::Wallet;

/// A server wallet as it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerWallet {
    /// What decides about the relay.
    pub wallet: Wallet,
    /// Bought in all.
    pub cumulative: Fen,
    pub count: u16,
}

impl ServerWallet {
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
