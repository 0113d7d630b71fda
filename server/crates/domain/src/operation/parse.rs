//! Strict decoder of operation fields: lengths, digits, ranges and zero padding.

use model::meter::ControlMode;

use super::{DayTable, Limits, Operation, PlanEntry, Slot, TierPeriod, Tiers};
use crate::bcd::BcdTime;
use crate::serial::AccountNumber;

/// Why the fields of an operation were rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("unknown operation {0:#04x}")]
    Operation(u8),
    #[error("fields of the wrong length")]
    Length,
    #[error("padding is not zero")]
    Padding,
    #[error("a field is out of range")]
    Range,
}

/// The most padding of any frame version: one byte less than a DES block.
const MAX_PADDING: usize = 7;

struct FieldReader<'a>(&'a [u8]);

impl FieldReader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(ParseError::Length)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, ParseError> {
        self.take().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, ParseError> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, ParseError> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, ParseError> {
        self.take().map(u64::from_be_bytes)
    }

    fn u32s<const N: usize>(&mut self) -> Result<[u32; N], ParseError> {
        let mut values = [0; N];
        for value in &mut values {
            *value = self.u32()?;
        }
        Ok(values)
    }

    fn flag(&mut self) -> Result<bool, ParseError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ParseError::Range),
        }
    }

    fn end(self) -> Result<(), ParseError> {
        match self.0 {
            rest if rest.len() > MAX_PADDING => Err(ParseError::Length),
            rest if rest.iter().any(|&byte| byte != 0) => Err(ParseError::Padding),
            _ => Ok(()),
        }
    }
}

pub(super) fn operation(code: u8, body: &[u8]) -> Result<Operation, ParseError> {
    let mut fields = FieldReader(body);
    let operation = match code {
        0x01 => Operation::Open { account: AccountNumber::from_bytes(fields.take()?).ok_or(ParseError::Range)? },
        0x02 => Operation::Credit { order: fields.u64()?, count: fields.u16()?, amount: fields.u32()? },
        0x03 => Operation::Debit { order: fields.u64()?, count: fields.u16()?, amount: fields.u32()? },
        0x04 => Operation::Close { order: fields.u64()?, count: fields.u16()? },
        0x05 => Operation::SetMode(match fields.u8()? {
            0 => ControlMode::Prepaid,
            1 => ControlMode::Guaranteed,
            2 => ControlMode::ForcedOff,
            _ => return Err(ParseError::Range),
        }),
        0x06 => Operation::UserSwitch(fields.flag()?),
        0x07 => limits(&mut fields)?,
        0x08 => Operation::SetPrices { standby: fields.flag()?, prices: fields.u32s()? },
        0x09 => tiers(&mut fields)?,
        0x0a => Operation::SetSwitchOver(match fields.take()? {
            [0, 0, 0, 0, 0, 0] => None,
            bytes => Some(BcdTime::from_bytes(bytes).ok_or(ParseError::Range)?),
        }),
        0x0b => Operation::SetClock(BcdTime::from_bytes(fields.take()?).ok_or(ParseError::Range)?),
        0x0c => day_table(&mut fields)?,
        0x0d => date_plan(&mut fields)?,
        other => return Err(ParseError::Operation(other)),
    };
    fields.end().map(|()| operation)
}

fn limits(fields: &mut FieldReader<'_>) -> Result<Operation, ParseError> {
    let [alarm1, alarm2, overdraft, hoarding] = fields.u32s()?;
    let limits = Limits { alarm1, alarm2, overdraft, hoarding, overload_w: fields.u16()? };
    if limits.valid() { Ok(Operation::SetLimits(limits)) } else { Err(ParseError::Range) }
}

fn tiers(fields: &mut FieldReader<'_>) -> Result<Operation, ParseError> {
    let period = TierPeriod::from_code(fields.u8()?).ok_or(ParseError::Range)?;
    let tiers = Tiers { period, thresholds: fields.u32s()?, surcharges: fields.u32s()? };
    if tiers.valid() { Ok(Operation::SetTiers(tiers)) } else { Err(ParseError::Range) }
}

fn day_table(fields: &mut FieldReader<'_>) -> Result<Operation, ParseError> {
    let [table, count] = fields.take()?;
    if !matches!(table, 1 | 2) || usize::from(count) > DayTable::MAX {
        return Err(ParseError::Range);
    }
    let mut slots = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let [rate, hour, minute] = fields.take()?;
        slots.push(Slot { rate, hour, minute });
    }
    Ok(Operation::SetDayTable { table, slots: slots.try_into().map_err(|_| ParseError::Range)? })
}

fn date_plan(fields: &mut FieldReader<'_>) -> Result<Operation, ParseError> {
    let count = fields.u8()?;
    if count > 4 {
        return Err(ParseError::Range);
    }
    let mut entries = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let [month, day, table] = fields.take()?;
        let entry = PlanEntry { month, day, table };
        if !entry.valid() {
            return Err(ParseError::Range);
        }
        entries.push(entry);
    }
    Ok(Operation::SetDatePlan(entries))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn padding_must_be_zero_and_short() {
        let mut body = Operation::UserSwitch(true).body();
        body.extend([0; 7]);
        assert_eq!(operation(6, &body), Ok(Operation::UserSwitch(true)));
        body.push(0);
        assert_eq!(operation(6, &body), Err(ParseError::Length));
        assert_eq!(operation(6, &[1, 0, 1]), Err(ParseError::Padding));
        assert_eq!(operation(6, &[]), Err(ParseError::Length));
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        let alarm2_above_1 = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let falling_tiers = [1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let cases: [(u8, &[u8]); 8] = [
            (1, &[0x1a, 0, 0, 0, 0, 0, 0, 0]),
            (5, &[3]),
            (6, &[2]),
            (7, &alarm2_above_1),
            (9, &falling_tiers),
            (0x0b, &[0, 0, 0, 0, 0, 0]),
            (0x0c, &[3, 0]),
            (0x0d, &[5]),
        ];
        for (code, body) in cases {
            assert_eq!(operation(code, body), Err(ParseError::Range), "{code:#x}");
        }
        assert_eq!(operation(0x0e, &[]), Err(ParseError::Operation(0x0e)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_parse_or_are_rejected(code: u8, body in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(parsed) = operation(code % 16, &body) {
                let fields = parsed.body();
                prop_assert_eq!(parsed.code(), code % 16);
                prop_assert_eq!(Some(&fields[..]), body.get(..fields.len()));
                prop_assert!(body[fields.len()..].iter().all(|&byte| byte == 0));
            }
        }
    }
}
