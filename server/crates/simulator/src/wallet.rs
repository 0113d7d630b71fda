//! The meter wallet.

use serde::{Deserialize, Serialize};

use domain::serial::AccountNumber;

/// A price of 0.0001 yuan/kWh for 0.01 kWh is 0.000001 yuan; this many of them are 0.01 yuan.
const MICRO_PER_FEN: u64 = 10_000;

/// A money command, for recognising its repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyCommand {
    pub code: u8,
    pub order: u64,
    /// 0.01 yuan; 0 for a close.
    pub amount: u32,
}

/// The wallet in one key epoch. Amounts are in 0.01 yuan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    pub account: Option<AccountNumber>,
    /// Number of openings so far.
    pub epoch: u16,
    /// Negative in overdraft.
    pub remaining: i32,
    /// Credits minus debits in this epoch.
    pub cumulative: i32,
    /// Money commands applied in this epoch.
    pub count: u16,
    /// Order number of the last money command of any epoch.
    pub order: u64,
    /// The last money command of this epoch.
    pub last: Option<MoneyCommand>,
    /// Consumed energy that is not charged yet, 0.000001 yuan; always below 0.01 yuan.
    pub remainder: u32,
    /// Energy used in the tier period, 0.01 kWh.
    pub tier_use: u32,
}

impl Wallet {
    /// Charges one step of 0.01 kWh at a price in 0.0001 yuan/kWh.
    pub fn charge(&mut self, price: u64) {
        let owed = u64::from(self.remainder) + price;
        self.remainder = (owed % MICRO_PER_FEN) as u32;
        let fen = i32::try_from(owed / MICRO_PER_FEN).unwrap_or(i32::MAX);
        self.remaining = self.remaining.saturating_sub(fen);
        self.tier_use = self.tier_use.saturating_add(1);
    }

    /// Opens an account: a new epoch with everything else at zero.
    pub fn open(&mut self, account: AccountNumber) {
        *self = Self { account: Some(account), epoch: self.epoch.wrapping_add(1), order: self.order, ..Self::default() };
    }

    /// Closes the account; returns the remaining amount. Count, order and cumulative amount stay readable until the next opening.
    pub fn close(&mut self) -> i32 {
        self.account = None;
        self.remainder = 0;
        std::mem::take(&mut self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_remainder_is_lost(prices in prop::collection::vec(0u64..200_000, 0..500)) {
            let mut wallet = Wallet { remaining: 1_000_000, ..Wallet::default() };
            prices.iter().for_each(|&price| wallet.charge(price));
            let taken = u64::try_from(1_000_000 - wallet.remaining).unwrap() * MICRO_PER_FEN + u64::from(wallet.remainder);
            prop_assert_eq!(taken, prices.iter().sum::<u64>());
            prop_assert!(u64::from(wallet.remainder) < MICRO_PER_FEN);
            prop_assert_eq!(wallet.tier_use as usize, prices.len());
        }
    }

    #[test]
    fn charging_half_a_yuan_per_kilowatt_hour() {
        let mut wallet = Wallet { remaining: 100, ..Wallet::default() };
        wallet.charge(5_000);
        assert_eq!((wallet.remaining, wallet.remainder), (100, 5_000));
        wallet.charge(5_000);
        assert_eq!((wallet.remaining, wallet.remainder), (99, 0));
    }

    #[test]
    fn an_opening_starts_at_zero_in_the_next_epoch() {
        let last = Some(MoneyCommand { code: 2, order: 9, amount: 1 });
        let mut wallet =
            Wallet { epoch: u16::MAX, remaining: 5, cumulative: 6, count: 7, order: 9, last, remainder: 8, ..Wallet::default() };
        wallet.open(AccountNumber::NONE);
        let opened = Wallet { account: Some(AccountNumber::NONE), order: 9, ..Wallet::default() };
        assert_eq!(wallet, opened);
    }
}
