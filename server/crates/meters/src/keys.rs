//! The site's master keys, and the keys of one meter in one key epoch derived from them.

use std::fmt;

use aws_lc_rs::hkdf;

use super::cipher::{Block, encrypt_block};
use domain::rng::Rng;
use domain::serial::Serial;

/// The site's three master keys. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeys {
    /// From which version 1 derives encryption keys.
    pub enc: [u8; 16],
    /// From which version 1 derives MAC keys.
    pub mac: [u8; 16],
    /// From which version 2 derives its keys.
    pub aes: [u8; 32],
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(redacted)")
    }
}

/// A master key was not written in hexadecimal digits of the right count. Never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("master key {name} needs exactly {digits} hexadecimal digits")]
pub struct ParseKeyError {
    name: &'static str,
    digits: usize,
}

impl MasterKeys {
    /// From hexadecimal text: 32, 32 and 64 digits.
    ///
    /// # Errors
    /// [`ParseKeyError`] names the key at fault.
    pub fn parse(enc: &str, mac: &str, aes: &str) -> Result<Self, ParseKeyError> {
        Ok(Self { enc: key("enc", enc)?, mac: key("mac", mac)?, aes: key("aes", aes)? })
    }

    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self { enc: rng.bytes(), mac: rng.bytes(), aes: rng.bytes() }
    }

    /// The encryption and the MAC key of version 1 for one meter in one epoch.
    pub(super) fn version1(&self, serial: Serial, epoch: u16) -> [[u8; 16]; 2] {
        let mut data = [0; 8];
        for (to, from) in data.iter_mut().zip(serial.bytes().into_iter().chain(epoch.to_be_bytes())) {
            *to = from;
        }
        [derive_tdes(&self.enc, data), derive_tdes(&self.mac, data)]
    }

    /// The key of version 2 for one meter in one epoch.
    pub(super) fn version2(&self, serial: Serial, epoch: u16) -> Result<[u8; 32], aws_lc_rs::error::Unspecified> {
        let (serial, epoch) = (serial.bytes(), epoch.to_be_bytes());
        let mut key = [0; 32];
        let extracted = hkdf::Salt::none(hkdf::HKDF_SHA256).extract(&self.aes);
        extracted.expand(&[b"RPP2", &serial, &epoch], hkdf::HKDF_SHA256)?.fill(&mut key)?;
        Ok(key)
    }
}

/// Left half: the data encrypted; right half: its complement encrypted. Parity bits stay as they come.
fn derive_tdes(master: &[u8; 16], data: Block) -> [u8; 16] {
    let halves = encrypt_block(master, data).into_iter().chain(encrypt_block(master, data.map(|byte| !byte)));
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(halves) {
        *to = from;
    }
    key
}

fn key<const N: usize>(name: &'static str, text: &str) -> Result<[u8; N], ParseKeyError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseKeyError { name, digits: 2 * N })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_never_printed() {
        let keys = MasterKeys { enc: [0xab; 16], mac: [0xcd; 16], aes: [0xef; 32] };
        assert_eq!(format!("{keys:?}"), "MasterKeys(redacted)");
    }

    #[test]
    fn bad_text_names_the_key_and_keeps_it_secret() {
        let good = "00".repeat(16);
        let error = MasterKeys::parse(&good, "secret", &"00".repeat(32)).unwrap_err().to_string();
        assert_eq!(error, "master key mac needs exactly 32 hexadecimal digits");
        assert!(MasterKeys::parse(&good, &good, &good).is_err());
    }
}
