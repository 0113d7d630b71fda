//! Readings of the past, day by day, with the hours, days, events and charges that follow from them.

use std::collections::HashMap;

use model::energy::Energy;
use model::ids::MeterId;
use model::meter::{Latest, StatusWord, Wallet};
use model::reading::{ReadingQuality, ReadingSource};
use model::time::{DAY, Date, HOUR, MINUTE, SECOND, Timestamp};

use super::Span;
use super::room::PastRoom;
use domain::alarm_conditions;
use domain::load::Load as MeasuredLoad;
use domain::rng::Rng;
use domain::rollup::{ConsumptionInterval, Parts};
use simulator::Load;
use store::energy::{Day, Hour};
use store::events::{Change, Subject, Turn};
use store::readings::{self, Batch, Reading};
use store::wallets::Metered;
use store::{Db, Result};

/// Rooms of one transaction.
const ROOMS: usize = 360;
/// For so many days each hour was read; before that a few times a day.
const HOURLY_DAYS: i64 = 2;

/// Writes readings in the order of time.
pub struct Readings<'a> {
    pub load: &'a Load,
    /// The last reading of each meter, with its number among them.
    last: HashMap<MeterId, (Timestamp, Energy, StatusWord, i64)>,
}

impl<'a> Readings<'a> {
    pub fn new(load: &'a Load) -> Self {
        Self { load, last: HashMap::new() }
    }

