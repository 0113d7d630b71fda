//! SMS-SUBMIT, what is sent (23.040, 9.2.2.2).

use std::time::Duration;

use super::{Address, Concatenation, Payload, user_data};
#[cfg(any(test, feature = "simulated"))]
use super::{PduError, Reader, UserData};

/// The kind, with a validity relative to now.
const SUBMIT: u8 = 0x01 | 0x10;
const REPORT_WANTED: u8 = 0x20;
const HAS_HEADER: u8 = 0x40;

/// A part of a message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    pub to: Address,
    pub payload: Payload,
    pub concatenation: Option<Concatenation>,
    /// How long the network keeps it for a phone that is off.
    pub validity: Duration,
    pub wants_report: bool,
}

impl Submit {
    /// The PDU in hexadecimal behind the number of the service centre, which is the SIM's, and its length without that.
    #[must_use]
    pub fn encode(&self) -> (String, usize) {
        let mut pdu = vec![
            SUBMIT
                | if self.wants_report { REPORT_WANTED } else { 0 }
                | if self.concatenation.is_some() { HAS_HEADER } else { 0 },
            // The modem counts the reference.
            0,
        ];
        self.to.encode(&mut pdu);
        let (scheme, length, octets) = user_data::encode(&self.payload, self.concatenation);
        pdu.extend([0, scheme, relative(self.validity), length]);
        pdu.extend(octets);
        (format!("00{}", hex::encode_upper(&pdu)), pdu.len())
    }
}

/// A validity of 5 minutes to 63 weeks in the steps of the standard (9.2.3.12.1), never longer than it is.
fn relative(validity: Duration) -> u8 {
    let minutes = validity.as_secs() / 60;
    let (hours, days, weeks) = (minutes / 60, minutes / 60 / 24, minutes / 60 / 24 / 7);
    let value = match minutes {
        0..=5 => 0,
        6..=720 => minutes / 5 - 1,
        721..=1_440 => 143 + (minutes - 720) / 30,
        _ if hours < 48 => 167,
        _ if days <= 30 => 166 + days,
        _ => 192 + weeks.clamp(5, 63),
    };
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// What a network reads of it.
#[cfg(any(test, feature = "simulated"))]
pub fn decode(text: &str) -> Result<(Address, UserData, bool), PduError> {
    let octets = hex::decode(text).map_err(|_| PduError::Hex)?;
    let mut reader = Reader::new(&octets);
    let centre = reader.octet()?;
    reader.octets(centre.into())?;
    let first = reader.octet()?;
    if first & 3 != 1 {
        return Err(PduError::Kind);
    }
    reader.octet()?;
    let to = Address::decode(&mut reader)?;
    reader.octet()?;
    let scheme = reader.octet()?;
    reader.octets(match first & 0x18 {
        0x00 => 0,
        0x10 => 1,
        _ => 7,
    })?;
    let data = user_data::decode(&mut reader, scheme, first & HAS_HEADER != 0)?;
    reader.end()?;
    Ok((to, data, first & REPORT_WANTED != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::{Body, Reference, split};

    fn submit(text: &str) -> Submit {
        let payload = split(text).unwrap().remove(0);
        let to = Address::number("13800138000").unwrap();
        Submit { to, payload, concatenation: None, validity: Duration::from_secs(3_600), wants_report: false }
    }

    /// By hand: service centre 00; first octet 11 (submit, relative validity); reference 00; 11 digits (0B) of an unknown plan
    /// (81), swapped in pairs and filled with F; protocol 00; alphabet 00; an hour is twelve times five minutes, less one (0B);
    /// two septets (02), packed C834.
    #[test]
    fn a_short_latin_text() {
        let (pdu, length) = submit("Hi").encode();
        assert_eq!(pdu, "0011000B813108108300F000000B02C834");
        assert_eq!(length, 16, "without the octet of the service centre");
    }

    /// By hand: 31 wants a report; alphabet 08; four octets: 7535 is 电, 8D39 is 费.
    #[test]
    fn a_short_chinese_text_with_a_report() {
        let (pdu, _) = Submit { wants_report: true, ..submit("电费") }.encode();
        assert_eq!(pdu, "0031000B813108108300F000080B0475358D39");
    }

    /// By hand: 51 has a header: 06 octets of the element 08 with 04 octets: reference 012A, two parts, the first. With 😀 as the
    /// pair D83D DE00 the length is 7 + 4 octets.
    #[test]
    fn a_part_with_a_surrogate_pair() {
        let concatenation = Some(Concatenation { reference: Reference::Sixteen(0x12a), parts: 2, part: 1 });
        let part = Submit { concatenation, ..submit("😀") };
        let (pdu, _) = part.encode();
        assert_eq!(pdu, "0051000B813108108300F000080B0B060804012A0201D83DDE00");
        let (to, data, wants_report) = decode(&pdu).unwrap();
        assert_eq!((to, data.concatenation, wants_report), (part.to, concatenation, false));
        assert_eq!(data.body, Body::Text("😀".encode_utf16().collect()));
    }

    #[test]
    fn validity_is_in_the_steps_of_the_standard() {
        let of = |minutes: u64| relative(Duration::from_secs(minutes * 60));
        assert_eq!([0, 5, 9, 10, 60, 720].map(of), [0, 0, 0, 1, 11, 143]);
        assert_eq!([750, 1_440].map(of), [144, 167]);
        assert_eq!([47 * 60, 48 * 60, 30 * 1_440].map(of), [167, 168, 196]);
        assert_eq!([35 * 1_440, 63 * 7 * 1_440, 1_000_000].map(of), [197, 255, 255]);
    }
}
