//! How values are written into the templates of the configuration.

use model::template::Template;
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

/// The text of a template with its values.
pub fn render(template: &Template, encoding: Encoding, value: impl Fn(&str) -> String) -> String {
    template.render(|name| encoded(&value(name), encoding))
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

    #[test]
    fn values_are_written_as_their_place_needs_it() {
        let rendered = |template: &str, encoding| {
            let value = |name: &str| if name == "phone" { "+44 7".to_owned() } else { "\"余额\"\r\nX: 1".to_owned() };
            render(&Template::parse(template, &["phone", "text"]).unwrap(), encoding, value)
        };
        assert_eq!(rendered("to={phone}&a={text}", Encoding::Percent), "to=%2B44%207&a=%22%E4%BD%99%E9%A2%9D%22%0D%0AX%3A%201");
        assert_eq!(rendered("{\"to\":\"{phone}\",\"x\":{}}", Encoding::Json), "{\"to\":\"+44 7\",\"x\":{}}");
        assert_eq!(rendered("{\"t\":\"{text}\"}", Encoding::Json), "{\"t\":\"\\\"余额\\\"\\r\\nX: 1\"}");
        assert_eq!(rendered("Bearer {text}", Encoding::Header), "Bearer \"\"X: 1");
        assert_eq!(rendered("{phone", Encoding::Plain), "{phone");
    }
}
