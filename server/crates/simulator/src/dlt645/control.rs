//! Commands that change a meter: switching its relay and setting its clock. Both need the meter's password.

use model::meter::ControlMode;
use model::time::{Date, MINUTE, Timestamp};

use super::Refusal;
use crate::journal::BY_COMMAND;
use crate::meter::Meter;
use crate::secured::FrameEffect;
use domain::bcd::BcdTime;

/// Level and password of every simulated meter, in transmission order; they protect nothing.
pub const PASSWORD: [u8; 4] = [0x02, 0x56, 0x34, 0x12];
/// An operator code, in transmission order. Meters accept any; this one is for masters that need to send one.
pub const OPERATOR: [u8; 4] = [0x01, 0x00, 0x00, 0x00];
/// The most by which a broadcast moves the clock, and its minimum distance from midnight, when the freeze is taken.
const SMALL: i64 = 5 * MINUTE;

/// 1C: password, operator, command, reserved byte, time until which the command is valid (ss mm hh DD MM YY).
pub fn relay(meter: &mut Meter, data: &[u8]) -> Result<(), Refusal> {
    let (command, rest) = authorised(data)?;
    let (Some(&[command, _]), Some(until)) = (command.first_chunk::<2>(), time(rest)) else { return Err(Refusal::Other) };
    if until < meter.local() {
        return Err(Refusal::Other);
    }
    match command {
        0x1a => meter.switched_off = true,
        // Permitted closing counts as closed at once, as if the resident pressed the button.
        0x1b | 0x1c => meter.switched_off = false,
        0x3a => meter.mode = ControlMode::Guaranteed,
        0x3b => meter.mode = ControlMode::Prepaid,
        _ => return Err(Refusal::Other),
    }
    meter.apply_relay_rule(Some(BY_COMMAND));
    Ok(())
}

/// 14: identifier, password, operator, value. Only date and time of day can be written.
pub fn write(meter: &mut Meter, data: &[u8]) -> Result<(), Refusal> {
    let (identifier, rest) = data.split_at_checked(4).ok_or(Refusal::Other)?;
    let (_, value) = authorised(rest).map(|_| rest.split_at(8))?;
    let now = BcdTime::from_timestamp(meter.local()).map_or([0; 6], BcdTime::bytes);
    let [year, month, day, hour, minute, second] = now;
    let set = match (identifier, value) {
        ([0x01, 0x01, 0x00, 0x04], &[_, d, m, y]) => [y, m, d, hour, minute, second],
        ([0x02, 0x01, 0x00, 0x04], &[s, m, h]) => [year, month, day, h, m, s],
        _ => return Err(Refusal::NoData),
    };
    meter.set_clock(BcdTime::from_bytes(set).ok_or(Refusal::Other)?.timestamp());
    Ok(())
}

/// 08 to all meters: ss mm hh DD MM YY. A meter accepts it once a day, for a small difference, away from midnight.
pub fn broadcast_time(meter: &mut Meter, data: &[u8]) -> FrameEffect {
    let (local, today) = (meter.local(), meter.local().date());
    let Some(at) = time(data).filter(|at| at.since(local).abs() <= SMALL) else { return FrameEffect::Refused };
    let midnights = [today.start(), Date(today.0 + 1).start()];
    if meter.clock.set_on == Some(today) || midnights.iter().any(|midnight| at.since(*midnight).abs() <= SMALL) {
        return FrameEffect::Refused;
    }
    meter.set_clock(at);
    meter.clock.set_on = Some(today);
    FrameEffect::Changed
}

/// The data after password and operator: two bytes of command, and the rest.
fn authorised(data: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let (password, rest) = data.split_at_checked(4).ok_or(Refusal::Other)?;
    let (_operator, rest) = rest.split_at_checked(4).ok_or(Refusal::Other)?;
    if password != PASSWORD {
        return Err(Refusal::Unauthorised);
    }
    rest.split_at_checked(2).ok_or(Refusal::Other)
}

/// Decodes a time, seconds first.
fn time(data: &[u8]) -> Option<Timestamp> {
    let &[s, m, h, day, month, year] = data else { return None };
    BcdTime::from_bytes([year, month, day, h, m, s]).map(BcdTime::timestamp)
}
