//! A meter's values by profile field, in the server's units; times as the BCD digits of a register.

use model::time::Date;

use super::freeze::Frozen;
use super::instantaneous_values::InstantaneousValues;
use super::journal::{Record, RecordKind};
use super::load::Load;
use super::meter::Meter;
use super::tariff::FLAT;
use domain::bcd::pack;
use domain::meter_records::JournalKind;
use meters::profile::{MeterField, Table};

pub struct FieldValues(Vec<(MeterField, i128)>);

impl FieldValues {
    /// Current values of a meter.
    #[must_use]
    pub fn of(meter: &Meter, load: &Load) -> Self {
        let (energy, now) = (&meter.energy, InstantaneousValues::of(meter, load));
        let wh = |steps: u32| i128::from(steps) * 10;
        let [spike, peak, flat, valley] = energy.rates.map(wh);
        let price = meter.tariff.prices.get(usize::from(FLAT) - 1).copied().unwrap_or(0);
        Self(vec![
            (MeterField::Total, wh(energy.total)),
            (MeterField::Reverse, wh(energy.reverse)),
            (MeterField::Spike, spike),
            (MeterField::Peak, peak),
            (MeterField::Flat, flat),
            (MeterField::Valley, valley),
            (MeterField::Voltage, now.decivolts.into()),
            (MeterField::Current, now.centiamperes.into()),
            (MeterField::Power, now.watts.into()),
            (MeterField::Reactive, now.vars.into()),
            (MeterField::Apparent, now.apparent.into()),
            (MeterField::PowerFactor, now.factor.into()),
            (
                MeterField::Serial,
                meter.serial.bytes().iter().fold(0, |all, &byte| all * 100 + i128::from(byte >> 4) * 10 + i128::from(byte & 15)),
            ),
            (MeterField::RelayClosed, meter.relay.closed().into()),
            (MeterField::RelayFault, meter.relay.fault().into()),
            (MeterField::Clock, time(meter.bcd_clock())),
            (MeterField::Remaining, meter.wallet.remaining.into()),
            (MeterField::Count, meter.wallet.count.into()),
            (MeterField::Tamper, meter.tamper.events.into()),
            (MeterField::Rate, meter.tariff.rate(meter.local()).into()),
            (MeterField::JournalSequence, meter.journal.newest().into()),
            (MeterField::Alarm1, meter.limits.alarm1.into()),
            (MeterField::Alarm2, meter.limits.alarm2.into()),
            (MeterField::Overdraft, meter.limits.overdraft.into()),
            (MeterField::Price, price.into()),
        ])
    }

    /// Its daily freezes, newest first.
    #[must_use]
    pub fn freezes(meter: &Meter) -> Vec<Self> {
        let field_values = |frozen: &Frozen| {
            let (total, remaining) = (i128::from(frozen.total) * 10, frozen.remaining.into());
            Self(vec![(MeterField::Day, day(frozen.day)), (MeterField::Total, total), (MeterField::Remaining, remaining)])
        };
        meter.freezes.days().map(field_values).collect()
    }

    /// Its journal records of the kinds in a table, newest first.
    #[must_use]
    pub fn journal(meter: &Meter, table: &Table) -> Vec<Self> {
        meter.journal.records().filter_map(|record| Self::record(record, table)).collect()
    }

    fn record(record: &Record, table: &Table) -> Option<Self> {
        let kind = kind(record.kind);
        let code = match table.kind {
            Some(only) => (only == kind).then_some(0)?,
            None => table.kinds.iter().find(|code| code.kind == kind)?.value,
        };
        Some(Self(vec![
            (MeterField::JournalSequence, record.sequence.into()),
            (MeterField::Kind, code.into()),
            (MeterField::Cause, record.cause.into()),
            (MeterField::When, time(record.when)),
            (MeterField::Amount, record.amount.into()),
            (MeterField::Count, record.count.into()),
            (MeterField::Remaining, record.remaining.into()),
        ]))
    }

    /// The value of a field; `None` if there is none.
    #[must_use]
    pub fn get(&self, field: MeterField) -> Option<i128> {
        self.0.iter().find(|(candidate, _)| *candidate == field).map(|(_, value)| *value)
    }
}

const fn kind(kind: RecordKind) -> JournalKind {
    match kind {
        RecordKind::Credit => JournalKind::Credit,
        RecordKind::Debit => JournalKind::Debit,
        RecordKind::Open => JournalKind::Open,
        RecordKind::Close => JournalKind::Close,
        RecordKind::RelayOpened => JournalKind::RelayOpened,
        RecordKind::RelayClosed => JournalKind::RelayClosed,
        RecordKind::Parameter => JournalKind::Parameter,
        RecordKind::Tamper => JournalKind::Tamper,
    }
}

fn time(bytes: [u8; 6]) -> i128 {
    bytes.iter().fold(0, |all, &byte| all << 8 | i128::from(byte))
}

fn day(day: Date) -> i128 {
    let (year, month, day) = day.ymd();
    let year = pack(u8::try_from(year.rem_euclid(100)).unwrap_or(0));
    time([0, 0, 0, year, pack(month), pack(day)])
}
