//! Numbers of senders and recipients (23.040, 9.1.2.5).

use super::{PduError, Reader, alphabet};

/// Digits that fit into an address.
const MOST_DIGITS: usize = 20;
const INTERNATIONAL: u8 = 0x91;
const NATIONAL: u8 = 0x81;
const DIGITS: &[u8; 15] = b"0123456789*#abc";

/// Who sent a message, or gets one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// Digits with the country's code, without `+`.
    International(String),
    /// Digits as the network takes them, also of short numbers.
    National(String),
    /// A name, which cannot be answered.
    Name(String),
}

impl Address {
    /// A number as people write it: `+` and the country's code, or without both.
    ///
    /// # Errors
    /// [`PduError::Address`] for anything but 1 to 20 digits.
    pub fn number(text: &str) -> Result<Self, PduError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(PduError::Address);
        }
        let digits = digits.to_owned();
        Ok(if text.starts_with('+') { Self::International(digits) } else { Self::National(digits) })
    }

    /// As [`Self::number`] takes it; a name as it is.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::International(digits) => format!("+{digits}"),
            Self::National(digits) => digits.clone(),
            Self::Name(name) => name.clone(),
        }
    }

    /// Length in digits, type, and two digits an octet, the first one low.
    pub(crate) fn encode(&self, pdu: &mut Vec<u8>) {
        let (kind, digits) = match self {
            Self::International(digits) => (INTERNATIONAL, digits.as_bytes()),
            Self::National(digits) | Self::Name(digits) => (NATIONAL, digits.as_bytes()),
        };
        let digits: Vec<u8> = digits.iter().filter(|digit| digit.is_ascii_digit()).map(|digit| digit - b'0').collect();
        pdu.push(u8::try_from(digits.len()).unwrap_or_default());
        pdu.push(kind);
        pdu.extend(digits.chunks(2).map(|pair| match pair {
            [low, high] => (high << 4) | low,
            [low] => 0xf0 | low,
            _ => 0xff,
        }));
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, PduError> {
        let length = usize::from(reader.octet()?);
        let kind = reader.octet()?;
        if length > MOST_DIGITS {
            return Err(PduError::Address);
        }
        let octets = reader.octets(length.div_ceil(2))?;
        let kind = (kind >> 4) & 7;
        if kind == 5 {
            // The length counts half octets that are used; a septet may end within one.
            let septets = alphabet::unpack(octets, 0, length * 4 / 7).ok_or(PduError::Address)?;
            return Ok(Self::Name(alphabet::characters(&septets)));
        }
        let halves = octets.iter().flat_map(|octet| [octet & 0xf, octet >> 4]).take(length);
        let digit = |half: u8| DIGITS.get(usize::from(half)).map(|digit| char::from(*digit)).ok_or(PduError::Address);
        let digits: String = halves.map(digit).collect::<Result<_, _>>()?;
        Ok(if kind == 1 { Self::International(digits) } else { Self::National(digits) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        let mut pdu = Vec::new();
        Address::number(text).unwrap().encode(&mut pdu);
        hex::encode(pdu)
    }

    #[test]
    fn digits_are_swapped_in_pairs() {
        assert_eq!(encoded("13800138000"), "0b813108108300f0");
        assert_eq!(encoded("+447700900123"), "0c91447700091032");
        for bad in ["", "+", "1380013800a", "+86 138", "123456789012345678901"] {
            assert_eq!(Address::number(bad), Err(PduError::Address), "{bad}");
        }
    }

    #[test]
    fn numbers_and_names_are_read() {
        let read = |text: &str| Address::decode(&mut Reader::new(&hex::decode(text).unwrap()));
        assert_eq!(read("0b813108108300f0"), Ok(Address::National("13800138000".to_owned())));
        assert_eq!(read("0c91447700091032"), Ok(Address::International("447700900123".to_owned())));
        // Two septets are 14 bits, so four half octets.
        assert_eq!(read("04d0c834"), Ok(Address::Name("Hi".to_owned())));
        assert_eq!(read("0081"), Ok(Address::National(String::new())));
        assert_eq!(read("0381f1"), Err(PduError::Short));
        assert_eq!(read("0281f1"), Err(PduError::Address), "a half octet that is no digit");
        assert_eq!(read("ff81"), Err(PduError::Address));
    }
}
