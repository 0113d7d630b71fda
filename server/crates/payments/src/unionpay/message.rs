//! Verified UnionPay messages, and the format of responses.

use model::money::Fen;

use crate::form::Fields;
use crate::verified;

const MAX_FIELDS: usize = 100;

/// A message with a valid signature. Only [`super::trust::TrustStore`] makes one.
#[derive(Debug)]
pub struct Message {
    fields: Fields,
    digest: Vec<u8>,
}

/// Parses a response: `name=value` pairs joined by `&` without any escaping; a value in
/// braces may contain `&`. `None` if malformed.
#[must_use]
pub fn parse_answer(body: &[u8]) -> Option<Fields> {
    let text = std::str::from_utf8(body).ok()?.trim_end_matches(['\r', '\n']);
    let mut fields = Fields::new();
    let mut depth = 0_u32;
    let pairs = text.split(|c: char| {
        match c {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '&' && depth == 0
    });
    for pair in pairs {
        let (name, value) = pair.split_once('=')?;
        let repeated = fields.insert(name.to_owned(), value.to_owned()).is_some();
        if name.is_empty() || repeated || fields.len() > MAX_FIELDS {
            return None;
        }
    }
    Some(fields)
}

impl Message {
    pub(super) fn from_verified_signature(fields: Fields, body: &[u8]) -> Self {
        Self { fields, digest: verified::sha256(body) }
    }

    /// The value of a field; empty if missing.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The value of a field if it has 1 to 64 ASCII letters and digits.
    #[must_use]
    pub fn word(&self, name: &'static str) -> Option<&str> {
        let value = self.get(name);
        let valid = (1..=64).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
        valid.then_some(value)
    }

    /// `txnAmt`, if it is a positive amount in fen.
    #[must_use]
    pub fn amount(&self) -> Option<Fen> {
        fen(self.get("txnAmt")).filter(|amount| *amount > Fen::ZERO)
    }

    /// Whether `currencyCode` is CNY (ISO 4217: 156).
    #[must_use]
    pub fn is_cny(&self) -> bool {
        self.get("currencyCode") == "156"
    }

    /// SHA-256 of the message as received.
    #[must_use]
    pub fn digest(&self) -> Vec<u8> {
        self.digest.clone()
    }
}

/// Parses 1 to 15 digits as fen, at most [`Fen::MAX`].
#[must_use]
pub fn fen(text: &str) -> Option<Fen> {
    let digits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let fen = text.parse().ok().filter(|_| digits).map(Fen)?;
    (fen <= Fen::MAX).then_some(fen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unionpay_response_values_are_not_decoded() {
        let fields = parse_answer(b"a=1+2%25&b={c=1&d={e=2}&f=3}&signature=ab/+=&g=\r\n").unwrap();
        assert_eq!((fields["a"].as_str(), fields["b"].as_str()), ("1+2%25", "{c=1&d={e=2}&f=3}"));
        assert_eq!((fields["signature"].as_str(), fields["g"].as_str()), ("ab/+=", ""));
    }

    #[test]
    fn malformed_unionpay_responses_are_rejected() {
        for body in ["", "<html>", "a=1&a=2", "=1", "a=1&", "a", "a={&b=1&c"] {
            assert!(parse_answer(body.as_bytes()).is_none_or(|fields| !fields.contains_key("b")), "{body}");
        }
        assert_eq!(parse_answer(b"a=1&a=2"), None);
        assert_eq!(parse_answer(&[b'a', b'=', 0xff]), None);
        let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("f{n}=1")).collect();
        assert_eq!(parse_answer(many.join("&").as_bytes()), None);
    }

    #[test]
    fn unionpay_amounts_are_digits_only() {
        assert_eq!((fen("5000"), fen("000001")), (Some(Fen(5_000)), Some(Fen(1))));
        for text in ["", "-1", "+1", "1.0", "1e3", " 1", "10000000001", "99999999999999999999"] {
            assert_eq!(fen(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn unionpay_response_parsing_never_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse_answer(&body);
        }
    }
}
