//! The site's master keys, and the keys derived from them for one meter in one key epoch.

use std::fmt;

use aws_lc_rs::hkdf;

use super::cipher::{Block, encrypt_block};
use domain::rng::Rng;
use domain::serial::Serial;

/// The site's three master keys; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeys {
    /// Encryption keys of version 1 are derived from this.
    pub enc: [u8; 16],
    /// MAC keys of version 1 are derived from this.
    pub mac: [u8; 16],
    /// Keys of version 2 are derived from this.
    pub aes: [u8; 32],
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(redacted)")
    }
}

/// A master key has the wrong length or a non-hexadecimal digit. Never contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("master key {name} needs exactly {digits} hexadecimal digits")]
pub struct ParseKeyError {
    name: &'static str,
    digits: usize,
}

impl MasterKeys {
    /// Parses hexadecimal text: 32, 32 and 64 digits.
    ///
    /// # Errors
    /// [`ParseKeyError`] with the name of the invalid key.
    pub fn parse(enc: &str, mac: &str, aes: &str) -> Result<Self, ParseKeyError> {
        Ok(Self { enc: key("enc", enc)?, mac: key("mac", mac)?, aes: key("aes", aes)? })
    }

    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self { enc: rng.bytes(), mac: rng.bytes(), aes: rng.bytes() }
    }

    /// The encryption key and the MAC key of version 1 for one meter in one epoch.
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

/// Left half: the encrypted data; right half: its encrypted complement. Parity bits are not adjusted.
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
    fn invalid_text_names_the_key_and_stays_secret() {
        let good = "00".repeat(16);
        let error = MasterKeys::parse(&good, "secret", &"00".repeat(32)).unwrap_err().to_string();
        assert_eq!(error, "master key mac needs exactly 32 hexadecimal digits");
        assert!(MasterKeys::parse(&good, &good, &good).is_err());
    }
}
