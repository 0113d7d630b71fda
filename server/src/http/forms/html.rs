//! The forms of a page of this server, found in its HTML: which fields they have, and where.

use std::ops::Range;

/// A start tag.
#[derive(Clone, Debug, Default)]
pub struct Tag {
    /// From `<` to behind `>`.
    pub at: Range<usize>,
    attributes: Vec<(String, String, Range<usize>)>,
}

impl Tag {
    /// The value of an attribute; empty where it has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, ..)| attribute == name).map(|(_, value, _)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Where an attribute stands, with the space before it.
    pub fn place(&self, name: &str) -> Option<Range<usize>> {
        self.attributes.iter().find(|(attribute, ..)| attribute == name).map(|(.., at)| at.clone())
    }

    /// Where another attribute can be added: before the `>` or `/>`.
    pub fn inside(&self, html: &str) -> usize {
        let end = self.at.end.saturating_sub(1);
        if html.as_bytes().get(end.saturating_sub(1)) == Some(&b'/') { end.saturating_sub(1) } else { end }
    }
}

#[derive(Clone, Debug)]
pub enum Input {
    /// What a person types: a field or a text area, with what stands in the latter.
    Text(Option<Range<usize>>),
    /// A box to tick, or one of several to choose.
    Tick,
    /// Options, each with what stands in it.
    Select(Vec<(Tag, Range<usize>)>),
    /// A password, which nobody fills in for its owner.
    Secret,
    /// What the page itself says.
    Hidden,
}

#[derive(Clone, Debug)]
pub struct FormField {
    pub name: String,
    pub tag: Tag,
    pub input: Input,
    /// Behind the whole element, where its message stands; of one box of several behind what names them all.
    pub end: usize,
}

#[derive(Clone, Debug)]
pub struct Form {
    pub tag: Tag,
    pub fields: Vec<FormField>,
    /// The folded part of the page that it stands in.
    pub folded: Option<Tag>,
}

/// All forms of a page. Fields for files are left out.
pub fn forms(html: &str) -> Vec<Form> {
    let mut reader = Reader { html, at: 0 };
    let (mut forms, mut details): (Vec<Form>, Vec<Tag>) = (Vec::new(), Vec::new());
    let mut form: Option<Form> = None;
    let mut legend: Option<usize> = None;
    while let Some((name, is_end, tag)) = reader.tag() {
        match (name.as_str(), is_end) {
            ("script" | "style", false) => reader.skip_past(&format!("</{name}")),
            ("details", false) => details.push(tag),
            ("details", true) => {
                details.pop();
            }
            ("form", false) => {
                let folded = details.iter().rev().find(|tag| !tag.has("open")).cloned();
                form = Some(Form { tag, fields: Vec::new(), folded });
            }
            ("form", true) => forms.extend(form.take()),
            ("legend", true) => legend = Some(tag.at.end),
            ("fieldset", _) => legend = None,
            ("input" | "textarea" | "select", false) => {
                let field = reader.field(&name, tag);
                if let (Some(form), Some(mut field)) = (&mut form, field) {
                    if let (Input::Tick, Some(legend)) = (&field.input, legend) {
                        field.end = legend;
                    }
                    form.fields.push(field);
                }
            }
            _ => {}
        }
    }
    forms
}

struct Reader<'a> {
    html: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Goes to the beginning of `text`, or to the end of the page.
    fn skip_to(&mut self, text: &str) {
        self.at = self.rest().find(text).map_or(self.html.len(), |found| self.at + found);
    }

    fn skip_past(&mut self, text: &str) {
        self.skip_to(text);
        self.at = (self.at + text.len()).min(self.html.len());
    }

    /// The next tag: its name, whether it ends an element, and what it says.
    fn tag(&mut self) -> Option<(String, bool, Tag)> {
        loop {
            self.skip_to("<");
            let start = self.at;
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            if rest.starts_with("<!--") {
                self.skip_past("-->");
                continue;
            }
            let is_end = rest.starts_with("</");
            self.at += 1 + usize::from(is_end);
            let name = self.word(|byte| byte.is_ascii_alphanumeric() || byte == b'-').to_ascii_lowercase();
            if name.is_empty() {
                continue;
            }
            let attributes = self.attributes();
            return Some((name, is_end, Tag { at: start..self.at, attributes }));
        }
    }

    /// The attributes up to the end of the tag, which is passed.
    fn attributes(&mut self) -> Vec<(String, String, Range<usize>)> {
        let mut all = Vec::new();
        loop {
            let start = self.at;
            self.word(|byte| byte.is_ascii_whitespace() || byte == b'/');
            match self.rest().as_bytes().first() {
                None => return all,
                Some(b'>') => {
                    self.at += 1;
                    return all;
                }
                Some(_) => {}
            }
            let name = self.word(|byte| !byte.is_ascii_whitespace() && !b"=>/".contains(&byte)).to_ascii_lowercase();
            if name.is_empty() {
                // A stray character, which no page of ours has.
                self.skip_past("=");
                continue;
            }
            let value = if self.rest().starts_with('=') { self.value() } else { String::new() };
            all.push((name, unescaped(&value), start..self.at));
        }
    }

    fn value(&mut self) -> String {
        self.at += 1;
        for quote in ['"', '\''] {
            if self.rest().starts_with(quote) {
                self.at += 1;
                let text = self.word(|byte| byte != quote as u8);
                self.at = (self.at + 1).min(self.html.len());
                return text;
            }
        }
        self.word(|byte| !byte.is_ascii_whitespace() && byte != b'>')
    }

    /// As many bytes as are of a kind.
    fn word(&mut self, is_in: impl Fn(u8) -> bool) -> String {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !is_in(byte)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length;
        word
    }

    /// Reads an element that has a value; its tag is passed already.
    fn field(&mut self, element: &str, tag: Tag) -> Option<FormField> {
        let input = match element {
            "textarea" => {
                let start = self.at;
                self.skip_to("</textarea");
                let inner = start..self.at;
                self.skip_past(">");
                Input::Text(Some(inner))
            }
            "select" => Input::Select(self.options()),
            _ => match tag.get("type").unwrap_or("text") {
                "hidden" => Input::Hidden,
                "checkbox" | "radio" => Input::Tick,
                "password" => Input::Secret,
                "file" | "submit" | "button" | "image" | "reset" => return None,
                _ => Input::Text(None),
            },
        };
        let name = tag.get("name").filter(|name| !name.is_empty())?.to_owned();
        Some(FormField { name, tag, input, end: self.at })
    }

    fn options(&mut self) -> Vec<(Tag, Range<usize>)> {
        let mut options = Vec::new();
        while let Some((name, is_end, tag)) = self.tag() {
            match (name.as_str(), is_end) {
                ("select", true) => break,
                ("option", false) => {
                    let start = self.at;
                    self.skip_to("<");
                    options.push((tag, start..self.at));
                }
                _ => {}
            }
        }
        options
    }
}

/// The text that HTML stands for.
pub fn unescaped(text: &str) -> String {
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    marks.iter().fold(text.to_owned(), |text, (mark, sign)| text.replace(mark, sign))
}

/// The HTML for a text, in an element or in a quoted attribute.
pub fn escaped(text: &str) -> String {
    let signs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")];
    signs.iter().fold(text.to_owned(), |text, (sign, mark)| text.replace(sign, mark))
}
