//! Texts of the steps to a price and to the cost of a day.

use super::Lang;
pub use super::catalogue::price_steps::*;
use super::{common, prices};
use model::parameters::{PlanEntry, TierPeriod};

/// The day from which a season applies, with its day table.
#[must_use]
pub fn season(season: Option<PlanEntry>, lang: Lang) -> String {
    match season {
        None => texts(lang).no_season.to_owned(),
        Some(PlanEntry { month, day, table }) => SeasonFrom { month: common::month(month, lang), day, table }.text(lang),
    }
}

/// A cost in yuan with all of its seven decimals.
#[must_use]
pub fn exact(e7: i64) -> String {
    let sign = if e7 < 0 { "-" } else { "" };
    let e7 = e7.unsigned_abs();
    format!("{sign}{}.{:07}", e7 / 10_000_000, e7 % 10_000_000)
}

/// A tier period: `按月`, `Monthly`.
#[must_use]
pub const fn period(period: TierPeriod, lang: Lang) -> &'static str {
    prices::period(period, lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_costs_have_seven_decimals() {
        assert_eq!([exact(0), exact(12_345_678), exact(-5)], ["0.0000000", "1.2345678", "-0.0000005"]);
    }

    #[test]
    fn a_season_names_its_day_and_table() {
        let entry = Some(PlanEntry { month: 7, day: 1, table: 2 });
        assert_eq!(season(entry, Lang::En), "from 1 Jul: day table 2");
        assert_eq!(season(entry, Lang::Zh), "7月1日起用日时段表 2");
    }
}
