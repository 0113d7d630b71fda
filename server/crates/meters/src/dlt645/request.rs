//! Requests to a DL/T 645 meter, and the check that an answer belongs to its request: address, control code and data identifier.

use serde::Deserialize;

use super::credentials::Credentials;
use super::frame::{Address, Frame};
use super::refusal::Refusal;
use crate::decoding::{OutOfStep, Progress};
use domain::bcd::BcdTime;
use domain::serial::Serial;

const TIME: u8 = 0x08;
const READ: u8 = 0x11;
const FOLLOW: u8 = 0x12;
const READ_ADDRESS: u8 = 0x13;
const WRITE: u8 = 0x14;
const SWITCH: u8 = 0x1c;
/// Bits of an answer's control code: from the meter, error, more frames follow.
const ANSWER: u8 = 0x80;
const ERROR: u8 = 0x40;
const MORE: u8 = 0x20;
/// Latest time at which a switching command is valid, ss mm hh DD MM YY. Commands are never queued on the way, so the far future
/// is safe and lets meters with a wrong clock obey.
const FOREVER: [u8; 6] = [0x59, 0x59, 0x23, 0x31, 0x12, 0x99];

/// Commands of control code 1C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Switch {
    /// Open the relay.
    Trip = 0x1a,
    /// Permit closing; the resident presses a button.
    ClosePermitted = 0x1b,
    /// Close the relay.
    Close = 0x1c,
    /// Keep it closed regardless of credit.
    Guarantee = 0x3a,
    EndGuarantee = 0x3b,
}

/// One part of a meter's clock; each has its own data identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockPart {
    /// Date and day of the week.
    Date,
    /// Time of day.
    Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dlt645Request {
    /// The value of a data identifier, DI3 to DI0.
    Read {
        meter: Serial,
        di: u32,
    },
    /// The next frame of an answer that announced more.
    Follow {
        meter: Serial,
        di: u32,
        /// Frame number: 1 for the first one that follows.
        sequence: u8,
    },
    Switch {
        meter: Serial,
        command: Switch,
    },
    /// Set one part of the meter's clock.
    Clock {
        meter: Serial,
        di: u32,
        part: ClockPart,
        time: BcdTime,
    },
    /// Which meter is there; where there are several, their answers collide.
    Address,
    /// Set the time of all meters on the bus; none answers. A meter accepts it once a day, if it is less than five minutes off.
    Time(BcdTime),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value of the identifier.
    Data {
        /// As transmitted: low byte first.
        bytes: Vec<u8>,
        /// More frames follow.
        more: bool,
    },
    /// The command was accepted, or broadcast.
    Done,
    /// The meter that is alone on the bus.
    Address(Serial),
}

impl Dlt645Request {
    /// The meter that must answer; `None` for a broadcast, and where any may.
    #[must_use]
    pub const fn meter(&self) -> Option<Serial> {
        match self {
            Self::Read { meter, .. } | Self::Follow { meter, .. } | Self::Switch { meter, .. } | Self::Clock { meter, .. } => {
                Some(*meter)
            }
            Self::Address | Self::Time(_) => None,
        }
    }

    /// The bytes to transmit; `None` if a password is needed and none is configured.
    #[must_use]
    pub fn encode(&self, credentials: &Credentials) -> Option<Vec<u8>> {
        let data = match self {
            Self::Read { di, .. } => di.to_le_bytes().to_vec(),
            Self::Follow { di, sequence, .. } => [&di.to_le_bytes()[..], &[*sequence]].concat(),
            Self::Switch { command, .. } => [&credentials.wire_bytes()?[..], &[*command as u8, 0], &FOREVER].concat(),
            Self::Clock { di, part, time, .. } => [&di.to_le_bytes()[..], &credentials.wire_bytes()?, &part.of(*time)].concat(),
            Self::Address => Vec::new(),
            Self::Time(time) => time.bytes().into_iter().rev().collect(),
        };
        let everybody = if *self == Self::Address { Address::Anyone } else { Address::All };
        let address = self.meter().map_or(everybody, Address::Meter);
        Frame { address, control: self.control(), data }.encode()
    }

