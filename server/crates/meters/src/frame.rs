//! The secured frame that is written to 0x0200: sealed by the server, opened by the meter.
//!
//! Version 1 is two-key triple DES with a retail MAC, which meters of this class support; legacy by today's standards. Version 2
//! is AES-256-GCM, for meters that announce it.

#[cfg(test)]
mod fuzz;
mod result;
mod version1;
mod version2;

use serde::{Deserialize, Serialize};

use super::keys::MasterKeys;
use domain::operation::{Operation, ParseError};
use domain::serial::Serial;
pub use result::FrameResult;

/// Frame version, which determines the cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum FrameVersion {
    /// Triple DES with MAC; legacy.
    Tdes = 1,
    /// AES-256-GCM.
    Aes = 2,
}

impl FrameVersion {
    /// The best version that a meter announces in register 0x0120; `None` if it announces no known version.
    #[must_use]
    pub const fn best(announced: u16) -> Option<Self> {
        match announced & 3 {
            0 => None,
            1 => Some(Self::Tdes),
            _ => Some(Self::Aes),
        }
    }

    /// The version's bit in register 0x0120.
    #[must_use]
    pub const fn bit(self) -> u16 {
        self as u16
    }

    /// Block size to which the body is padded with zeros.
    const fn block(self) -> usize {
        match self {
            Self::Tdes => 8,
            Self::Aes => 2,
        }
    }
}

/// Header fields besides version and operation code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Key epoch of the meter (register 0x0109).
    pub epoch: u16,
    /// The meter's challenge (0x0110).
    pub challenge: [u8; 4],
    /// Version 2 only: increases with every frame to a meter and is never reused.
    pub frame_number: u32,
}

/// A frame with a valid MAC or tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedFrame {
    pub version: FrameVersion,
    pub code: u8,
    pub header: Header,
    /// Serial number in the body; may differ from the meter's, and may contain non-decimal nibbles.
    pub serial: [u8; 6],
    /// The operation, or why its fields are invalid. Separate, because a meter checks epoch, challenge and serial number first.
    pub operation: Result<Operation, ParseError>,
}

/// Why a frame cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("unknown frame version")]
    Version,
    /// The length is not valid for the version.
    #[error("frame of the wrong length")]
    Length,
    /// The MAC or the tag is wrong.
    #[error("wrong MAC")]
    Mac,
    #[error("cipher failed")]
    Cipher,
}

impl From<aws_lc_rs::error::Unspecified> for FrameError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Cipher
    }
}

/// Seals an operation for the meter `serial`.
///
/// # Errors
/// [`FrameError::Cipher`] if the cryptographic library fails.
pub fn seal(
    keys: &MasterKeys,
    version: FrameVersion,
    header: &Header,
    serial: Serial,
    operation: &Operation,
) -> Result<Vec<u8>, FrameError> {
    let mut body = serial.bytes().to_vec();
    body.extend(operation.body());
    seal_body(keys, version, header, serial, operation.code(), body)
}

/// Seals an arbitrary body under the keys of `serial`, for tests of the checks that follow the MAC.
pub fn seal_body(
    keys: &MasterKeys,
    version: FrameVersion,
    header: &Header,
    serial: Serial,
    code: u8,
    mut body: Vec<u8>,
) -> Result<Vec<u8>, FrameError> {
    body.resize(body.len().next_multiple_of(version.block()), 0);
    let mut head = vec![version as u8, code];
    head.extend(header.epoch.to_be_bytes());
    head.extend(header.challenge);
    match version {
        FrameVersion::Tdes => Ok(version1::seal(&keys.version1(serial, header.epoch), head, &body)),
        FrameVersion::Aes => {
            head.extend(header.frame_number.to_be_bytes());
            version2::seal(keys.version2(serial, header.epoch)?, head, body)
        }
    }
}

/// Opens a frame as the meter `serial` does, with the key of the epoch named in the header.
///
/// # Errors
/// [`FrameError`] in the order of a meter's checks: version and length, then the MAC.
pub fn open(keys: &MasterKeys, serial: Serial, frame: &[u8]) -> Result<OpenedFrame, FrameError> {
    let version = match frame.first() {
        Some(1) => FrameVersion::Tdes,
        Some(2) => FrameVersion::Aes,
        Some(_) => return Err(FrameError::Version),
        None => return Err(FrameError::Length),
    };
    let (code, header, body) = match version {
        FrameVersion::Tdes => {
            let (head, secret, mac) = version1::split(frame)?;
            let [_, code, e0, e1, challenge @ ..] = *head;
            let header = Header { epoch: u16::from_be_bytes([e0, e1]), challenge, frame_number: 0 };
            (code, header, version1::open(&keys.version1(serial, header.epoch), head, secret, mac)?)
        }
        FrameVersion::Aes => {
            let (head, secret) = version2::split(frame)?;
            let [_, code, e0, e1, c0, c1, c2, c3, number @ ..] = *head;
            let (epoch, frame_number) = (u16::from_be_bytes([e0, e1]), u32::from_be_bytes(number));
            let header = Header { epoch, challenge: [c0, c1, c2, c3], frame_number };
            (code, header, version2::open(keys.version2(serial, epoch)?, head, secret)?)
        }
    };
    let (serial, fields) = body.split_first_chunk().ok_or(FrameError::Length)?;
    let operation = Operation::parse(code, fields).and_then(|operation| {
        // Rejects more padding than the version needs.
        let needed = (serial.len() + operation.body().len()).next_multiple_of(version.block());
        if needed == body.len() { Ok(operation) } else { Err(ParseError::Length) }
    });
    Ok(OpenedFrame { version, code, header, serial: *serial, operation })
}

#[cfg(test)]
mod tests;
