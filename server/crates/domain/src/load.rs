//! Loads that trip a server wallet, judged by what a meter measures: too much power, and heaters where they are forbidden. Pure.

use model::time::{MINUTE, Timestamp};

/// So many readings in a row above the overload power trip: one may be a motor that starts.
pub const OVERLOAD_READINGS: i64 = 3;
/// Two readings further apart say nothing of a step: many small loads may have come on between them.
pub const STEP_WITHIN: i64 = 10 * MINUTE;
/// A heater takes its current in phase: the reactive part of the step is at most a third of it, a power factor of 0.95.
const REACTIVE_PARTS: i64 = 3;

/// What a meter measured of its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub at: Timestamp,
    /// Active power, W.
    pub power_w: i64,
    /// Apparent power, VA; `None` where neither it nor what gives it is measured.
    pub apparent_va: Option<i64>,
}

impl Load {
    /// From what a meter measures, W and VA, 0.001, 0.1 V and 0.01 A; `None` where it measures no power.
    #[must_use]
    pub fn new(
        at: Timestamp,
        power_w: Option<i32>,
        apparent_va: Option<i32>,
        power_factor: Option<i16>,
        volts_amps: Option<(u16, u16)>,
    ) -> Option<Self> {
        let power_w = i64::from(power_w?).abs();
        let by_factor = || power_factor.filter(|factor| *factor != 0).map(|factor| power_w * 1_000 / i64::from(factor).abs());
        let by_current = || volts_amps.map(|(dv, ca)| i64::from(dv) * i64::from(ca) / 1_000);
        let apparent_va = apparent_va.map(i64::from).or_else(by_factor).or_else(by_current);
        Some(Self { at, power_w, apparent_va })
    }

    /// Reactive power, var.
    fn reactive_var(&self) -> Option<i64> {
        let apparent = self.apparent_va?.clamp(0, i64::from(i32::MAX));
        Some((apparent.pow(2) - self.power_w.clamp(0, i64::from(i32::MAX)).pow(2)).max(0).isqrt())
    }
}

/// The step up of power, W, that is a forbidden load: of at least `limit_w`, and in phase as far as the meter measures that;
/// where it does not, the step alone decides. `None` where there is none, or where the limit is 0.
#[must_use]
pub fn malignant(before: &Load, now: &Load, limit_w: i64) -> Option<i64> {
    let step = now.power_w - before.power_w;
    if limit_w <= 0 || step < limit_w || !(0..=STEP_WITHIN).contains(&now.at.since(before.at)) {
        return None;
    }
    let reactive = before.reactive_var().zip(now.reactive_var()).map(|(before, now)| (now - before).abs());
    reactive.is_none_or(|reactive| reactive * REACTIVE_PARTS <= step).then_some(step)
}

/// Readings in a row above the limit, this one included; the limit 0 is none.
#[must_use]
pub const fn above(readings: i64, load: Option<&Load>, limit_w: i64) -> i64 {
    match load {
        Some(load) if limit_w > 0 && load.power_w > limit_w => readings + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(minutes: i64, power_w: i32, factor: Option<i16>) -> Load {
        Load::new(Timestamp(minutes * MINUTE), Some(power_w), None, factor, None).unwrap()
    }

    #[test]
    fn a_heater_is_distinguished_from_a_motor_and_small_loads() {
        let idle = load(0, 60, Some(600));
        for (now, step) in [
            (load(2, 1_560, Some(990)), Some(1_500)),
            (load(2, 1_059, Some(990)), None),
            (load(2, 1_560, Some(800)), None),
            (load(2, 1_560, None), Some(1_500)),
            (load(10, 1_560, Some(990)), Some(1_500)),
            (load(11, 1_560, Some(990)), None),
        ] {
            assert_eq!(malignant(&idle, &now, 1_000), step, "{now:?}");
        }
        assert_eq!(malignant(&idle, &load(2, 9_000, None), 0), None, "nothing is forbidden");
        // A fan and a computer run on; the heater beside them is still one.
        assert_eq!(malignant(&load(0, 400, Some(700)), &load(1, 2_400, Some(975)), 1_000), Some(2_000));
    }

    #[test]
    fn apparent_power_comes_from_what_there_is() {
        let of = |va, factor, volts_amps| Load::new(Timestamp(0), Some(-800), va, factor, volts_amps).unwrap();
        assert_eq!(of(Some(1_000), Some(1), None).apparent_va, Some(1_000));
        assert_eq!(of(None, Some(-800), None).apparent_va, Some(1_000));
        assert_eq!(of(None, Some(0), Some((2_200, 500))).apparent_va, Some(1_100));
        assert_eq!(of(None, None, None).apparent_va, None);
        assert_eq!((of(None, None, None).power_w, Load::new(Timestamp(0), None, None, None, None)), (800, None));
        assert!(malignant(&of(Some(i32::MAX), None, None), &Load { power_w: i64::MAX / 2, ..of(None, None, None) }, 1).is_some());
    }

    #[test]
    fn readings_above_the_limit_are_counted_until_one_is_not() {
        assert_eq!(above(2, Some(&load(0, 2_001, None)), 2_000), 3);
        assert_eq!(above(2, Some(&load(0, 2_000, None)), 2_000), 0);
        assert_eq!(above(2, None, 2_000), 0);
        assert_eq!(above(2, Some(&load(0, 9_000, None)), 0), 0);
    }
}
