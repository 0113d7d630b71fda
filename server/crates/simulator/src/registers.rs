//! The register map of the reference profile.

use super::freeze;
use super::instantaneous_values::InstantaneousValues;
use super::journal;
use super::load::Load;
use super::meter::Meter;
use super::modbus::Exception;
use super::status;
use domain::bcd::pack;
use domain::operation::{DayTable, PlanEntry};
use domain::serial::AccountNumber;

/// Register to which secured frames are written; it cannot be read.
pub const MAILBOX: u16 = 0x0200;

/// Entries of the date plan.
const PLAN: usize = 4;

/// A readable range: first address, number of registers, and the function that builds its contents.
type Block = (u16, u16, fn(&Meter, &Load) -> Image);

const BLOCKS: [Block; 6] = [
    (0x0000, 17, measurement),
    (0x0100, 38, state),
    (0x0140, 40, |meter, _| parameters(meter)),
    (0x0300, 160, |meter, _| journal(meter)),
    (0x0400, 186, |meter, _| freezes(meter)),
    (0x2000, 48, |meter, _| tables(meter)),
];

/// Reads registers, all within one block.
///
/// # Errors
/// Exception 02 for unknown registers.
pub fn read(meter: &Meter, load: &Load, address: u16, count: u16) -> Result<Vec<u16>, Exception> {
    let inside = |&&(first, size, _): &&Block| {
        address >= first && u32::from(address) + u32::from(count) <= u32::from(first) + u32::from(size)
    };
    let (first, size, image) = BLOCKS.iter().find(inside).ok_or(Exception::IllegalAddress)?;
    let mut registers = image(meter, load).0;
    registers.resize(usize::from(*size), 0);
    let start = usize::from(address - first);
    registers.get(start..start + usize::from(count)).map(<[u16]>::to_vec).ok_or(Exception::IllegalAddress)
}

/// Registers under construction.
#[derive(Default)]
struct Image(Vec<u16>);

impl Image {
    fn word(mut self, value: u16) -> Self {
        self.0.push(value);
        self
    }

    fn long(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    fn signed(self, value: i32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    fn longs(self, values: &[u32]) -> Self {
        values.iter().fold(self, |image, &value| image.long(value))
    }

    /// Two bytes per register; an odd last byte fills the high half.
    fn bytes(mut self, bytes: &[u8]) -> Self {
        let (pairs, rest) = bytes.as_chunks();
        self.0.extend(pairs.iter().copied().map(u16::from_be_bytes));
        self.0.extend(rest.iter().map(|&high| u16::from_be_bytes([high, 0])));
        self
    }

    fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }
}

fn measurement(meter: &Meter, load: &Load) -> Image {
    let now = InstantaneousValues::of(meter, load);
    Image::default()
        .long(meter.energy.total)
        .longs(&meter.energy.rates)
        .word(0)
        .word(now.decivolts)
        .word(now.centiamperes)
        .word((now.watts as i16).cast_unsigned())
        .word((now.vars as i16).cast_unsigned())
        .word(now.apparent as u16)
        .word(now.factor.cast_unsigned())
}

fn state(meter: &Meter, _: &Load) -> Image {
    let wallet = &meter.wallet;
    Image::default()
        .bytes(&meter.serial.bytes())
        .word(status::word(meter))
        .signed(wallet.remaining)
        .signed(wallet.cumulative)
        .word(wallet.count)
        .word(wallet.epoch)
        .long(meter.energy.reverse)
        .word(meter.tariff.rate(meter.local()).into())
        .bytes(&meter.bcd_clock())
        .bytes(&meter.mailbox.challenge())
        .bytes(&meter.mailbox.last)
        .bytes(&wallet.order.to_be_bytes())
        .word(meter.journal.newest())
        .word(meter.parameter_version)
        .long(wallet.tier_use)
        .bytes(&wallet.account.unwrap_or(AccountNumber::NONE).bytes())
        .word(meter.tamper.events)
        .word(meter.versions)
}

fn parameters(meter: &Meter) -> Image {
    let (limits, tariff) = (&meter.limits, &meter.tariff);
    Image::default()
        .longs(&[limits.alarm1, limits.alarm2, limits.overdraft, limits.hoarding])
        .word(limits.overload_w)
        .longs(&tariff.prices)
        .word(tariff.tiers.period.code().into())
        .longs(&tariff.tiers.thresholds)
        .longs(&tariff.tiers.surcharges)
        .longs(&tariff.standby.unwrap_or_default())
        .bytes(&tariff.switch_over.map_or([0; 6], |at| at.bytes()))
}

fn journal(meter: &Meter) -> Image {
    meter.journal.records().fold(Image::default(), |image, record| {
        image
            .word(record.sequence)
            .bytes(&[record.kind as u8, record.cause])
            .bytes(&record.when)
            .signed(record.amount)
            .word(record.count)
            .signed(record.remaining)
    })
}

fn freezes(meter: &Meter) -> Image {
    meter.freezes.days().fold(Image::default(), |image, frozen| {
        let (year, month, day) = frozen.day.ymd();
        let year = pack(u8::try_from(year.rem_euclid(100)).unwrap_or(0));
        image.bytes(&[0, year, pack(month), pack(day)]).long(frozen.total).signed(frozen.remaining)
    })
}

fn tables(meter: &Meter) -> Image {
    let plan: Vec<u8> = meter.tariff.date_plan.iter().flat_map(|entry| PlanEntry::bytes(*entry)).collect();
    let plan = Image::default().bytes(&plan);
    let [first, second] = meter.tariff.day_tables.each_ref().map(|table| {
        let mut bytes: Vec<u8> = table.slots().iter().flat_map(|slot| slot.bytes()).collect();
        bytes.resize(DayTable::MAX * 3, 0);
        bytes
    });
    let missing = (PLAN * 3 / 2_usize).saturating_sub(plan.0.len());
    plan.zeros(missing).bytes(&first).bytes(&second)
}

/// The journal and the freezes must fill their blocks exactly.
const _: () = assert!(journal::RECORDS * journal::WIDTH == 160 && freeze::DAYS * freeze::WIDTH == 186);

#[cfg(test)]
mod tests;
