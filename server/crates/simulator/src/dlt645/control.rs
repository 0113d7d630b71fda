//! What a frame may do to a meter: switch its relay, set its clock. Each with the meter's password and who asks.

use model::meter::ControlMode;
use model::time::{Date, MINUTE, Timestamp};

use super::Refusal;
use crate::journal::BY_COMMAND;
use crate::meter::Meter;
use crate::secured::Effect;
use domain::bcd::BcdTime;

/// Level and password of every simulated meter, as on the wire; they protect nothing.
pub const PASSWORD: [u8; 4] = [0x02, 0x56, 0x34, 0x12];
/// Who may switch, as on the wire. A meter takes anybody; it is here for masters that must name somebody.
pub const OPERATOR: [u8; 4] = [0x01, 0x00, 0x00, 0x00];
/// A broadcast moves the clock by no more than this, and not so near to midnight, where the freeze is taken.
const SMALL: i64 = 5 * MINUTE;

/// 1C: password, operator, command, a reserved byte, until when it is valid (ss mm hh DD MM YY).
pub fn relay(meter: &mut Meter, data: &[u8]) -> Result<(), Refusal> {
    let (command, rest) = authorised(data)?;
    let (Some(&[command, _]), Some(until)) = (command.first_chunk::<2>(), time(rest)) else { return Err(Refusal::Other) };
    if until < meter.local() {
        return Err(Refusal::Other);
    }
    match command {
        0x1a => meter.switched_off = true,
        // Closing is permitted and the resident presses the key at once, or it closes directly.
        0x1b | 0x1c => meter.switched_off = false,
        0x3a => meter.mode = ControlMode::Guaranteed,
        0x3b => meter.mode = ControlMode::Prepaid,
        _ => return Err(Refusal::Other),
    }
    meter.settle(Some(BY_COMMAND));
    Ok(())
}

/// 14: identifier, password, operator, value. Only the clock can be written, date and time each.
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

/// 08 to all: ss mm hh DD MM YY. A meter takes it once a day, for a small difference, away from midnight.
pub fn broadcast_time(meter: &mut Meter, data: &[u8]) -> Effect {
    let (local, today) = (meter.local(), meter.local().date());
    let Some(at) = time(data).filter(|at| at.since(local).abs() <= SMALL) else { return Effect::Refused };
    let midnights = [today.start(), Date(today.0 + 1).start()];
    if meter.clock.set_on == Some(today) || midnights.iter().any(|midnight| at.since(*midnight).abs() <= SMALL) {
        return Effect::Refused;
    }
    meter.set_clock(at);
    meter.clock.set_on = Some(today);
    Effect::Changed
}

/// What stands behind password and operator: a command's two bytes and the rest.
fn authorised(data: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let (password, rest) = data.split_at_checked(4).ok_or(Refusal::Other)?;
    let (_operator, rest) = rest.split_at_checked(4).ok_or(Refusal::Other)?;
    if password != PASSWORD {
        return Err(Refusal::Unauthorised);
    }
    rest.split_at_checked(2).ok_or(Refusal::Other)
}

/// A time, seconds first.
fn time(data: &[u8]) -> Option<Timestamp> {
    let &[s, m, h, day, month, year] = data else { return None };
    BcdTime::from_bytes([year, month, day, h, m, s]).map(BcdTime::timestamp)
}
