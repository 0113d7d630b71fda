//! Texts of the configuration with places for values: `{phone}`. Braces that hold no word stay as they are, so JSON needs no
//! other form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 3986 leaves as it is.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a value stands, which says how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// In an address or a form.
    Percent,
    /// Inside a string of JSON.
    Json,
    /// In a header: what ends a line is left out.
    Header,
    /// As it is.
    Plain,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(&'static str),
}

/// A text that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// A place names a value that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no value {{{0}}}")]
pub struct UnknownValue(pub String);

impl Template {
    /// # Errors
    /// [`UnknownValue`], where it names none of `names`.
    pub fn parse(text: &str, names: &[&'static str]) -> Result<Self, UnknownValue> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            let word = after.split_once('}').filter(|(word, _)| is_word(word));
            let Some((word, behind)) = word else {
                plain.push('{');
                rest = after;
                continue;
            };
            let name = names.iter().copied().find(|name| *name == word).ok_or_else(|| UnknownValue(word.to_owned()))?;
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(Part::Value(name));
            rest = behind;
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }

    /// Whether it has a place for that value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(value) if *value == name))
    }

    /// The text with its values.
    pub fn render(&self, encoding: Encoding, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(name) => encoded(&value(name), encoding),
        };
        self.0.iter().map(part).collect()
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn encoded(value: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Percent => percent_encoded(value),
        Encoding::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
        }
        Encoding::Header => value.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).collect(),
        Encoding::Plain => value.to_owned(),
    }
}

/// As RFC 3986 encodes it.
#[must_use]
pub fn percent_encoded(value: &str) -> String {
    utf8_percent_encode(value, &RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["phone", "text"];

    fn rendered(template: &str, encoding: Encoding) -> String {
        let value = |name: &str| if name == "phone" { "+44 7".to_owned() } else { "\"余额\"\r\nX: 1".to_owned() };
        Template::parse(template, &NAMES).unwrap().render(encoding, value)
    }

    #[test]
    fn values_are_written_as_their_place_needs_it() {
        assert_eq!(rendered("to={phone}&a={text}", Encoding::Percent), "to=%2B44%207&a=%22%E4%BD%99%E9%A2%9D%22%0D%0AX%3A%201");
        assert_eq!(rendered("{\"to\":\"{phone}\",\"x\":{}}", Encoding::Json), "{\"to\":\"+44 7\",\"x\":{}}");
        assert_eq!(rendered("{\"t\":\"{text}\"}", Encoding::Json), "{\"t\":\"\\\"余额\\\"\\r\\nX: 1\"}");
        assert_eq!(rendered("Bearer {text}", Encoding::Header), "Bearer \"\"X: 1");
        assert_eq!(rendered("{phone", Encoding::Plain), "{phone");
    }

    #[test]
    fn a_place_for_no_value_is_refused() {
        assert_eq!(Template::parse("{\"a\":\"{phnoe}\"}", &NAMES), Err(UnknownValue("phnoe".to_owned())));
        assert!(Template::parse("{phone}", &NAMES).unwrap().has("phone"));
        assert!(!Template::parse("{ phone }", &NAMES).unwrap().has("phone"), "braces with a space hold no word");
    }
}
