//! Credentials for switching DL/T 645 meters: section `meters.dlt645` of the configuration.

use serde::Deserialize;

use domain::secret::Secret;

/// Password and operator code, as hex in transmission order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// PA P0 P1 P2: level and password, 8 hex digits. Without it no DL/T 645 relay is switched.
    pub password: Secret,
    /// C0 C1 C2 C3: operator code, 8 hex digits; zeros if empty.
    pub operator: Secret,
}

impl Credentials {
    /// Reports an invalid key; never its value.
    ///
    /// # Errors
    /// A message with the key and its format.
    pub fn check(&self) -> Result<(), String> {
        for (key, secret) in [("password", &self.password), ("operator", &self.operator)] {
            if !secret.expose().is_empty() && bytes(secret).is_none() {
                return Err(format!("meters.dlt645.{key}: must be 8 hex digits, in the order in which they are sent"));
            }
        }
        Ok(())
    }

    /// Password and operator code as transmitted; `None` without a password.
    pub(super) fn wire_bytes(&self) -> Option<[u8; 8]> {
        let [pa, p0, p1, p2] = bytes(&self.password)?;
        let [c0, c1, c2, c3] = bytes(&self.operator).unwrap_or_default();
        Some([pa, p0, p1, p2, c0, c1, c2, c3])
    }
}

fn bytes(secret: &Secret) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    hex::decode_to_slice(secret.expose(), &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_keys_are_named_and_never_shown() {
        let credentials = |password: &str, operator: &str| Credentials { password: password.into(), operator: operator.into() };
        assert_eq!(credentials("", "").check(), Ok(()));
        assert_eq!(credentials("", "").wire_bytes(), None);
        assert_eq!(credentials("02123456", "").wire_bytes(), Some([2, 0x12, 0x34, 0x56, 0, 0, 0, 0]));
        assert_eq!(credentials("02123456", "01020304").wire_bytes(), Some([2, 0x12, 0x34, 0x56, 1, 2, 3, 4]));
        for (wrong, key) in [(credentials("hunter2", ""), "password"), (credentials("02123456", "0102030x"), "operator")] {
            let message = wrong.check().unwrap_err() + &format!("{wrong:?}");
            assert!(message.contains(key) && !message.contains("hunter2") && !message.contains("0102"), "{message}");
        }
    }
}
