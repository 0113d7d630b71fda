//! The instruments on the bus of a gateway.

use super::{Gateway, GatewayInner, NoMeter};
use crate::instrument::Instrument;
use domain::clock::Clock;

impl Gateway {
    /// Accesses an instrument, with the total of each meter behind the gateway as it is now.
    ///
    /// # Errors
    /// [`NoMeter`] if there is no such instrument.
    pub fn with_instrument<R>(
        &self,
        unit: u8,
        access: impl FnOnce(&mut Instrument, &dyn Fn(u8) -> u32) -> R,
    ) -> Result<R, NoMeter> {
        let mut inner = self.lock();
        let GatewayInner { slots, instruments, .. } = &mut *inner;
        let instrument = instruments.iter_mut().find(|instrument| instrument.plan.unit == unit).ok_or(NoMeter)?;
        let now = self.site.clock.now();
        slots.iter_mut().for_each(|slot| slot.meter.run(&self.site.load, now));
        let total = |unit: u8| slots.iter().find(|slot| slot.unit == unit).map_or(0, |slot| slot.meter.energy.total);
        Ok(access(instrument, &total))
    }
}

impl GatewayInner {
    pub(super) fn instrument(&mut self, unit: u8) -> Option<&mut Instrument> {
        self.instruments.iter_mut().find(|instrument| instrument.plan.unit == unit)
    }
}
