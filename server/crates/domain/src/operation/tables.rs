//! Encoding of limits and tiers in a frame.

use model::parameters::{Limits, Tiers};

pub(super) fn limits(limits: &Limits, out: &mut Vec<u8>) {
    [limits.alarm1, limits.alarm2, limits.overdraft, limits.hoarding].iter().for_each(|amount| out.extend(amount.to_be_bytes()));
    out.extend(limits.overload_w.to_be_bytes());
}

pub(super) fn tiers(tiers: &Tiers, out: &mut Vec<u8>) {
    out.push(tiers.period.code());
    tiers.thresholds.iter().chain(&tiers.surcharges).for_each(|value| out.extend(value.to_be_bytes()));
}
