//! `application/x-www-form-urlencoded`, read strictly and decoded exactly once, and written back the same way.
//!
//! Signatures cover the decoded values, so a lenient reader would make two messages out of one signature.

use std::collections::BTreeMap;

/// Largest body that is looked at.
pub const MAX_BYTES: usize = 64 * 1024;
/// Most fields that are looked at.
const MAX_FIELDS: usize = 100;

/// Fields by name, in the order of their bytes: the order of every signature.
pub type Fields = BTreeMap<String, String>;

/// Why a body is no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Too many bytes or fields.
    #[error("the form is too large")]
    TooLarge,
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the form is not properly encoded")]
    Encoding,
    /// A pair without a name or without an equals sign.
    #[error("a field of the form has no name or no value")]
    Pair,
    /// The same name twice: which of them was signed?
    #[error("a field of the form is given twice")]
    Duplicate,
}

/// Reads a form.
///
/// # Errors
/// [`FormError`] for anything that is not exactly a form; there is no guessing.
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

/// Writes pairs as a form or a query string.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode_part(&mut text, name);
        text.push('=');
        encode_part(&mut text, value);
    }
    text
}

fn encode_part(text: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(body: &str) -> Result<Vec<(String, String)>, FormError> {
        parse(body.as_bytes()).map(|fields| fields.into_iter().collect())
    }

    #[test]
    fn decodes_exactly_once() {
        let fields = parse(b"subject=a+b%2Bc%2525&empty=&sign=x%3D%3D&k=a=b").unwrap();
        assert_eq!(fields["subject"], "a b+c%25");
        assert_eq!(fields["empty"], "");
        assert_eq!(fields["sign"], "x==");
        assert_eq!(fields["k"], "a=b");
    }

    #[test]
    fn what_is_not_a_form_is_refused() {
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
        fn what_is_written_is_read_back(fields in proptest::collection::btree_map(".{1,12}", ".{0,20}", 0..8)) {
            let text = encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            proptest::prop_assert_eq!(parse(text.as_bytes()).unwrap(), fields);
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse(&body);
        }
    }
}
