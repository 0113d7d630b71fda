//! Reads, switches and sets a DL/T 645 meter by the items of its profile. Every answer carries the meter's address, so it cannot
//! be confused with another meter's.

use model::energy::Energy;
use model::time::{Date, MINUTE, Timestamp};

use super::ask::{Answer, Ask, Half};
use super::item;
use crate::codec::{DecodeError, Values};
use crate::directory::Meter;
use crate::link::{LinkError, Priority};
use crate::profile::dlt645::Item;
use crate::profile::{Dlt645, Field};
use crate::reader::ReadError;
use domain::bcd::BcdTime;
use domain::clock::SharedClock;
use domain::meter_records::Frozen;

/// The most frames of one value; a meter that announces more is malfunctioning.
const MOST_FRAMES: u8 = 32;

/// Full reading, with the time at which wallet and relay were read.
///
/// # Errors
/// [`ReadError`].
pub async fn whole(
    meter: &Meter,
    has: &Dlt645,
    priority: Priority,
    clock: &SharedClock,
) -> Result<(Values, Timestamp), ReadError> {
    let mut values = meter_status(meter, has, priority).await?;
    let at = clock.now();
    read(meter, priority, has.items.iter().filter(|item| !is_face(item)), &mut values).await?;
    Ok((values, at))
}

/// Reads wallet, relay and clock.
///
/// # Errors
/// [`ReadError`].
pub async fn meter_status(meter: &Meter, has: &Dlt645, priority: Priority) -> Result<Values, ReadError> {
    let mut values = Values::default();
    read(meter, priority, has.items.iter().filter(|item| is_face(item)), &mut values).await?;
    Ok(values)
}

/// Switches the relay; the command is sent once.
///
/// # Errors
/// [`LinkError`]; exception 01 without sending if the profile has no relay.
pub async fn switch(meter: &Meter, has: &Dlt645, priority: Priority, closed: bool) -> Result<(), LinkError> {
    let relay = has.relay.ok_or(LinkError::Exception(0x01))?;
    let command = if closed { relay.close } else { relay.open };
    meter.link.dlt645(priority, Ask::Switch { meter: meter.serial, command }).await.map(drop)
}

/// Broadcasts the time to all meters of the bus; none answers. A meter accepts it once a day, if it is less than five minutes
/// off.
///
/// # Errors
/// [`LinkError`].
pub async fn tell_time(meter: &Meter, priority: Priority, time: BcdTime) -> Result<(), LinkError> {
    meter.link.dlt645(priority, Ask::Time(time)).await.map(drop)
}

/// Sets the meter's own clock; date and time of day are each sent once.
///
/// # Errors
/// [`LinkError`]; exception 01 without sending if the profile has no clock.
pub async fn set_clock(meter: &Meter, has: &Dlt645, priority: Priority, time: BcdTime) -> Result<(), LinkError> {
    let [date, of_day] = has.clock().ok_or(LinkError::Exception(0x01))?;
    for (di, half) in [(date, Half::Date), (of_day, Half::Time)] {
        meter.link.dlt645(priority, Ask::Clock { meter: meter.serial, di, half, time }).await?;
    }
    Ok(())
}

/// The daily freezes that the meter keeps, newest first.
///
/// # Errors
/// [`ReadError`]; also if midnight passes meanwhile, which shifts all freezes by one.
pub async fn freeze(meter: &Meter, has: &Dlt645, priority: Priority) -> Result<Vec<Frozen>, ReadError> {
    let mut all: Vec<Frozen> = Vec::new();
    let Some(freeze) = has.freeze else { return Ok(all) };
    for back in 0..u32::from(freeze.days) {
        let Some(day) = day(meter, priority, freeze.when + back).await? else { break };
        let Some(bytes) = value(meter, priority, freeze.di + back).await? else { break };
        let total = item::decimal(&bytes, 0, freeze.digits, false).ok_or(DecodeError::Value(Field::Total))?;
        let Some(total) = total.and_then(|digits| i64::try_from(freeze.step.of(digits)).ok()) else { break };
        all.push(Frozen { day, total: Energy(total), remaining: None });
    }
    if day(meter, priority, freeze.when).await? == all.first().map(|newest| newest.day) {
        Ok(all)
    } else {
        Err(DecodeError::Value(Field::Day).into())
    }
}

async fn day(meter: &Meter, priority: Priority, di: u32) -> Result<Option<Date>, ReadError> {
    Ok(value(meter, priority, di).await?.as_deref().and_then(item::frozen_day))
}

fn is_face(item: &Item) -> bool {
    item.field.is_in(Field::FACE) || matches!(item.field, Field::Date | Field::Time)
}

/// Reads the items, each identifier once if its items are adjacent. Values that the meter does not have are left out.
async fn read<'a>(
    meter: &Meter,
    priority: Priority,
    items: impl Iterator<Item = &'a Item>,
    values: &mut Values,
) -> Result<(), ReadError> {
    let mut asked: Option<(u32, Option<Vec<u8>>)> = None;
    for item in items {
        let answer = match asked.take() {
            Some(before) if before.0 == item.di => before,
            _ => (item.di, value(meter, priority, item.di).await?),
        };
        if let (_, Some(bytes)) = &answer
            && let Some(ours) = item::ours(item, bytes).ok_or(DecodeError::Value(item.field))?
        {
            values.set(item.field, ours);
        }
        asked = Some(answer);
    }
    // Shortly after midnight the date may still be yesterday's.
    if let (Some(date), Some(time)) = (values.get(Field::Date), values.get(Field::Time).filter(|&time| time >= MINUTE.into())) {
        values.set(Field::Clock, date + time);
    }
    Ok(())
}

/// The value of an identifier from all its frames; `None` if the meter has none.
async fn value(meter: &Meter, priority: Priority, di: u32) -> Result<Option<Vec<u8>>, ReadError> {
    let mut all = Vec::new();
    for sequence in 0..MOST_FRAMES {
        let ask = match sequence {
            0 => Ask::Read { meter: meter.serial, di },
            _ => Ask::Follow { meter: meter.serial, di, sequence },
        };
        match meter.link.dlt645(priority, ask).await {
            Ok(Answer::Data { bytes, more }) => {
                all.extend(bytes);
                if !more {
                    return Ok(Some(all));
                }
            }
            Err(LinkError::Refused(refusal)) if refusal.is_no_data() => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(Answer::Done) => return Err(LinkError::Broken.into()),
        }
    }
    meter.link.distrust();
    Err(LinkError::Broken.into())
}
