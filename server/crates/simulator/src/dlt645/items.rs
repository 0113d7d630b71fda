//! Data items by identifier (DI3 DI2 DI1 DI0). Values are BCD, low byte first.

use crate::freeze::Frozen;
use crate::instantaneous_values::InstantaneousValues;
use crate::load::Load;
use crate::meter::Meter;
use domain::bcd::{BcdTime, pack};

/// The combined energy is the sum of forward and reverse.
const FORWARD_AND_REVERSE: u8 = 0x05;
/// All items of a group.
const ALL: u8 = 0xff;

/// The value of an identifier; `None` if there is none.
#[must_use]
pub fn read(meter: &Meter, load: &Load, identifier: u32) -> Option<Vec<u8>> {
    let energy = &meter.energy;
    let forward = energy.total.saturating_sub(energy.reverse);
    let now = InstantaneousValues::of(meter, load);
    let four = |value: u32| number(value.into(), 4);
    Some(match identifier.to_be_bytes() {
        [0x00, 0x00, 0x00, 0x00] => four(energy.total),
        [0x00, 0x01, 0x00, 0x00] => four(forward),
        [0x00, 0x01, rate @ 1..=4, 0x00] => four(*energy.rates.get(usize::from(rate) - 1)?),
        [0x00, 0x01, ALL, 0x00] => [forward].iter().chain(&energy.rates).flat_map(|&value| four(value)).collect(),
        [0x00, 0x02, 0x00, 0x00] => four(energy.reverse),
        [0x00, 0x90, 0x02, 0x00] => signed(meter.wallet.remaining.max(0).into(), 4),
        [0x00, 0x90, 0x02, 0x01] => signed(meter.wallet.remaining.min(0).saturating_neg().into(), 4),
        [0x03, 0x33, 0x02, 0x00] => number(meter.wallet.count.into(), 2),
        [0x02, 0x01, 0x01, 0x00] => number(now.decivolts.into(), 2),
        [0x02, 0x02, 0x01, 0x00] => number(u64::from(now.centiamperes) * 10, 3),
        [0x02, 0x03, 0x00, 0x00] => signed(i64::from(now.watts) * 10, 3),
        [0x02, 0x04, 0x00, 0x00] => signed(i64::from(now.vars) * 10, 3),
        [0x02, 0x05, 0x00, 0x00] => signed(i64::from(now.apparent) * 10, 3),
        [0x02, 0x06, 0x00, 0x00] => signed(now.factor.into(), 2),
        [0x02, 0x80, 0x00, 0x02] => number(5_000, 2),
        [0x04, 0x00, 0x01, 0x01] => date(meter),
        [0x04, 0x00, 0x01, 0x02] => meter.bcd_clock().iter().skip(3).rev().copied().collect(),
        [0x04, 0x00, 0x04, 0x01 | 0x02] => meter.serial.bytes().into_iter().rev().collect(),
        [0x04, 0x00, 0x05, 0x03] => run_state(meter).to_le_bytes().to_vec(),
        [0x04, 0x00, 0x06, 0x01] => vec![FORWARD_AND_REVERSE],
        [0x05, 0x06, kind, back] => frozen(meter, kind, back)?,
        _ => return None,
    })
}

/// Run-state word 3: bit 4 is the relay, bit 6 its command; 0 is closed.
fn run_state(meter: &Meter) -> u16 {
    u16::from(!meter.relay.closed()) << 4 | u16::from(!meter.relay.commanded) << 6
}

/// Date and day of the week, 0 for Sunday.
fn date(meter: &Meter) -> Vec<u8> {
    let weekday = BcdTime::from_timestamp(meter.local()).map_or(0, BcdTime::weekday);
    let [year, month, day, ..] = meter.bcd_clock();
    vec![weekday, day, month, year]
}

/// Daily freezes: 00 the time, 01 forward energy and its rates, 02 reverse energy; 1 is the newest, FF all of them.
fn frozen(meter: &Meter, kind: u8, back: u8) -> Option<Vec<u8>> {
    let image = |frozen: &Frozen| -> Option<Vec<u8>> {
        let forward = frozen.total.saturating_sub(frozen.reverse);
        let energies = |total: u32| [total].iter().chain(&frozen.rates).flat_map(|&value| number(value.into(), 4)).collect();
        Some(match kind {
            0 => {
                let [year, month, day, hour, minute, _] = BcdTime::from_timestamp(frozen.day.start())?.bytes();
                vec![minute, hour, day, month, year]
            }
            1 => energies(forward),
            2 => number(frozen.reverse.into(), 4),
            _ => return None,
        })
    };
    match back {
        0 => None,
        ALL => meter.freezes.days().map(image).collect::<Option<Vec<_>>>().map(|all| all.concat()),
        _ => meter.freezes.days().nth(usize::from(back) - 1).and_then(image),
    }
}

/// BCD in `bytes` bytes, low byte first; higher digits are dropped, as in a counter.
fn number(mut value: u64, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes);
    for _ in 0..bytes {
        out.push(pack((value % 100) as u8));
        value /= 100;
    }
    out
}

/// Like [`number`], with the sign in the top bit.
fn signed(value: i64, bytes: usize) -> Vec<u8> {
    let mut out = number(value.unsigned_abs(), bytes);
    if let (true, Some(top)) = (value < 0, out.last_mut()) {
        *top |= 0x80;
    }
    out
}
