//! The text of a kind of message, as the site writes it.

use super::{NotificationKind, NotificationValues, TextLength};
use crate::template::Template;

/// Characters of a text, at most.
pub const TEXT_MAX: usize = 500;
/// Parts of a text message that has usual values, at most.
pub const PARTS_MAX: usize = 4;

/// A text that was checked for its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText {
    written: String,
    template: Template,
}

/// Why a text is refused. Characters are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMistake {
    Empty,
    /// With so many characters it is longer than [`TEXT_MAX`].
    TooLong(usize),
    /// With usual values it would be sent in so many parts, more than [`PARTS_MAX`].
    TooManyParts(usize),
    UnknownValue {
        name: String,
        at: usize,
    },
    /// A brace around no value.
    Brace {
        at: usize,
    },
    /// A character that no phone shows.
    Control {
        at: usize,
    },
    /// It lacks the value of the code, for which the message is sent.
    NoCode,
    /// It lacks the value of the link, for which the message is sent.
    NoLink,
}

impl MessageText {
    /// # Errors
    /// The first mistake.
    pub fn parse(kind: NotificationKind, text: &str) -> Result<Self, TextMistake> {
        let written = text.trim().replace("\r\n", "\n");
        let characters = written.chars().count();
        if characters == 0 {
            return Err(TextMistake::Empty);
        }
        if characters > TEXT_MAX {
            return Err(TextMistake::TooLong(characters));
        }
        if let Some(at) = written.chars().position(|c| c.is_control() && c != '\n') {
            return Err(TextMistake::Control { at: at + 1 });
        }
        let template = Template::parse(&written, kind.values())
            .map_err(|unknown| TextMistake::UnknownValue { name: unknown.name, at: unknown.at })?;
        if let Some(at) = stray_brace(&template) {
            return Err(TextMistake::Brace { at });
        }
        if kind.is_code() && !template.has("code") {
            return Err(TextMistake::NoCode);
        }
        if kind.is_link() && !template.has("subject") {
            return Err(TextMistake::NoLink);
        }
        let this = Self { written, template };
        let parts = TextLength::of(&this.render(&NotificationValues::example_of(kind))).parts;
        if parts > PARTS_MAX { Err(TextMistake::TooManyParts(parts)) } else { Ok(this) }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it has a place for that value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.template.has(name)
    }

    /// The text with its values.
    #[must_use]
    pub fn render(&self, values: &NotificationValues) -> String {
        let named = values.named();
        let value = |name: &str| named.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone());
        self.template.render(|name| value(name).unwrap_or_default())
    }
}

/// Where the first brace stands that is in no place for a value.
fn stray_brace(template: &Template) -> Option<usize> {
    // A value's place is as long as its name and two braces.
    let marked = template.render(|name| " ".repeat(name.len() + 2));
    marked.chars().position(|c| matches!(c, '{' | '}')).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: NotificationKind = NotificationKind::Recharge;

    fn mistake(text: &str) -> TextMistake {
        MessageText::parse(KIND, text).unwrap_err()
    }

    #[test]
    fn a_text_has_the_values_of_its_kind() {
        let text = MessageText::parse(KIND, " {room}: +{amount}, {balance} yuan, no. {count}\r\nThanks ").unwrap();
        assert_eq!(text.as_str(), "{room}: +{amount}, {balance} yuan, no. {count}\nThanks");
        let rendered = text.render(&NotificationValues::example());
        assert_eq!(rendered, "3号楼 301: +50.00, 63.20 yuan, no. 7\nThanks");
        assert!(text.has("count") && !text.has("contact"));
    }

    #[test]
    fn mistakes_are_named_with_their_position() {
        assert_eq!(mistake(" \n "), TextMistake::Empty);
        assert_eq!(mistake(&"a".repeat(501)), TextMistake::TooLong(501));
        assert_eq!(mistake(&"电".repeat(300)), TextMistake::TooManyParts(5));
        assert_eq!(mistake("您好{code}"), TextMistake::UnknownValue { name: "code".to_owned(), at: 3 }, "no value of this kind");
        assert_eq!(mistake("{room} {Balance}"), TextMistake::Brace { at: 8 });
        assert_eq!(mistake("{room} 50}"), TextMistake::Brace { at: 10 });
        assert_eq!(mistake("a\tb"), TextMistake::Control { at: 2 });
        let code = MessageText::parse(NotificationKind::AddressCode, "Hello");
        assert_eq!(code, Err(TextMistake::NoCode));
        let link = |text: &str| MessageText::parse(NotificationKind::TopUp, text).err();
        assert_eq!(link("{room}"), Some(TextMistake::NoLink));
        let long = format!("{{subject}}{}", "电".repeat(200));
        assert_eq!(link(&long), Some(TextMistake::TooManyParts(5)), "a link is longer than its name");
    }
}
