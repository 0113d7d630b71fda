//! Texts with places for values: `{phone}`. Braces that hold no word stay as they are, so JSON needs no other form.

/// A text that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(&'static str),
}

/// A place names a value that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no value {{{name}}} (character {at})")]
pub struct UnknownValue {
    pub name: String,
    /// Its brace, counted from 1.
    pub at: usize,
}

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
            let at = text.chars().count() - after.chars().count();
            let unknown = || UnknownValue { name: word.to_owned(), at };
            let name = names.iter().copied().find(|name| *name == word).ok_or_else(unknown)?;
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

    /// What is written beside the values.
    pub fn plain(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Value(_) => None,
        })
    }

    /// The text with its values.
    pub fn render(&self, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(name) => value(name),
        };
        self.0.iter().map(part).collect()
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["phone", "text"];

    #[test]
    fn values_stand_in_their_places() {
        let template = Template::parse("{\"to\":\"{phone}\",\"x\":{}}{phone", &NAMES).unwrap();
        assert_eq!(template.render(|name| format!("<{name}>")), "{\"to\":\"<phone>\",\"x\":{}}{phone");
        assert!(template.has("phone") && !template.has("text"));
        assert_eq!(template.plain().collect::<String>(), "{\"to\":\"\",\"x\":{}}{phone");
        assert!(!Template::parse("{ phone }", &NAMES).unwrap().has("phone"), "braces with a space hold no word");
    }

    #[test]
    fn unknown_values_are_refused_with_their_position() {
        let unknown = |text| Template::parse(text, &NAMES).unwrap_err();
        assert_eq!(unknown("{\"a\":\"{phnoe}\"}"), UnknownValue { name: "phnoe".to_owned(), at: 7 });
        assert_eq!(unknown("余额{phone}{amount}").at, 10);
        assert_eq!(unknown("{room}").to_string(), "there is no value {room} (character 1)");
    }
}
