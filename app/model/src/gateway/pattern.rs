//! Bytes that a gateway that dials in sends to say who or that it is, as people write them.

use std::fmt;

/// 1 to 64 bytes. As text, or in hexadecimal after `hex:`; in text `\r`, `\n` and `\\` are escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BytePattern(Vec<u8>);

/// What begins the hexadecimal form.
const HEX: &str = "hex:";

impl BytePattern {
    pub const MOST_BYTES: usize = 64;

    /// `None` for no bytes and for more than [`Self::MOST_BYTES`].
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::MOST_BYTES).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// From its text form. Space around it does not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = match text.strip_prefix(HEX) {
            Some(digits) => from_hex(digits)?,
            None => from_text(text)?,
        };
        Self::new(bytes)
    }

    /// From its stored form.
    #[must_use]
    pub fn from_stored(hex: &str) -> Option<Self> {
        Self::new(from_hex(hex)?)
    }

    /// Its stored form: hexadecimal digits, so that one pattern has one form.
    #[must_use]
    pub fn stored(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether one of the two begins with the other, so that what begins so could be either.
    #[must_use]
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

/// As [`BytePattern::parse`] reads it: text where every byte can be seen.
impl fmt::Display for BytePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shown = |byte: u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r' | b'\n');
        let is_trimmed = self.0.first() != Some(&b' ') && self.0.last() != Some(&b' ');
        if !is_trimmed || !self.0.iter().all(|&byte| is_shown(byte)) || self.0.starts_with(HEX.as_bytes()) {
            f.write_str(HEX)?;
            return self.0.iter().enumerate().try_for_each(|(n, byte)| {
                let space = if n == 0 { "" } else { " " };
                write!(f, "{space}{byte:02X}")
            });
        }
        self.0.iter().try_for_each(|byte| match byte {
            b'\r' => f.write_str("\\r"),
            b'\n' => f.write_str("\\n"),
            b'\\' => f.write_str("\\\\"),
            byte => write!(f, "{}", char::from(*byte)),
        })
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn from_text(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'r' => b'\r',
                b'n' => b'\n',
                b'\\' => b'\\',
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_hex_are_the_same_bytes() {
        let pattern = |text: &str| BytePattern::parse(text);
        assert_eq!(pattern("GW-01"), pattern("hex:47 57 2d 30 31"));
        assert_eq!(pattern("GW\\r\\n").map(|p| p.stored()), Some("47570d0a".into()));
        assert_eq!(pattern("楼").map(|p| p.stored()), Some("e6a5bc".into()));
        for bad in ["", "hex:", "hex:4", "hex:zz", "a\\", "a\\x", &"a".repeat(65)] {
            assert_eq!(pattern(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_pattern_is_read_as_it_is_shown() {
        let texts = [&b"GW 1"[..], b" GW", b"hex:00", b"a\\b", b"\r\n", &[0, 255, 7], "楼".as_bytes(), b"x"];
        for bytes in texts.map(<[u8]>::to_vec).into_iter().chain((0..=255).map(|byte| vec![byte, b'A'])) {
            let pattern = BytePattern::new(bytes).unwrap();
            assert_eq!(BytePattern::parse(&pattern.to_string()), Some(pattern.clone()), "{pattern}");
            assert_eq!(BytePattern::from_stored(&pattern.stored()), Some(pattern));
        }
    }

    #[test]
    fn patterns_clash_where_one_begins_the_other() {
        let pattern = |text: &str| BytePattern::parse(text).unwrap();
        assert!(pattern("GW1").clashes_with(&pattern("GW10")) && pattern("GW10").clashes_with(&pattern("GW1")));
        assert!(!pattern("GW11").clashes_with(&pattern("GW10")));
    }
}
