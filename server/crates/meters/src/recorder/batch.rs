//! Rows collected for one transaction.

use model::case::{CaseDetail, CaseKind, HeldReadingReason, ReadingCase};
use std::collections::{BTreeMap, BTreeSet};

use model::energy::Energy;
use model::ids::MeterId;
use model::meter::{ControlMode, Latest};
use model::time::{Date, Timestamp};

use super::track::RowKey;
use domain::classify::Baseline;
use domain::meter_state::{Measurement, StateBlock};
use domain::rollup::{ConsumptionInterval, Parts};
use domain::serial::Serial;
use model::reading::{ReadingQuality, ReadingSource};
use store::energy::{Day, Hour};
use store::events::Change;
use store::readings::{self, DoubtfulReading, Reading};
use store::wallets::Metered;

/// Rows since the last write.
#[derive(Default)]
pub(super) struct Batch {
    readings: Vec<Reading>,
    doubts: Vec<DoubtfulReading>,
    mended: BTreeSet<(MeterId, CaseKind)>,
    /// Control modes of meters of which none is known.
    pub(super) modes: Vec<(MeterId, ControlMode)>,
    events: Vec<Change>,
    metered: Vec<Metered>,
    touched: BTreeSet<MeterId>,
    hours: BTreeMap<(MeterId, i64), Energy>,
    days: BTreeMap<(MeterId, Date), (Energy, Parts)>,
    /// States that differ from the ledger, with the start of their reading.
    pub(super) ledger_mismatches: Vec<(MeterId, Timestamp, StateBlock)>,
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
        row: RowKey,
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
            at: row.at,
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
            sequence: Some(row.sequence),
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

    /// Opens the case of a held value; while values of the meter are held, later ones open no other.
    pub(super) fn hold(&mut self, meter: MeterId, quality: ReadingQuality, last: Option<&Baseline>, now: &Baseline) {
        let quality = match quality {
            ReadingQuality::Fell => HeldReadingReason::Fell,
            ReadingQuality::Jumped => HeldReadingReason::Jumped,
            ReadingQuality::Disordered => HeldReadingReason::Disordered,
            ReadingQuality::Reset => HeldReadingReason::Reset,
            ReadingQuality::Good | ReadingQuality::Rollover | ReadingQuality::Begun | ReadingQuality::Settled => return,
        };
        let case = ReadingCase {
            quality,
            at: now.at,
            total_wh: now.total.0,
            last_at: last.map(|last| last.at),
            last_total_wh: last.map(|last| last.total.0),
        };
        self.doubts.push(DoubtfulReading { meter, case: CaseDetail::Reading(case) });
    }

    /// The reason of a case is gone.
    pub(super) fn mended(&mut self, meter: MeterId, kind: CaseKind) {
        self.doubts.retain(|doubt| doubt.meter != meter || doubt.case.kind() != kind);
        self.mended.insert((meter, kind));
    }

    pub(super) fn serial_mismatch(&mut self, meter: MeterId, serial: Serial) {
        self.mended.remove(&(meter, CaseKind::Identity));
        self.doubts.push(DoubtfulReading { meter, case: CaseDetail::Identity { answers: serial.to_string() } });
    }

    pub(super) fn ledger_mismatch(&mut self, meter: MeterId, from: Timestamp, state: &StateBlock) {
        self.ledger_mismatches.push((meter, from, *state));
    }

    pub(super) fn events(&mut self, changes: Vec<Change>) {
        self.events.extend(changes);
    }

    /// The rows to store, with the last known values of each meter they touch.
    pub(super) fn finish(&mut self, latest: impl Fn(&MeterId) -> Option<Latest>) -> readings::Batch {
        let hour = |((meter, hour), energy)| Hour { meter, hour, energy };
        let day = |((meter, day), (energy, parts))| Day { meter, day, energy, parts };
        readings::Batch {
            readings: std::mem::take(&mut self.readings),
            metered: std::mem::take(&mut self.metered),
            hours: std::mem::take(&mut self.hours).into_iter().map(hour).collect(),
            days: std::mem::take(&mut self.days).into_iter().map(day).collect(),
            doubts: std::mem::take(&mut self.doubts),
            modes: std::mem::take(&mut self.modes),
            mended: std::mem::take(&mut self.mended).into_iter().collect(),
            events: std::mem::take(&mut self.events),
            latest: self.touched.iter().filter_map(latest).collect(),
        }
    }
}