    /// Decodes the answer from the bytes received so far. A refusal by the meter is an answer too.
    ///
    /// # Errors
    /// [`OutOfStep`] for bytes that are no frame, another meter's frame, or the answer to another request.
    pub fn answer(&self, received: &[u8]) -> Result<Progress<Result<Answer, Refusal>>, OutOfStep> {
        let frame = match Frame::decode(received)? {
            Progress::More(missing) => return Ok(Progress::More(missing)),
            Progress::Whole(frame) => frame,
        };
        let own = self.control();
        if let (Self::Address, Address::Meter(serial)) = (self, frame.address) {
            let is_own = frame.control == own | ANSWER && frame.data.iter().rev().eq(&serial.bytes());
            return if is_own { Ok(Progress::Whole(Ok(Answer::Address(serial)))) } else { Err(OutOfStep) };
        }
        if self.meter().map(Address::Meter) != Some(frame.address) {
            return Err(OutOfStep);
        }
        let answer = if frame.control == own | ANSWER | ERROR {
            Err(Refusal::parse(&frame.data).ok_or(OutOfStep)?)
        } else if frame.control & !MORE == own | ANSWER {
            Ok(self.value(&frame.data, frame.control & MORE != 0).ok_or(OutOfStep)?)
        } else {
            return Err(OutOfStep);
        };
        Ok(Progress::Whole(answer))
    }

    fn value(&self, data: &[u8], more: bool) -> Option<Answer> {
        match self {
            Self::Read { di, .. } => {
                let bytes = data.strip_prefix(&di.to_le_bytes())?.to_vec();
                Some(Answer::Data { bytes, more })
            }
            Self::Follow { di, sequence, .. } => {
                let bytes = data.strip_prefix(&di.to_le_bytes())?.strip_suffix(&[*sequence])?.to_vec();
                Some(Answer::Data { bytes, more })
            }
            Self::Switch { .. } | Self::Clock { .. } => (data.is_empty() && !more).then_some(Answer::Done),
            Self::Address | Self::Time(_) => None,
        }
    }

    const fn control(&self) -> u8 {
        match self {
            Self::Read { .. } => READ,
            Self::Follow { .. } => FOLLOW,
            Self::Switch { .. } => SWITCH,
            Self::Clock { .. } => WRITE,
            Self::Address => READ_ADDRESS,
            Self::Time(_) => TIME,
        }
    }
}