    /// Writes the readings of a day up to the midnight at its end, or to the last one before now.
    pub async fn write(&mut self, db: &Db, rng: &Rng, span: &Span, day: Date, rooms: &[PastRoom<'_>]) -> Result<()> {
        let at = day.plus(1).start().min(span.until);
        for rooms in rooms.chunks(ROOMS) {
            let mut batch = Batch::default();
            for past in rooms {
                self.day_of(&mut batch, span, day, past);
            }
            readings::write(db, rng, at, &batch).await?;
        }
        Ok(())
    }

    fn day_of(&mut self, batch: &mut Batch, span: &Span, day: Date, past: &PastRoom<'_>) {
        let mut newest = None;
        // Hours and days of one meter ascend: what has the same key follows at once.
        let (hours, days) = (batch.hours.len(), batch.days.len());
        for at in instants(span, day, past) {
            newest = Some(self.read(batch, at, past, (hours, days)));
        }
        batch.latest.extend(newest);
    }

    /// Adds one reading and what follows from it; gives what the meter was seen to hold.
    fn read(&mut self, batch: &mut Batch, at: Timestamp, past: &PastRoom<'_>, own: (usize, usize)) -> Latest {
        let (meter, total, status) = (past.meter, past.total(at), past.status(at));
        let sequence = self.last.get(&meter).map_or(1, |(.., last)| last + 1);
        let before = self.last.insert(meter, (at, total, status, sequence));
        let interval = before.map(|(from, last, ..)| energy_since(past, (from, last), (at, total)));
        if let Some(interval) = interval.filter(|interval| interval.energy > Energy::ZERO) {
            add(batch, meter, &interval, own);
        }
        let latest = self.latest(at, past);
        let has_rates = past.room.wallet == Wallet::Meter;
        batch.readings.push(Reading {
            meter_id: meter,
            at,
            quality: ReadingQuality::Good,
            source: if has_rates && at == at.date().start() { ReadingSource::Freeze } else { ReadingSource::Sweep },
            status: status.0.into(),
            total_wh: total,
            reverse_wh: Some(Energy::ZERO),
            remaining_fen: latest.remaining,
            power_w: latest.power_w.map(i64::from),
            voltage_dv: latest.voltage_dv.map(i64::from),
            current_ca: latest.current_ca.map(i64::from),
            power_factor: latest.power_factor.map(i64::from),
            spike_wh: has_rates.then_some(Energy::ZERO),
            peak_wh: has_rates.then_some(Energy::ZERO),
            flat_wh: has_rates.then_some(total),
            valley_wh: has_rates.then_some(Energy::ZERO),
            sequence: Some(sequence),
        });
        match past.room.wallet {
            Wallet::Server => {
                let load = MeasuredLoad::new(at, latest.power_w, None, latest.power_factor, None);
                batch.metered.push(Metered { meter, at, interval, counts: true, total, load, before: None });
            }
            Wallet::Meter if past.open().is_some() => {
                if before.is_none() {
                    batch.modes.push((meter, past.room.plan.mode));
                }
                batch.events.extend(changes(&latest, before.map(|(_, _, status, _)| status)));
            }
            Wallet::Meter | Wallet::None => {}
        }
        latest
    }

    fn latest(&self, at: Timestamp, past: &PastRoom<'_>) -> Latest {
        let flow = self.load.at(&past.room.plan.shape, at);
        let flows = past.room.wallet != Wallet::Meter || past.open().is_some() && !past.is_off(at);
        let (watts, vars) = if flows { (i64::from(flow.watts), i64::from(flow.vars)) } else { (0, 0) };
        let apparent = (watts * watts + vars * vars).isqrt();
        let volts = i64::from(flow.decivolts).max(1);
        let own = past.room.wallet == Wallet::Meter;
        let (count, cumulative) = past.bought(at);
        Latest {
            observed_at: Some(at),
            status: past.status(at),
            remaining: past.remaining(at),
            cumulative,
            count,
            epoch: past.open().map_or(0, |account| account.epoch),
            total: past.total(at),
            power_w: i32::try_from(watts).ok(),
            voltage_dv: Some(flow.decivolts),
            current_ca: u16::try_from(apparent * 1_000 / volts).ok(),
            power_factor: i16::try_from(if apparent > 0 { watts * 1_000 / apparent } else { 1_000 }).ok(),
            clock_offset_s: own.then_some(0),
            rate: own.then_some(3),
            tier: own.then_some(Energy::ZERO),
            tamper: own.then_some(0),
            journal: own.then_some(0),
            ..Latest::unseen(past.meter)
        }
    }
}

/// When a meter is read on a day: at its midnights, and between them a few minutes after its neighbour.
pub fn instants(span: &Span, day: Date, past: &PastRoom<'_>) -> Vec<Timestamp> {
    let delay = i64::from(past.room.plan.unit) % 10 * MINUTE + i64::from(past.room.plan.unit) % 60 * SECOND;
    let is_recent = span.until.since(day.plus(1).start()) < HOURLY_DAYS * DAY;
    let step = if is_recent { HOUR } else { 6 * HOUR };
    let between = (0..DAY / step).map(|n| day.start().plus(n * step + 20 * MINUTE + delay));
    // A meter without an account shows the same all day.
    let between = between.filter(|_| past.room.account().is_some() || past.room.wallet != Wallet::Meter);
    let first = (day == span.from.date()).then_some(span.from);
    let last = span.until.plus(-MINUTE - delay / 10);
    let mut all: Vec<Timestamp> = first.into_iter().chain(between).chain([day.plus(1).start()]).filter(|at| *at < last).collect();
    if day == span.until.date() {
        all.push(last);
    }
    all
}

fn energy_since(past: &PastRoom<'_>, last: (Timestamp, Energy), now: (Timestamp, Energy)) -> ConsumptionInterval {
    let energy = now.1 - last.1;
    let flat = if past.room.wallet == Wallet::Meter { energy } else { Energy::ZERO };
    let rates = [Energy::ZERO, Energy::ZERO, flat, Energy::ZERO];
    ConsumptionInterval { from: last.0, to: now.0, energy, parts: Parts { reverse: Energy::ZERO, rates } }
}

/// Adds energy to hours and days, behind the first ones of this meter.
fn add(batch: &mut Batch, meter: MeterId, interval: &ConsumptionInterval, own: (usize, usize)) {
    for (hour, energy) in interval.by_hour().filter(|(_, energy)| *energy != Energy::ZERO) {
        match batch.hours.get_mut(own.0..).and_then(<[Hour]>::last_mut).filter(|last| last.hour == hour) {
            Some(last) => last.energy = last.energy + energy,
            None => batch.hours.push(Hour { meter, hour, energy }),
        }
    }
    for (day, energy, parts) in interval.by_day() {
        match batch.days.get_mut(own.1..).and_then(<[Day]>::last_mut).filter(|last| last.day == day) {
            Some(last) => {
                last.energy = last.energy + energy;
                last.parts = last.parts.zip(parts, |one, other| one + other);
            }
            None => batch.days.push(Day { meter, day, energy, parts }),
        }
    }
}

/// The alarms that begin and end since the status before.
fn changes(now: &Latest, before: Option<StatusWord>) -> impl Iterator<Item = Change> + use<> {
    let (meter, at) = (now.meter, now.observed_at.unwrap_or_default());
    let detail = format!(r#"{{"remaining_fen":{}}}"#, now.remaining.0);
    let before = alarm_conditions::of_wallet(before.unwrap_or_default());
    let turns = before.into_iter().zip(alarm_conditions::of_wallet(now.status)).filter(|(was, is)| was.1 != is.1);
    turns.map(move |(_, (kind, is_set))| {
        let turn = if is_set { Turn::Raised(detail.clone()) } else { Turn::Over };
        Change { kind, subject: Subject::Meter(meter), at, turn }
    })
}
