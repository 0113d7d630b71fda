//! A meter's values by profile field, in the server's units; times as the BCD digits of a register.

use model::time::Date;

use super::freeze::Frozen;
use super::journal::{Kind, Record};
use super::load::Load;
use super::measured::Measured;
use super::meter::Meter;
use super::tariff::FLAT;
use domain::bcd::pack;
use domain::meter_records::JournalKind;
use meters::profile::{Field, Table};

pub struct Facts(Vec<(Field, i128)>);

impl Facts {
    /// Current values of a meter.
    #[must_use]
    pub fn of(meter: &Meter, load: &Load) -> Self {
        let (energy, now) = (&meter.energy, Measured::of(meter, load));
        let wh = |steps: u32| i128::from(steps) * 10;
        let [spike, peak, flat, valley] = energy.rates.map(wh);
        let price = meter.tariff.prices.get(usize::from(FLAT) - 1).copied().unwrap_or(0);
        Self(vec![
            (Field::Total, wh(energy.total)),
            (Field::Reverse, wh(energy.reverse)),
            (Field::Spike, spike),
            (Field::Peak, peak),
            (Field::Flat, flat),
            (Field::Valley, valley),
            (Field::Voltage, now.decivolts.into()),
            (Field::Current, now.centiamperes.into()),
            (Field::Power, now.watts.into()),
            (Field::Reactive, now.vars.into()),
            (Field::Apparent, now.apparent.into()),
            (Field::PowerFactor, now.factor.into()),
            (
                Field::Serial,
                meter.serial.bytes().iter().fold(0, |all, &byte| all * 100 + i128::from(byte >> 4) * 10 + i128::from(byte & 15)),
            ),
            (Field::RelayClosed, meter.relay.closed().into()),
            (Field::RelayFault, meter.relay.fault().into()),
            (Field::Clock, time(meter.bcd_clock())),
            (Field::Remaining, meter.wallet.remaining.into()),
            (Field::Count, meter.wallet.count.into()),
            (Field::Tamper, meter.tamper.events.into()),
            (Field::Rate, meter.tariff.rate(meter.local()).into()),
            (Field::JournalSequence, meter.journal.newest().into()),
            (Field::Alarm1, meter.limits.alarm1.into()),
            (Field::Alarm2, meter.limits.alarm2.into()),
            (Field::Overdraft, meter.limits.overdraft.into()),
            (Field::Price, price.into()),
        ])
    }

    /// Its daily freezes, newest first.
    #[must_use]
    pub fn freezes(meter: &Meter) -> Vec<Self> {
        let facts = |frozen: &Frozen| {
            let (total, remaining) = (i128::from(frozen.total) * 10, frozen.remaining.into());
            Self(vec![(Field::Day, day(frozen.day)), (Field::Total, total), (Field::Remaining, remaining)])
        };
        meter.freezes.days().map(facts).collect()
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
            (Field::JournalSequence, record.sequence.into()),
            (Field::Kind, code.into()),
            (Field::Cause, record.cause.into()),
            (Field::When, time(record.when)),
            (Field::Amount, record.amount.into()),
            (Field::Count, record.count.into()),
            (Field::Remaining, record.remaining.into()),
        ]))
    }

    /// The value of a field; `None` if there is none.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<i128> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, fact)| *fact)
    }
}

const fn kind(kind: Kind) -> JournalKind {
    match kind {
        Kind::Credit => JournalKind::Credit,
        Kind::Debit => JournalKind::Debit,
        Kind::Open => JournalKind::Open,
        Kind::Close => JournalKind::Close,
        Kind::RelayOpened => JournalKind::RelayOpened,
        Kind::RelayClosed => JournalKind::RelayClosed,
        Kind::Parameter => JournalKind::Parameter,
        Kind::Tamper => JournalKind::Tamper,
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