impl ClockPart {
    /// As transmitted: `WW DD MM YY` with Sunday as 0, or `ss mm hh`.
    fn of(self, time: BcdTime) -> Vec<u8> {
        let [year, month, day, hour, minute, second] = time.bytes();
        match self {
            Self::Date => vec![time.weekday(), day, month, year],
            Self::Time => vec![second, minute, hour],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DI: u32 = 0x0001_0000;

    fn meter() -> Serial {
        "000000000161".parse().unwrap()
    }

    fn encoded(address: Address, control: u8, data: &[u8]) -> Vec<u8> {
        Frame { address, control, data: data.to_vec() }.encode().unwrap()
    }

    fn reply_with(control: u8, data: &[u8]) -> Vec<u8> {
        encoded(Address::Meter(meter()), control, data)
    }

    #[test]
    fn published_request_and_reply() {
        let request = Dlt645Request::Read { meter: meter(), di: DI };
        let frame = request.encode(&Credentials::default()).unwrap();
        assert_eq!(hex::encode(&frame[4..]), "68610100000000681104333334331416");
        let reply = hex::decode("6861010000000068910833333433593333338a16").unwrap();
        let answer = Answer::Data { bytes: vec![0x26, 0, 0, 0], more: false };
        assert_eq!(request.answer(&reply), Ok(Progress::Whole(Ok(answer))));
    }

    #[test]
    fn answers_to_other_requests_are_rejected() {
        let request = Dlt645Request::Read { meter: meter(), di: DI };
        let other = Address::Meter("000000000162".parse().unwrap());
        for answer in [
            encoded(other, 0x91, &[0, 0, 1, 0, 9, 9, 9, 9]),
            encoded(Address::All, 0x91, &[0, 0, 1, 0, 9, 9, 9, 9]),
            reply_with(0x91, &[0, 0, 2, 0, 9, 9, 9, 9]),
            reply_with(0x92, &[0, 0, 1, 0, 9, 9, 9, 9]),
            // The request itself, echoed by the bus.
            reply_with(0x11, &[0, 0, 1, 0]),
            reply_with(0xd2, &[2]),
            reply_with(0xd1, &[]),
        ] {
            assert_eq!(request.answer(&answer), Err(OutOfStep), "{answer:x?}");
        }
    }

    #[test]
    fn following_frames_carry_their_number() {
        let request = Dlt645Request::Follow { meter: meter(), di: DI, sequence: 2 };
        let data = |bytes: &[u8], more| Ok(Progress::Whole(Ok(Answer::Data { bytes: bytes.to_vec(), more })));
        assert_eq!(request.answer(&reply_with(0x92, &[0, 0, 1, 0, 7, 8, 2])), data(&[7, 8], false));
        assert_eq!(request.answer(&reply_with(0xb2, &[0, 0, 1, 0, 7, 8, 2])), data(&[7, 8], true));
        assert_eq!(request.answer(&reply_with(0x92, &[0, 0, 1, 0, 7, 8, 3])), Err(OutOfStep));
    }

    #[test]
    fn switching_carries_password_and_operator() {
        let request = Dlt645Request::Switch { meter: meter(), command: Switch::Trip };
        assert_eq!(request.encode(&Credentials::default()), None, "not without a password");
        let credentials = Credentials { password: "02123456".into(), operator: "01020304".into() };
        let Ok(Progress::Whole(sent)) = Frame::decode(&request.encode(&credentials).unwrap()) else { panic!("no frame") };
        assert_eq!(sent.control, 0x1c);
        assert_eq!(hex::encode(&sent.data), "02123456010203041a00595923311299");
        assert_eq!(request.answer(&reply_with(0x9c, &[])), Ok(Progress::Whole(Ok(Answer::Done))));
        assert_eq!(request.answer(&reply_with(0xdc, &[4])), Ok(Progress::Whole(Err(Refusal::Error(4)))));
        assert_eq!(request.answer(&reply_with(0x9c, &[1])), Err(OutOfStep));
    }

    #[test]
    fn clock_is_set_in_two_parts_with_the_password() {
        let time = BcdTime::from_bytes([0x26, 0x11, 0x22, 0x18, 0x30, 0x05]).unwrap();
        let credentials = Credentials { password: "02123456".into(), operator: "01020304".into() };
        for (di, part, data) in [
            (0x0400_0101, ClockPart::Date, "01010004021234560102030400221126"),
            (0x0400_0102, ClockPart::Time, "020100040212345601020304053018"),
        ] {
            let request = Dlt645Request::Clock { meter: meter(), di, part, time };
            assert_eq!(request.encode(&Credentials::default()), None, "not without a password");
            let Ok(Progress::Whole(sent)) = Frame::decode(&request.encode(&credentials).unwrap()) else { panic!("no frame") };
            assert_eq!((sent.control, hex::encode(&sent.data)), (0x14, data.to_owned()), "a Sunday");
            assert_eq!(request.answer(&reply_with(0x94, &[])), Ok(Progress::Whole(Ok(Answer::Done))));
            assert_eq!(request.answer(&reply_with(0xd4, &[4])), Ok(Progress::Whole(Err(Refusal::Error(4)))));
            assert_eq!(request.answer(&reply_with(0x9c, &[])), Err(OutOfStep));
        }
    }

    #[test]
    fn whoever_is_alone_says_its_address() {
        let sent = Dlt645Request::Address.encode(&Credentials::default()).unwrap();
        assert_eq!(hex::encode(&sent[4..]), "68aaaaaaaaaaaa681300df16");
        let reversed: Vec<u8> = meter().bytes().into_iter().rev().collect();
        let answer = Dlt645Request::Address.answer(&reply_with(0x93, &reversed));
        assert_eq!(answer, Ok(Progress::Whole(Ok(Answer::Address(meter())))));
        for bad in [reply_with(0x93, &[1; 6]), reply_with(0x91, &reversed), reply_with(0x93, &[])] {
            assert_eq!(Dlt645Request::Address.answer(&bad), Err(OutOfStep));
        }
    }

    #[test]
    fn time_is_broadcast_without_an_answer() {
        let time = BcdTime::from_bytes([0x26, 0x11, 0x22, 0x18, 0x30, 0x05]).unwrap();
        let request = Dlt645Request::Time(time);
        let Ok(Progress::Whole(sent)) = Frame::decode(&request.encode(&Credentials::default()).unwrap()) else {
            panic!("no frame")
        };
        assert_eq!((sent.address, sent.control), (Address::All, 0x08));
        assert_eq!(sent.data, [0x05, 0x30, 0x18, 0x22, 0x11, 0x26]);
        assert_eq!(request.answer(&reply_with(0x88, &[])), Err(OutOfStep));
    }
}
