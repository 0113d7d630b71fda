//! The text of a message and the header before it (23.040, 9.2.3.24).

use super::{Payload, PduError, Reader, alphabet};

/// What joins the parts of a long message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenation {
    pub reference: Reference,
    pub parts: u8,
    /// Counted from 1.
    pub part: u8,
}

/// The reference of a long message; one of 8 bits is another one than the same number in 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    Eight(u8),
    Sixteen(u16),
}

/// What a part of a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// UTF-16; a foreign phone may have cut a pair between two parts.
    Text(Vec<u16>),
    /// Data for a program.
    Octets(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    pub concatenation: Option<Concatenation>,
    pub body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Default,
    Octets,
    Ucs2,
}

impl Coding {
    /// From the data coding scheme (23.038, 4).
    const fn of(scheme: u8) -> Result<Self, PduError> {
        match scheme {
            // General, also with automatic deletion; compressed texts have the bit 0x20.
            0x00..=0x7f if scheme & 0x20 != 0 => Err(PduError::Coding),
            0x00..=0x7f => match (scheme >> 2) & 3 {
                1 => Ok(Self::Octets),
                2 => Ok(Self::Ucs2),
                _ => Ok(Self::Default),
            },
            // Reserved schemes are read as the default alphabet, as the standard demands.
            0xe0..=0xef => Ok(Self::Ucs2),
            0xf0..=0xff if scheme & 4 != 0 => Ok(Self::Octets),
            _ => Ok(Self::Default),
        }
    }
}

impl Concatenation {
    fn encode(self) -> Vec<u8> {
        let Self { reference, parts, part } = self;
        match reference {
            Reference::Eight(reference) => vec![5, 0, 3, reference, parts, part],
            Reference::Sixteen(reference) => {
                let [high, low] = reference.to_be_bytes();
                vec![6, 8, 4, high, low, parts, part]
            }
        }
    }

    /// From the elements of a header; what makes no sense is as if it were not there (9.2.3.24.1).
    fn decode(mut elements: &[u8]) -> Result<Option<Self>, PduError> {
        let mut found = None;
        while let [kind, length, rest @ ..] = elements {
            let (value, next) = rest.split_at_checked(usize::from(*length)).ok_or(PduError::Header)?;
            let one = match (kind, value) {
                (0, [reference, parts, part]) => Some((Reference::Eight(*reference), *parts, *part)),
                (8, [high, low, parts, part]) => Some((Reference::Sixteen(u16::from_be_bytes([*high, *low])), *parts, *part)),
                _ => None,
            };
            if let Some((reference, parts, part)) = one.filter(|(_, parts, part)| (1..=*parts).contains(part)) {
                found = Some(Self { reference, parts, part });
            }
            elements = next;
        }
        if elements.is_empty() { Ok(found) } else { Err(PduError::Header) }
    }
}

/// The coding scheme, the length, and the octets of a text with its header.
pub(crate) fn encode(payload: &Payload, concatenation: Option<Concatenation>) -> (u8, u8, Vec<u8>) {
    let header = concatenation.map(Concatenation::encode).unwrap_or_default();
    let (scheme, length, octets) = match payload {
        Payload::Septets(septets) => {
            let header_septets = (header.len() * 8).div_ceil(7);
            let packed = alphabet::pack(septets, header_septets * 7 - header.len() * 8);
            (0x00, header_septets + septets.len(), packed)
        }
        Payload::Units(units) => {
            let octets: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            (0x08, header.len() + octets.len(), octets)
        }
    };
    (scheme, u8::try_from(length).unwrap_or(u8::MAX), [header, octets].concat())
}

pub(crate) fn decode(reader: &mut Reader<'_>, scheme: u8, has_header: bool) -> Result<UserData, PduError> {
    let coding = Coding::of(scheme)?;
    let length = usize::from(reader.octet()?);
    let octets = reader.octets(if coding == Coding::Default { (length * 7).div_ceil(8) } else { length })?;
    let header = if has_header { 1 + usize::from(*octets.first().ok_or(PduError::Header)?) } else { 0 };
    let concatenation = match has_header {
        true => Concatenation::decode(octets.get(1..header).ok_or(PduError::Header)?)?,
        false => None,
    };
    let behind = octets.get(header..).ok_or(PduError::Header)?;
    let body = match coding {
        Coding::Default => {
            let header_septets = (header * 8).div_ceil(7);
            let count = length.checked_sub(header_septets).ok_or(PduError::Header)?;
            let septets = alphabet::unpack(behind, header_septets * 7 - header * 8, count).ok_or(PduError::Short)?;
            Body::Text(alphabet::characters(&septets).encode_utf16().collect())
        }
        Coding::Octets => Body::Octets(behind.to_vec()),
        Coding::Ucs2 => {
            let (pairs, rest) = behind.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(PduError::Coding);
            }
            Body::Text(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
        }
    };
    Ok(UserData { concatenation, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, scheme: u8, has_header: bool) -> Result<UserData, PduError> {
        decode(&mut Reader::new(&hex::decode(text).unwrap()), scheme, has_header)
    }

    fn text(data: &UserData) -> String {
        let Body::Text(units) = &data.body else { return String::new() };
        String::from_utf16_lossy(units)
    }

    #[test]
    fn headers_of_both_lengths_are_read() {
        // Six octets are 48 bits: seven septets with one bit of fill, then "Hi".
        let eight = read("090500032a02019069", 0, true).unwrap();
        assert_eq!(eight.concatenation, Some(Concatenation { reference: Reference::Eight(0x2a), parts: 2, part: 1 }));
        assert_eq!(text(&eight), "Hi");
        // Seven octets are eight septets without fill.
        let sixteen = read("0a060804012a0202c834", 0, true).unwrap();
        assert_eq!(sixteen.concatenation, Some(Concatenation { reference: Reference::Sixteen(0x12a), parts: 2, part: 2 }));
        assert_eq!(text(&sixteen), "Hi");
        assert_eq!(text(&read("0453577535", 8, false).unwrap()), "\u{5357}\u{7535}");
        assert_eq!(read("020102", 4, false).unwrap().body, Body::Octets(vec![1, 2]));
    }

    #[test]
    fn malformed_headers_join_no_parts() {
        for bad in ["080500032a02005357", "080500032a02035357", "080500032a00015357", "080510033202015357"] {
            assert_eq!(read(bad, 8, true).unwrap().concatenation, None, "{bad}");
        }
        for bad in ["02ff01", "0206080401", "00", "0305000300"] {
            assert!(read(bad, 8, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_that_do_not_add_up_are_refused() {
        assert_eq!(read("0353577e", 8, false), Err(PduError::Coding), "half a character");
        assert_eq!(read("045357", 8, false), Err(PduError::Short));
        assert_eq!(read("03c834", 0, false), Err(PduError::Short));
        assert_eq!(read("02c834", 0x20, false), Err(PduError::Coding), "compressed");
    }
}
