//! Reads the counters of an instrument with as few requests as it allows.

use metering::instruments::CircuitReading;
use model::energy::Energy;
use model::ids::CircuitId;
use model::instrument::InstrumentTrouble;

use super::Instrument;
use super::profile::{CounterRegisters, CounterSource, EnergyItem};
use crate::codec;
use crate::dlt645::{Answer, Dlt645Request, decimal};
use crate::link::{LinkError, Priority};
use crate::profile::Area;

/// One counter of a circuit and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    circuit: CircuitId,
    address: u16,
    is_reverse: bool,
}

/// One request: from a register on, so many, with the counters in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CounterRead {
    address: u16,
    count: u16,
    slots: Vec<Slot>,
}

/// The counters of all circuits.
///
/// # Errors
/// [`InstrumentTrouble`]; `None` where the server stops.
pub async fn read(instrument: &Instrument, priority: Priority) -> Result<Vec<CircuitReading>, Option<InstrumentTrouble>> {
    match &instrument.profile.read {
        CounterSource::Modbus(registers) => read_registers(instrument, registers, priority).await,
        CounterSource::Dlt645(item) => read_item(instrument, *item, priority).await,
    }
}

async fn read_registers(
    instrument: &Instrument,
    registers: &CounterRegisters,
    priority: Priority,
) -> Result<Vec<CircuitReading>, Option<InstrumentTrouble>> {
    let (link, unit) = (&instrument.link, instrument.unit);
    let value = registers.value(instrument.step);
    let mut found: Vec<CircuitReading> = Vec::with_capacity(instrument.circuits.len());
    for request in requests(instrument, registers) {
        let words = match registers.area {
            Area::Holding => link.read(priority, unit, request.address, request.count).await,
            Area::Input => link.read_input(priority, unit, request.address, request.count).await,
        };
        let words = words.map_err(trouble)?;
        for slot in request.slots {
            let from = usize::from(slot.address.saturating_sub(request.address));
            let words = words.get(from..from + usize::from(registers.kind.registers()));
            let counter = words.and_then(|words| codec::number(&value, registers.word_order, words)).and_then(energy);
            let counter = counter.ok_or(Some(InstrumentTrouble::Unreadable))?;
            match found.iter_mut().find(|reading| reading.circuit == slot.circuit) {
                Some(reading) if slot.is_reverse => reading.reverse = Some(counter),
                _ => found.push(CircuitReading { circuit: slot.circuit, counter, reverse: None }),
            }
        }
    }
    Ok(found)
}

async fn read_item(
    instrument: &Instrument,
    item: EnergyItem,
    priority: Priority,
) -> Result<Vec<CircuitReading>, Option<InstrumentTrouble>> {
    let meter = instrument.serial.ok_or(Some(InstrumentTrouble::Unusable))?;
    let Some(&(circuit, _)) = instrument.circuits.first() else { return Ok(Vec::new()) };
    let answer = instrument.link.dlt645(priority, Dlt645Request::Read { meter, di: item.di }).await.map_err(trouble)?;
    let Answer::Data { bytes, .. } = answer else { return Err(Some(InstrumentTrouble::Unreadable)) };
    let counts = decimal(&bytes, 0, item.digits, false).flatten();
    let counter = counts.map(|counts| instrument.step.of(counts)).and_then(energy);
    let counter = counter.ok_or(Some(InstrumentTrouble::Unreadable))?;
    Ok(vec![CircuitReading { circuit, counter, reverse: None }])
}

/// A counter that can be one.
fn energy(wh: i128) -> Option<Energy> {
    i64::try_from(wh).ok().filter(|wh| *wh >= 0).map(Energy)
}

fn trouble(error: LinkError) -> Option<InstrumentTrouble> {
    Some(match error {
        error if error.is_target_silent() => InstrumentTrouble::Silent,
        LinkError::Exception(_) | LinkError::Refused(_) => InstrumentTrouble::Refused,
        LinkError::NoPassword | LinkError::NotCarried => InstrumentTrouble::Unusable,
        LinkError::Timeout | LinkError::Broken => InstrumentTrouble::Silent,
        LinkError::Garbled => InstrumentTrouble::Unreadable,
        LinkError::Unreachable => InstrumentTrouble::Gateway,
        LinkError::Stopped => return None,
    })
}

/// The fewest requests that read all counters: each begins as late and ends as late as possible.
fn requests(instrument: &Instrument, registers: &CounterRegisters) -> Vec<CounterRead> {
    let address = |position: u8, offset: u16| {
        let first = u16::from(position.saturating_sub(1)).checked_mul(registers.spacing())?;
        instrument.start.checked_add(first)?.checked_add(offset)
    };
    let mut slots: Vec<Slot> = Vec::with_capacity(instrument.circuits.len() * 2);
    for &(circuit, position) in &instrument.circuits {
        let slot = |offset, is_reverse| Some(Slot { circuit, address: address(position, offset)?, is_reverse });
        slots.extend(slot(0, false));
        slots.extend(registers.reverse.and_then(|offset| slot(offset, true)));
    }
    slots.sort_by_key(|slot| slot.address);
    let size = registers.kind.registers();
    let mut reads: Vec<CounterRead> = Vec::new();
    for slot in slots {
        let end = u32::from(slot.address) + u32::from(size);
        let fits = |read: &&mut CounterRead| end - u32::from(read.address) <= u32::from(registers.max_registers);
        match reads.last_mut().filter(fits) {
            Some(read) => {
                read.count = u16::try_from(end - u32::from(read.address)).unwrap_or(read.count);
                read.slots.push(slot);
            }
            None => reads.push(CounterRead { address: slot.address, count: size, slots: vec![slot] }),
        }
    }
    reads
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::ids::Uuid;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::instruments::example;

    fn circuit(number: u128) -> CircuitId {
        CircuitId(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn counters_are_read_together_as_far_as_the_instrument_allows() {
        let stop = CancellationToken::new();
        let circuits = [1, 2, 12].map(|position| (circuit(position.into()), position)).to_vec();
        let instrument = Instrument { circuits, ..example("multi-12-u32", 900, &stop) };
        let profile = Arc::clone(&instrument.profile);
        let CounterSource::Modbus(registers) = profile.read else { panic!("no registers") };
        let spans = |registers: &CounterRegisters| -> Vec<(u16, u16, usize)> {
            requests(&instrument, registers).iter().map(|read| (read.address, read.count, read.slots.len())).collect()
        };
        assert_eq!(spans(&registers), [(100, 24, 3)]);
        assert_eq!(spans(&CounterRegisters { max_registers: 4, ..registers }), [(100, 4, 2), (122, 2, 1)]);
        let with_reverse = CounterRegisters { spacing: Some(10), reverse: Some(4), max_registers: 16, ..registers };
        assert_eq!(spans(&with_reverse), [(100, 16, 4), (210, 6, 2)]);
        stop.cancel();
    }

    #[test]
    fn a_gateway_may_report_that_an_instrument_is_silent() {
        let found = [0x02, 0x0a, 0x0b].map(|code| trouble(LinkError::Exception(code)));
        assert_eq!(found, [InstrumentTrouble::Refused, InstrumentTrouble::Silent, InstrumentTrouble::Silent].map(Some));
    }

    #[test]
    fn a_counter_is_no_negative_number() {
        assert_eq!([energy(0), energy(-1), energy(i128::from(i64::MAX) + 1)], [Some(Energy(0)), None, None]);
    }
}
