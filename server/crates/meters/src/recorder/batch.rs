//! Rows that are collected before they are stored together.

use std::collections::{BTreeMap, BTreeSet};

use model::energy::Energy;
use model::ids::MeterId;
use model::meter::Latest;
use model::time::{Date, Timestamp};

use domain::classify::Baseline;
use domain::meter_state::{Measurement, State};
use domain::rollup::{ConsumptionInterval, Parts};
use domain::serial::Serial;
use model::reading::{ReadingQuality, ReadingSource};
use store::cases::kind;
use store::energy::{Day, Hour};
use store::events::Change;
use store::readings::{self, DoubtfulReading, Reading};
use store::wallets::Metered;

/// What has come in since the last time.
#[derive(Default)]
pub(super) struct Batch {
    readings: Vec<Reading>,
    doubts: Vec<DoubtfulReading>,
    events: Vec<Change>,
    metered: Vec<Metered>,
    touched: BTreeSet<MeterId>,
    hours: BTreeMap<(MeterId, i64), Energy>,
    days: BTreeMap<(MeterId, Date), (Energy, Parts)>,
    /// States that do not match the ledger: read from when on.
    pub(super) suspects: Vec<(MeterId, Timestamp, State)>,
}

impl Batch {
    pub(super) fn rows(&self) -> usize {
        self.readings.len().max(self.touched.len())
    }

    pub(super) fn latest(&mut self, meter: MeterId) {
        self.touched.insert(meter);
    }

    pub(super) fn reading(
        &mut self,
        meter: MeterId,
        at: Timestamp,
        quality: ReadingQuality,
        source: ReadingSource,
        measurement: &Measurement,
        seen: &Latest,
    ) {
        let [spike, peak, flat, valley] = match measurement.rates {
            Some(rates) => rates.map(Some),
            None => [None; 4],
        };
        self.readings.push(Reading {
            meter_id: meter,
            at,
            quality,
            source,
            status: seen.status.0.into(),
            total_wh: measurement.total,
            reverse_wh: measurement.reverse,
            remaining_fen: seen.remaining,
            power_w: measurement.power_w.map(i64::from),
            voltage_dv: measurement.voltage_dv.map(i64::from),
            current_ca: measurement.current_ca.map(i64::from),
            power_factor: measurement.power_factor.map(i64::from),
            spike_wh: spike,
            peak_wh: peak,
            flat_wh: flat,
            valley_wh: valley,
        });
    }

    pub(super) fn meter(&mut self, reading: Metered) {
        self.metered.push(reading);
    }

    pub(super) fn energy(&mut self, meter: MeterId, interval: &ConsumptionInterval) {
        if interval.energy == Energy::ZERO {
            return;
        }
        for (hour, share) in interval.by_hour().filter(|(_, share)| *share != Energy::ZERO) {
            let slot = self.hours.entry((meter, hour)).or_default();
            *slot = *slot + share;
        }
        for (day, share, parts) in interval.by_day() {
            let (energy, all) = self.days.entry((meter, day)).or_default();
            *energy = *energy + share;
            *all = all.zip(parts, |one, other| one + other);
        }
    }

    /// Opens one case for a run of held values; later ones add nothing.
    pub(super) fn hold(&mut self, meter: MeterId, quality: ReadingQuality, last: Option<&Baseline>, now: &Baseline) {
        let detail = serde_json::json!({
            "quality": quality.as_str(),
            "at": now.at.0,
            "total_wh": now.total.0,
            "last_at": last.map(|last| last.at.0),
            "last_total_wh": last.map(|last| last.total.0),
        });
        self.doubts.push(DoubtfulReading { kind: kind::READING, meter, detail: detail.to_string() });
    }

    pub(super) fn stranger(&mut self, meter: MeterId, serial: Serial) {
        let detail = serde_json::json!({ "answers": serial }).to_string();
        self.doubts.push(DoubtfulReading { kind: kind::IDENTITY, meter, detail });
    }

    pub(super) fn suspect(&mut self, meter: MeterId, from: Timestamp, state: &State) {
        self.suspects.push((meter, from, *state));
    }

    pub(super) fn events(&mut self, changes: Vec<Change>) {
        self.events.extend(changes);
    }

    /// The rows to store, with what each touched meter holds now.
    pub(super) fn finish(&mut self, latest: impl Fn(&MeterId) -> Option<Latest>) -> readings::Batch {
        let hour = |((meter, hour), energy)| Hour { meter, hour, energy };
        let day = |((meter, day), (energy, parts))| Day { meter, day, energy, parts };
        readings::Batch {
            readings: std::mem::take(&mut self.readings),
            metered: std::mem::take(&mut self.metered),
            hours: std::mem::take(&mut self.hours).into_iter().map(hour).collect(),
            days: std::mem::take(&mut self.days).into_iter().map(day).collect(),
            doubts: std::mem::take(&mut self.doubts),
            events: std::mem::take(&mut self.events),
            latest: self.touched.iter().filter_map(latest).collect(),
        }
    }
}
