//! Texts of price plans and of wallets whose balance is in the ledger.

use super::Lang;
pub use super::catalogue::prices::*;
use model::parameters::TierPeriod;

/// A tier period.
#[must_use]
pub const fn period(period: TierPeriod, lang: Lang) -> &'static str {
    let t = texts(lang).tier_period;
    match period {
        TierPeriod::None => t.none,
        TierPeriod::Month => t.month,
        TierPeriod::Year => t.year,
    }
}
