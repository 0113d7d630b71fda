//! What a modem receives: SMS-DELIVER (23.040, 9.2.2.1) and SMS-STATUS-REPORT (9.2.2.3).

use model::time::Timestamp;

use super::{Address, PduError, Reader, UserData, stamp, user_data};

const HAS_HEADER: u8 = 0x40;
/// Octets of an address of the service centre, and of the longest PDU behind it.
const MOST_OCTETS: usize = 12 + 176;

/// A PDU that a modem received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Deliver(Deliver),
    Report(StatusReport),
}

/// A message to this modem, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    pub from: Address,
    /// When the network got it.
    pub at: Timestamp,
    pub data: UserData,
}

/// What became of a message from this modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// That which the modem gave when it was sent.
    pub reference: u8,
    pub to: Address,
    pub sent_at: Timestamp,
    pub at: Timestamp,
    pub status: DeliveryStatus,
}

/// What the network says (9.2.3.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// The phone has it.
    Delivered,
    /// It is tried again.
    Pending,
    /// It will not come.
    Undelivered,
}

impl DeliveryStatus {
    const fn of(status: u8) -> Self {
        match status {
            // 0x01: forwarded, and nobody knows whether it came; 0x02: replaced by a later one.
            0x00 => Self::Delivered,
            0x01..=0x1f => Self::Pending,
            0x20..=0x3f => Self::Pending,
            _ => Self::Undelivered,
        }
    }
}

impl Incoming {
    /// # Errors
    /// [`PduError`].
    pub fn parse(text: &str) -> Result<Self, PduError> {
        if text.len() > MOST_OCTETS * 2 {
            return Err(PduError::Trailing);
        }
        Self::decode(&hex::decode(text).map_err(|_| PduError::Hex)?)
    }

    /// # Errors
    /// [`PduError`].
    pub fn decode(octets: &[u8]) -> Result<Self, PduError> {
        let mut reader = Reader::new(octets);
        let centre = reader.octet()?;
        reader.octets(centre.into())?;
        let first = reader.octet()?;
        match first & 3 {
            0 => {
                let from = Address::decode(&mut reader)?;
                reader.octet()?;
                let scheme = reader.octet()?;
                let at = stamp::decode(&mut reader)?;
                let data = user_data::decode(&mut reader, scheme, first & HAS_HEADER != 0)?;
                reader.end()?;
                Ok(Self::Deliver(Deliver { from, at, data }))
            }
            2 => {
                let reference = reader.octet()?;
                let to = Address::decode(&mut reader)?;
                let (sent_at, at) = (stamp::decode(&mut reader)?, stamp::decode(&mut reader)?);
                let status = DeliveryStatus::of(reader.octet()?);
                // Optional fields follow, which say nothing that is needed.
                Ok(Self::Report(StatusReport { reference, to, sent_at, at, status }))
            }
            _ => Err(PduError::Kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::Body;
    use model::time::Civil;

    fn noon() -> Timestamp {
        Civil { year: 2026, month: 11, day: 30, hour: 12, minute: 34, second: 56 }.timestamp().unwrap()
    }

    /// By hand: no service centre (00); first octet 04 (deliver, no more messages); 13 digits (0D), international (91); protocol
    /// 00; alphabet 08; 2026-11-30 12:34:56 at UTC+8 with swapped digits; four octets: 4F59 is 余, 989D is 额.
    #[test]
    fn a_chinese_text_is_read() {
        let read = Incoming::parse("00040D91683108108300F00008621103214365230 44F59989D".replace(' ', "").as_str());
        let Ok(Incoming::Deliver(deliver)) = read else { panic!("{read:?}") };
        assert_eq!(deliver.from, Address::International("8613800138000".to_owned()));
        assert_eq!((deliver.at, deliver.data.concatenation), (noon(), None));
        assert_eq!(deliver.data.body, Body::Text("余额".encode_utf16().collect()));
    }

    /// By hand: first octet 06 (status report, no more messages); reference 2A; the recipient; both times; status.
    #[test]
    fn a_report_says_what_became_of_a_message() {
        let of = |status: &str| Incoming::parse(&format!("00062A0B813108108300F06211032143652362110321436523{status}"));
        let report = |status| {
            let to = Address::National("13800138000".to_owned());
            Ok(Incoming::Report(StatusReport { reference: 0x2a, to, sent_at: noon(), at: noon(), status }))
        };
        assert_eq!(of("00"), report(DeliveryStatus::Delivered));
        assert_eq!(of("30"), report(DeliveryStatus::Pending));
        assert_eq!(of("46"), report(DeliveryStatus::Undelivered));
        assert_eq!(of("0000"), report(DeliveryStatus::Delivered), "with what may follow");
        assert_eq!(of(""), Err(PduError::Short));
    }

    #[test]
    fn malformed_pdus_are_refused() {
        assert_eq!(Incoming::parse("xx"), Err(PduError::Hex));
        assert_eq!(Incoming::parse(""), Err(PduError::Short));
        assert_eq!(Incoming::parse("0001"), Err(PduError::Kind), "a submit");
        assert_eq!(Incoming::parse(&"00".repeat(200)), Err(PduError::Trailing));
        assert_eq!(
            Incoming::parse("00040D91683108108300F000086211032143652304 4F59989D00".replace(' ', "").as_str()),
            Err(PduError::Trailing)
        );
    }

    #[test]
    fn fuzz_incoming() {
        test_support::fuzz::run(
            "sms_incoming",
            |_| (),
            |input| {
                if let Ok(Incoming::Deliver(deliver)) = Incoming::decode(input)
                    && let Body::Text(units) = deliver.data.body
                {
                    assert!(units.len() <= 2 * 160);
                }
            },
        );
    }
}
