//! The status word, register 0x0103.

use model::meter::ControlMode;
use model::time::DAY;

use super::meter::Meter;

/// Bit 4: tripped for arrears.
pub const ARREARS: u8 = 4;
/// Bit 5: tripped for overload.
pub const OVERLOAD: u8 = 5;
/// Bit 10: cover open.
pub const COVER_OPEN: u8 = 10;
/// Bit 11: tripped for a malignant load.
pub const MALIGNANT: u8 = 11;
/// Bit 12: the relay differs from its command.
pub const RELAY_FAULT: u8 = 12;

#[must_use]
pub fn word(meter: &Meter) -> u16 {
    let inputs = meter.inputs();
    let below = |alarm: u32| inputs.account_open && i64::from(meter.wallet.remaining) < i64::from(alarm);
    let reverse = meter.tamper.reverse_seen.is_some_and(|seen| meter.until.since(seen) < DAY);
    let bits = [
        meter.relay.closed(),
        inputs.account_open,
        below(meter.limits.alarm1),
        below(meter.limits.alarm2),
        inputs.account_open && inputs.used_up && inputs.mode == ControlMode::Prepaid,
        inputs.overload,
        inputs.mode == ControlMode::Guaranteed,
        inputs.mode == ControlMode::ForcedOff,
        inputs.switched_off,
        reverse,
        meter.tamper.cover_open,
        inputs.malignant,
        meter.relay.fault(),
        meter.clock.lost,
        meter.tariff.standby.is_some(),
    ];
    bits.iter().enumerate().fold(0, |word, (bit, &set)| word | (u16::from(set) << bit))
}
