//! The prices of a row: one price, or one for each rate, with day tables and tiers where they are used.

use model::parameters::TierPeriod;
use model::site_workbook::{Column, Fault};
use model::tariff::{Prices, Tiers};

use crate::fields::Fields;

/// The words of tier periods.
pub const PERIODS: [(&str, TierPeriod); 6] = [
    ("month", TierPeriod::Month),
    ("year", TierPeriod::Year),
    ("none", TierPeriod::None),
    ("月", TierPeriod::Month),
    ("年", TierPeriod::Year),
    ("无", TierPeriod::None),
];
/// A threshold is at most this, kWh.
const MAX_KWH: i64 = 1_000_000;

pub fn prices(fields: &mut Fields<'_>) -> Prices {
    let one = fields.price(Column::Price);
    let four = [Column::Spike, Column::Peak, Column::Flat, Column::Valley].map(|column| fields.price(column));
    let rates = match (one, four) {
        (Some(price), [None, None, None, None]) => [price; 4],
        (None, [Some(spike), Some(peak), Some(flat), Some(valley)]) => [spike, peak, flat, valley],
        _ => {
            fields.fault(Column::Price, Fault::PriceIncomplete);
            [0; 4]
        }
    };
    let tables = [fields.day_table(Column::DayTable1), fields.day_table(Column::DayTable2)];
    let plan = fields.date_plan(Column::DatePlan);
    let prices = Prices { rates, tiers: tiers(fields), tables, plan };
    if fields.are_right() && prices.validate().is_err() {
        fields.fault(Column::Price, Fault::NotPrice);
    }
    prices
}

fn tiers(fields: &mut Fields<'_>) -> Tiers {
    let period = fields.word(Column::TierPeriod, &PERIODS).unwrap_or_default();
    let from = [Column::Tier2From, Column::Tier3From].map(|column| fields.whole(column, 0, MAX_KWH));
    let surcharges = [Column::Tier2Surcharge, Column::Tier3Surcharge].map(|column| fields.price(column));
    if period == TierPeriod::None {
        return Tiers::default();
    }
    // Without a third tier it begins where nobody gets.
    match (from, surcharges) {
        ([Some(second), None], [Some(more), None]) => {
            Tiers { period, thresholds: [second * 1_000, MAX_KWH * 1_000], surcharges: [more, more] }
        }
        ([Some(second), Some(third)], [Some(more), Some(most)]) if second <= third => {
            Tiers { period, thresholds: [second * 1_000, third * 1_000], surcharges: [more, most] }
        }
        _ => {
            fields.fault(Column::TierPeriod, Fault::TierIncomplete);
            Tiers::default()
        }
    }
}
