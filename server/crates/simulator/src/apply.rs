//! The rules of each operation: what it does to the meter, and when it is refused.

use super::journal::{BY_COMMAND, RecordKind};
use super::meter::Meter;
use super::wallet::MoneyCommand;
use domain::operation::Operation;
use meters::frame::FrameResult;

/// Applies an operation that passed all earlier checks; a refused one changes nothing.
pub fn apply(meter: &mut Meter, operation: &Operation) -> FrameResult {
    match *operation {
        Operation::Open { account } => {
            if meter.wallet.account.is_some() {
                return FrameResult::AlreadyOpen;
            }
            meter.wallet.open(account);
            meter.release_control();
            meter.record(RecordKind::Open, 0, 0);
            meter.apply_relay_rule(Some(BY_COMMAND));
            FrameResult::Done
        }
        Operation::Credit { order, count, amount } => money(meter, MoneyCommand { code: operation.code(), order, amount }, count),
        Operation::Debit { order, count, amount } => money(meter, MoneyCommand { code: operation.code(), order, amount }, count),
        Operation::Close { order, count } => money(meter, MoneyCommand { code: operation.code(), order, amount: 0 }, count),
        Operation::SetMode(mode) => {
            meter.mode = mode;
            meter.overload = false;
            meter.malignant = false;
            meter.apply_relay_rule(Some(BY_COMMAND));
            FrameResult::Done
        }
        Operation::UserSwitch(on) => {
            meter.switched_off = !on;
            meter.apply_relay_rule(Some(BY_COMMAND));
            FrameResult::Done
        }
        Operation::SetClock(at) => {
            meter.set_clock(at.timestamp());
            FrameResult::Done
        }
        _ => parameter(meter, operation),
    }
}

/// The money rule: the count must be the next one. A repetition of the last command is recognised; anything else is refused.
fn money(meter: &mut Meter, command: MoneyCommand, count: u16) -> FrameResult {
    if meter.wallet.account.is_none() {
        return FrameResult::NotOpen;
    }
    if count == meter.wallet.count && meter.wallet.last == Some(command) {
        return FrameResult::AlreadyApplied;
    }
    if Some(count) != meter.wallet.count.checked_add(1) {
        return FrameResult::Count;
    }
    let moved = match command.code {
        0x02 => credit(meter, command.amount),
        0x03 => debit(meter, command.amount),
        _ => {
            meter.release_control();
            Ok((RecordKind::Close, meter.wallet.close()))
        }
    };
    let (kind, amount) = match moved {
        Ok(moved) => moved,
        Err(refused) => return refused,
    };
    meter.wallet.count = count;
    meter.wallet.order = command.order;
    meter.wallet.last = Some(command);
    meter.record(kind, 0, amount);
    // A credit or debit moves the relay only across the arrears limit; a close opens it by command.
    meter.apply_relay_rule((kind == RecordKind::Close).then_some(BY_COMMAND));
    FrameResult::Done
}

fn credit(meter: &mut Meter, amount: u32) -> Result<(RecordKind, i32), FrameResult> {
    let after = i64::from(meter.wallet.remaining) + i64::from(amount);
    if meter.limits.hoarding > 0 && after > i64::from(meter.limits.hoarding) {
        return Err(FrameResult::Hoarding);
    }
    let cumulative = i64::from(meter.wallet.cumulative) + i64::from(amount);
    let (Ok(after), Ok(cumulative), Ok(amount)) = (after.try_into(), cumulative.try_into(), amount.try_into()) else {
        return Err(FrameResult::Range);
    };
    (meter.wallet.remaining, meter.wallet.cumulative) = (after, cumulative);
    Ok((RecordKind::Credit, amount))
}

fn debit(meter: &mut Meter, amount: u32) -> Result<(RecordKind, i32), FrameResult> {
    let after = i64::from(meter.wallet.remaining) - i64::from(amount);
    if after < 0 {
        return Err(FrameResult::Exceeds);
    }
    let cumulative = i64::from(meter.wallet.cumulative) - i64::from(amount);
    let (Ok(after), Ok(cumulative), Ok(amount)) = (after.try_into(), cumulative.try_into(), amount.try_into()) else {
        return Err(FrameResult::Range);
    };
    (meter.wallet.remaining, meter.wallet.cumulative) = (after, cumulative);
    Ok((RecordKind::Debit, amount))
}

fn parameter(meter: &mut Meter, operation: &Operation) -> FrameResult {
    match operation {
        Operation::SetLimits(limits) => meter.limits = *limits,
        Operation::SetPrices { standby: false, prices } => meter.tariff.prices = *prices,
        Operation::SetPrices { standby: true, prices } => meter.tariff.standby = Some(*prices),
        Operation::SetTiers(tiers) => {
            // Energy counted over another period does not apply to this one.
            if tiers.period != meter.tariff.tiers.period {
                meter.wallet.tier_use = 0;
            }
            meter.tariff.tiers = *tiers;
        }
        Operation::SetSwitchOver(at) => meter.tariff.switch_over = *at,
        Operation::SetDayTable { table, slots } => {
            let Some(place) = meter.tariff.day_tables.get_mut(usize::from(*table).wrapping_sub(1)) else {
                return FrameResult::Range;
            };
            place.clone_from(slots);
        }
        Operation::SetDatePlan(entries) => meter.tariff.date_plan.clone_from(entries),
        _ => return FrameResult::Range,
    }
    meter.parameter_version = meter.parameter_version.wrapping_add(1);
    meter.record(RecordKind::Parameter, operation.code(), 0);
    meter.apply_relay_rule(None);
    FrameResult::Done
}
