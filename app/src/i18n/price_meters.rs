//! Texts of issuing a price plan to meters.

use super::Lang;
pub use super::catalogue::price_meters::*;
use super::{commands, prices};
use model::console::{PriceGap, PriceMeterCounts};

/// What a meter keeps otherwise.
#[must_use]
pub const fn gap(gap: PriceGap, lang: Lang) -> &'static str {
    let (t, p, c) = (texts(lang), prices::texts(lang), commands::texts(lang));
    match gap {
        PriceGap::Prices => c.prices,
        PriceGap::Standby => t.standby,
        PriceGap::Tiers => p.tiers,
        PriceGap::Table(1) => p.table1,
        PriceGap::Table(_) => p.table2,
        PriceGap::Seasons => p.days,
    }
}

/// Why nothing can be issued.
#[must_use]
pub const fn uncallable(gap: PriceGap, lang: Lang) -> &'static str {
    let t = texts(lang);
    if matches!(gap, PriceGap::Standby) { t.too_late } else { t.out_of_range }
}

/// How many meters keep what the plan says.
#[must_use]
pub fn differing(counts: PriceMeterCounts, lang: Lang) -> String {
    Kept { same: counts.same, meters: counts.meters, differing: counts.differing }.text(lang)
}
