//! A strict `application/x-www-form-urlencoded` parser and its encoder.
//!
//! Signatures cover the decoded values. `form_urlencoded` accepts malformed escapes, invalid UTF-8 and repeated names, so that
//! several messages would fit one signature; its encoder writes a space as `+`, which WeChat's and UnionPay's byte-exact texts do
//! not.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Largest form, bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const MAX_FIELDS: usize = 100;
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Fields sorted by the bytes of their names, which is the order in signed texts.
pub type Fields = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("the form is too large")]
    TooLarge,
    /// An invalid percent escape or invalid UTF-8.
    #[error("the form is not properly encoded")]
    Encoding,
    #[error("a field of the form has no name or no value")]
    Pair,
    /// It would be ambiguous which of the values was signed.
    #[error("a field of the form is given twice")]
    Duplicate,
}

/// # Errors
/// [`FormError`] for anything that is not exactly one form.
pub fn parse(body: &[u8]) -> Result<Fields, FormError> {
    if body.len() > MAX_BYTES {
        return Err(FormError::TooLarge);
    }
    let mut fields = Fields::new();
    if body.is_empty() {
        return Ok(fields);
    }
    for pair in body.split(|&b| b == b'&') {
        if fields.len() >= MAX_FIELDS {
            return Err(FormError::TooLarge);
        }
        let equals = pair.iter().position(|&b| b == b'=').ok_or(FormError::Pair)?;
        let (name, value) = pair.split_at(equals);
        let (name, value) = (decode(name)?, decode(value.get(1..).unwrap_or_default())?);
        if name.is_empty() {
            return Err(FormError::Pair);
        }
        if fields.insert(name, value).is_some() {
            return Err(FormError::Duplicate);
        }
    }
    Ok(fields)
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|&b| char::from(b).to_digit(16)).ok_or(FormError::Encoding);
                u8::try_from(digit()? * 16 + digit()?).map_err(|_| FormError::Encoding)?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::Encoding)
}

/// Encodes pairs as a form body or query string; every byte but RFC 3986's unreserved characters is escaped.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(name, ESCAPED));
        text.push('=');
        text.extend(utf8_percent_encode(value, ESCAPED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(body: &str) -> Result<Vec<(String, String)>, FormError> {
        parse(body.as_bytes()).map(|fields| fields.into_iter().collect())
    }

    #[test]
    fn form_values_are_decoded_once() {
        let fields = parse(b"subject=a+b%2Bc%2525&empty=&sign=x%3D%3D&k=a=b").unwrap();
        assert_eq!(fields["subject"], "a b+c%25");
        assert_eq!(fields["empty"], "");
        assert_eq!(fields["sign"], "x==");
        assert_eq!(fields["k"], "a=b");
    }

    #[test]
    fn malformed_forms_are_rejected() {
        assert_eq!(get("a=1&a=2"), Err(FormError::Duplicate));
        assert_eq!(get("a=1&%61=2"), Err(FormError::Duplicate), "the same name once decoded");
        assert_eq!(get("a=1&"), Err(FormError::Pair));
        assert_eq!(get("=1"), Err(FormError::Pair));
        assert_eq!(get("trade_status"), Err(FormError::Pair), "cut short");
        for broken in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%ff"] {
            assert_eq!(get(broken), Err(FormError::Encoding), "{broken}");
        }
        assert_eq!(parse(&vec![b'a'; MAX_BYTES + 1]), Err(FormError::TooLarge));
        let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("f{n}=1")).collect();
        assert_eq!(get(&many.join("&")), Err(FormError::TooLarge));
        assert_eq!(get(""), Ok(vec![]));
    }

    proptest::proptest! {
        #[test]
        fn encoded_forms_parse_to_the_same_fields(fields in proptest::collection::btree_map(".{1,12}", ".{0,20}", 0..8)) {
            let text = encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            proptest::prop_assert_eq!(parse(text.as_bytes()).unwrap(), fields);
        }

        #[test]
        fn form_parsing_never_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse(&body);
        }
    }
}
