//! Times of the network (23.040, 9.2.3.11).

use model::time::{Civil, HOUR, MINUTE, Timestamp};

use super::{PduError, Reader};

/// The fields of [`Civil`] are Shanghai's.
const SHANGHAI: i64 = 8 * HOUR;
const QUARTER: i64 = 15 * MINUTE;

/// Two digits, the first one low.
fn decimal(octet: u8) -> Result<u8, PduError> {
    let (tens, ones) = (octet & 0xf, octet >> 4);
    if tens > 9 || ones > 9 { Err(PduError::Time) } else { Ok(tens * 10 + ones) }
}

pub fn decode(reader: &mut Reader<'_>) -> Result<Timestamp, PduError> {
    let mut next = || reader.octet().and_then(decimal);
    let (year, month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let civil = Civil { year: 2_000 + i64::from(year), month, day, hour, minute, second };
    let zone = reader.octet()?;
    // The sign of the zone is a bit of its first digit.
    let quarters = i64::from(decimal(zone & !0x08)?);
    let zone = if zone & 0x08 == 0 { quarters } else { -quarters } * QUARTER;
    Ok(civil.timestamp().ok_or(PduError::Time)?.plus(SHANGHAI - zone))
}

/// As a network of Shanghai writes it.
#[cfg(any(test, feature = "simulated"))]
pub fn encode(at: Timestamp, pdu: &mut Vec<u8>) {
    let Civil { year, month, day, hour, minute, second } = at.civil();
    let year = u8::try_from(year.rem_euclid(100)).unwrap_or_default();
    pdu.extend([year, month, day, hour, minute, second, 32].map(|number| ((number % 10) << 4) | (number / 10)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_zone_in_quarters_of_an_hour() {
        let read = |text: &str| decode(&mut Reader::new(&hex::decode(text).unwrap()));
        let noon = Civil { year: 2026, month: 11, day: 30, hour: 12, minute: 34, second: 56 }.timestamp().unwrap();
        assert_eq!(read("62110321436523"), Ok(noon), "UTC+8 is 32 quarters");
        assert_eq!(read("62110321436500"), Ok(noon.plus(8 * HOUR)), "UTC");
        assert_eq!(read("6211032143650a"), Ok(noon.plus(13 * HOUR)), "UTC-5 is 20 quarters with the sign");
        for bad in ["62310321436523", "6211a321436523", "62112321436523"] {
            assert_eq!(read(bad), Err(PduError::Time), "{bad}");
        }
        assert_eq!(read("621103214365"), Err(PduError::Short));
        let mut pdu = Vec::new();
        encode(noon, &mut pdu);
        assert_eq!(hex::encode(pdu), "62110321436523");
    }
}
