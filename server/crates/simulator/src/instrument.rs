//! Instruments: energy meters without prepayment, whose counters follow those of the meters behind the same gateway.

use std::borrow::Cow;
use std::sync::Arc;

use super::faults::Faults;
use super::modbus::Exception;
use meters::instruments::{CounterRegisters, CounterSource, InstrumentProfile};
use meters::profile::{Area, ValueType, WordOrder};

/// An instrument behind a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentPlan {
    /// Modbus unit id, 1-247, of no meter behind the gateway.
    pub unit: u8,
    /// Name of its profile, which has registers.
    pub profile: Cow<'static, str>,
    /// Its circuits in the order of their positions.
    pub circuits: Vec<CircuitPlan>,
}

/// A circuit that feeds some meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitPlan {
    /// The unit ids of these meters.
    pub units: Vec<u8>,
    /// What is lost on the way to them, in thousandths of what they count.
    pub loss_permille: u32,
    /// Of its current transformer: the counter shows so much less.
    pub ratio: u32,
}

/// An instrument and its line.
pub struct Instrument {
    pub plan: InstrumentPlan,
    profile: Arc<InstrumentProfile>,
    pub faults: Faults,
    /// Added to all its counters, 0.01 kWh: somebody replaced it, or set it.
    pub offset: i64,
}

impl Instrument {
    /// `None` for a profile without registers.
    #[must_use]
    pub fn new(plan: &InstrumentPlan, profile: Arc<InstrumentProfile>) -> Option<Self> {
        matches!(profile.read, CounterSource::Modbus(_)).then(|| Self {
            plan: plan.clone(),
            profile,
            faults: Faults::default(),
            offset: 0,
        })
    }

    /// The counter of a circuit, 0.01 kWh; `total` gives that of a meter.
    #[must_use]
    pub fn counter(&self, circuit: &CircuitPlan, total: impl Fn(u8) -> u32) -> u64 {
        let fed: u64 = circuit.units.iter().map(|unit| u64::from(total(*unit))).sum();
        let counted = fed * (1_000 + u64::from(circuit.loss_permille)) / 1_000 / u64::from(circuit.ratio.max(1));
        counted.saturating_add_signed(self.offset)
    }

    /// Reads registers as the instrument would.
    ///
    /// # Errors
    /// The exception to reply with.
    pub fn read(&self, total: impl Fn(u8) -> u32, area: Area, address: u16, count: u16) -> Result<Vec<u16>, Exception> {
        let CounterSource::Modbus(registers) = &self.profile.read else { return Err(Exception::IllegalFunction) };
        if registers.area != area {
            return Err(Exception::IllegalFunction);
        }
        let (from, to) = (u32::from(address), u32::from(address) + u32::from(count));
        let (first, end) = (u32::from(registers.address), registers.end(registers.address, self.profile.circuits));
        if from < first || to > end || count > registers.max_registers {
            return Err(Exception::IllegalAddress);
        }
        let mut image = vec![0_u16; usize::try_from(end - first).unwrap_or(0)];
        for (index, circuit) in self.plan.circuits.iter().enumerate() {
            let at = index * usize::from(registers.spacing());
            for (register, word) in image.iter_mut().skip(at).zip(words(registers, &self.profile, self.counter(circuit, &total)))
            {
                *register = word;
            }
        }
        let skipped = usize::try_from(from - first).unwrap_or(0);
        Ok(image.into_iter().skip(skipped).take(count.into()).collect())
    }
}

/// A counter of 0.01 kWh as registers.
fn words(registers: &CounterRegisters, profile: &InstrumentProfile, counter: u64) -> Vec<u16> {
    let (wh, step) = (counter as f64 * 10.0, profile.step);
    let counts = wh * step.denominator as f64 / step.numerator as f64;
    let bytes = match registers.kind {
        ValueType::F32 => (counts as f32).to_bits().to_be_bytes(),
        _ => (counts as u64 as u32).to_be_bytes(),
    };
    let mut words: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    if registers.word_order == WordOrder::Low {
        words.reverse();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use meters::profile::Profiles;

    fn instrument(profile: &'static str, circuits: Vec<CircuitPlan>) -> Instrument {
        let plan = InstrumentPlan { unit: 200, profile: profile.into(), circuits };
        Instrument::new(&plan, Profiles::load(None).unwrap().instruments().get(profile).unwrap()).unwrap()
    }

    fn feeding(units: &[u8], loss_permille: u32, ratio: u32) -> CircuitPlan {
        CircuitPlan { units: units.to_vec(), loss_permille, ratio }
    }

    #[test]
    fn counters_are_sums_of_meters_with_a_loss_and_a_ratio() {
        let total = |unit: u8| u32::from(unit) * 100_000;
        let multi = instrument("multi-12-u32", vec![feeding(&[1, 2], 20, 1), feeding(&[3], 0, 40)]);
        assert_eq!(multi.read(total, Area::Holding, 0, 4), Ok(vec![4, 43_856, 0, 7_500]), "306000 and 7500");
        assert_eq!(multi.read(total, Area::Holding, 22, 2), Ok(vec![0, 0]), "a circuit that is not wired");
        assert_eq!(multi.read(total, Area::Holding, 0, 25), Err(Exception::IllegalAddress));
        assert_eq!(multi.read(total, Area::Input, 0, 2), Err(Exception::IllegalFunction));
        let float = instrument("energy-f32", vec![feeding(&[1], 0, 1)]);
        let [high, low] = float.read(total, Area::Input, 0x48, 2).unwrap()[..] else { panic!("two registers") };
        assert!((f32::from_bits(u32::from(high) << 16 | u32::from(low)) - 1_000.0).abs() < 0.01);
    }

    #[test]
    fn a_counter_can_be_set_back() {
        let mut single = instrument("energy-u32", vec![feeding(&[1], 0, 1)]);
        single.offset = -100_500;
        assert_eq!(single.read(|_| 100_600, Area::Holding, 0, 2), Ok(vec![0, 100]));
    }
}
