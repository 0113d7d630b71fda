//! Reads, switches and sets a DL/T 645 meter by the items of its profile. Every answer carries the meter's address, so it cannot
//! be confused with another meter's.

use model::energy::Energy;
use model::time::{Date, MINUTE, Timestamp};

use super::item;
use super::request::{Answer, ClockPart, Dlt645Request};
use crate::codec::{DecodeError, DecodedValues};
use crate::directory::Meter;
use crate::link::{LinkError, Priority};
use crate::profile::dlt645::DataItem;
use crate::profile::{Dlt645, MeterField};
use crate::reader::ReadError;
use domain::bcd::BcdTime;
use domain::clock::SharedClock;
use domain::meter_records::Frozen;

/// The most frames of one value; a meter that announces more is malfunctioning.
const MAX_FRAMES: u8 = 32;

/// Full reading, with the time at which wallet and relay were read.
///
/// # Errors
/// [`ReadError`].
pub async fn whole(
    meter: &Meter,
    profile: &Dlt645,
    priority: Priority,
    clock: &SharedClock,
) -> Result<(DecodedValues, Timestamp), ReadError> {
    let mut values = meter_status(meter, profile, priority).await?;
    let at = clock.now();
    read(meter, priority, profile.items.iter().filter(|item| !is_status_item(item)), &mut values).await?;
    Ok((values, at))
}

/// Reads wallet, relay and clock.
///
/// # Errors
/// [`ReadError`].
pub async fn meter_status(meter: &Meter, profile: &Dlt645, priority: Priority) -> Result<DecodedValues, ReadError> {
    let mut values = DecodedValues::default();
    read(meter, priority, profile.items.iter().filter(|item| is_status_item(item)), &mut values).await?;
    Ok(values)
}

/// Switches the relay; the command is sent once.
///
/// # Errors
/// [`LinkError`]; exception 01 without sending if the profile has no relay.
pub async fn switch(meter: &Meter, profile: &Dlt645, priority: Priority, closed: bool) -> Result<(), LinkError> {
    let relay = profile.relay.ok_or(LinkError::Exception(0x01))?;
    let command = if closed { relay.close } else { relay.open };
    meter.link.dlt645(priority, Dlt645Request::Switch { meter: meter.serial, command }).await.map(drop)
}

/// Broadcasts the time to all meters of the bus; none answers. A meter accepts it once a day, for an offset below five minutes.
///
/// # Errors
/// [`LinkError`].
pub async fn broadcast_time(meter: &Meter, priority: Priority, time: BcdTime) -> Result<(), LinkError> {
    meter.link.dlt645(priority, Dlt645Request::Time(time)).await.map(drop)
}

/// Sets the meter's own clock; date and time of day are each sent once.
///
/// # Errors
/// [`LinkError`]; exception 01 without sending if the profile has no clock.
pub async fn set_clock(meter: &Meter, profile: &Dlt645, priority: Priority, time: BcdTime) -> Result<(), LinkError> {
    let [date, of_day] = profile.clock().ok_or(LinkError::Exception(0x01))?;
    for (di, part) in [(date, ClockPart::Date), (of_day, ClockPart::Time)] {
        meter.link.dlt645(priority, Dlt645Request::Clock { meter: meter.serial, di, part, time }).await?;
    }
    Ok(())
}

/// The daily freezes that the meter keeps, newest first.
///
/// # Errors
/// [`ReadError`]; also if midnight passes meanwhile, which shifts all freezes by one.
pub async fn freeze(meter: &Meter, profile: &Dlt645, priority: Priority) -> Result<Vec<Frozen>, ReadError> {
    let mut all: Vec<Frozen> = Vec::new();
    let Some(freeze) = profile.freeze else { return Ok(all) };
    for back in 0..u32::from(freeze.days) {
        let Some(day) = day(meter, priority, freeze.when + back).await? else { break };
        let Some(bytes) = value(meter, priority, freeze.di + back).await? else { break };
        let total = item::decimal(&bytes, 0, freeze.digits, false).ok_or(DecodeError::Value(MeterField::Total))?;
        let Some(total) = total.and_then(|digits| i64::try_from(freeze.step.of(digits)).ok()) else { break };
        all.push(Frozen { day, total: Energy(total), remaining: None });
    }
    if day(meter, priority, freeze.when).await? == all.first().map(|newest| newest.day) {
        Ok(all)
    } else {
        Err(DecodeError::Value(MeterField::Day).into())
    }
}

async fn day(meter: &Meter, priority: Priority, di: u32) -> Result<Option<Date>, ReadError> {
    Ok(value(meter, priority, di).await?.as_deref().and_then(item::frozen_day))
}

fn is_status_item(item: &DataItem) -> bool {
    item.field.is_in(MeterField::STATUS_FIELDS) || matches!(item.field, MeterField::Date | MeterField::Time)
}

/// Reads the items, each identifier once if its items are adjacent. Values that the meter does not have are left out, and odd
/// ones noted: the others count.
async fn read<'a>(
    meter: &Meter,
    priority: Priority,
    items: impl Iterator<Item = &'a DataItem>,
    values: &mut DecodedValues,
) -> Result<(), ReadError> {
    let mut last: Option<(u32, Option<Vec<u8>>)> = None;
    for item in items {
        let answer = match last.take() {
            Some(before) if before.0 == item.di => before,
            _ => (item.di, value(meter, priority, item.di).await?),
        };
        if let (_, Some(bytes)) = &answer {
            match item::decode(item, bytes) {
                Some(Some(value)) => values.set(item.field, value),
                Some(None) => {}
                None => values.set_odd(item.field),
            }
        }
        last = Some(answer);
    }
    // Shortly after midnight the date may still be yesterday's.
    if let (Some(date), Some(time)) =
        (values.get(MeterField::Date), values.get(MeterField::Time).filter(|&time| time >= MINUTE.into()))
    {
        values.set(MeterField::Clock, date + time);
    }
    Ok(())
}

/// The value of an identifier from all its frames; `None` if the meter has none.
async fn value(meter: &Meter, priority: Priority, di: u32) -> Result<Option<Vec<u8>>, ReadError> {
    let mut all = Vec::new();
    for sequence in 0..MAX_FRAMES {
        let request = match sequence {
            0 => Dlt645Request::Read { meter: meter.serial, di },
            _ => Dlt645Request::Follow { meter: meter.serial, di, sequence },
        };
        match meter.link.dlt645(priority, request).await {
            Ok(Answer::Data { bytes, more }) => {
                all.extend(bytes);
                if !more {
                    return Ok(Some(all));
                }
            }
            Err(LinkError::Refused(refusal)) if refusal.is_no_data() => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(Answer::Done | Answer::Address(_)) => return Err(LinkError::Garbled.into()),
        }
    }
    meter.link.distrust();
    Err(LinkError::Garbled.into())
}
