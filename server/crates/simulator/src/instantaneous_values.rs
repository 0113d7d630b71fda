//! Instantaneous values of a meter, independent of any protocol.

use super::load::Load;
use super::meter::Meter;

/// The counters are in [`super::energy::Energy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstantaneousValues {
    /// 0.1 V.
    pub decivolts: u16,
    /// 0.01 A.
    pub centiamperes: u16,
    /// W; negative while energy flows in reverse.
    pub watts: i32,
    pub vars: i32,
    pub apparent: i32,
    /// 0.001; negative while energy flows in reverse.
    pub factor: i16,
}

impl InstantaneousValues {
    /// Values at the time to which the meter has run.
    #[must_use]
    pub fn of(meter: &Meter, load: &Load) -> Self {
        let flow = meter.flow(load);
        let sign = if meter.tamper.reversed { -1 } else { 1 };
        let apparent = f64::from(flow.watts).hypot(f64::from(flow.vars));
        let volts = f64::from(flow.decivolts) / 10.0;
        let centiamperes = if volts > 0.0 { apparent / volts * 100.0 } else { 0.0 };
        // Without current nothing is out of phase.
        let factor = if apparent > 0.0 { f64::from(flow.watts) / apparent * 1_000.0 } else { 1_000.0 };
        Self {
            decivolts: flow.decivolts,
            centiamperes: centiamperes.round() as u16,
            watts: i32::try_from(flow.watts).unwrap_or(i32::MAX) * sign,
            vars: flow.vars,
            apparent: apparent.round() as i32,
            factor: factor.round() as i16 * sign as i16,
        }
    }
}
