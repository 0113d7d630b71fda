//! Templates: lines of text with values (`{{ amount }}`) and conditions (`{% if reason %}`); nothing else, so that none can loop,
//! grow or reach anything.

use minijinja::value::{Object, Value};
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use model::language::Lang;
use model::receipt_sheet::{Block, TEMPLATE_MAX, TemplateMistake, TemplateReason};
use std::sync::Arc;

use super::layout::{blocks, escaped};
use super::values::Values;

/// A template that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

/// Steps of one rendering; a template of [`TEMPLATE_MAX`] characters takes fewer.
const FUEL: u64 = 20_000;

/// The tags that a template may have.
const TAGS: [&str; 4] = ["if", "elif", "else", "endif"];

/// The template that comes with the product.
#[must_use]
pub const fn default_template(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => include_str!("../templates/zh-CN.txt"),
        Lang::En => include_str!("../templates/en.txt"),
    }
}

impl Template {
    /// Checks a template: its form, and that a receipt of it says its number and amount, whatever else the receipt has.
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(text: &str) -> Result<Self, TemplateMistake> {
        if text.chars().count() > TEMPLATE_MAX {
            return Err(mistake(TemplateReason::TooLong, None, ""));
        }
        check_tags(text)?;
        let template = Self(text.replace("\r\n", "\n"));
        // Rare values are absent, too: what stands behind a condition on them must not be needed.
        let bare = ["title", "number", "amount", "at", "room"];
        let bare = bare.into_iter().fold(Values::default(), |values, name| values.with(name, format!("<{name}>")));
        let full = Values::sample().with("number", "<number>").with("amount", "<amount>");
        for values in [full, bare] {
            let sheet = template.render(&values)?;
            let says = |what: &str| sheet.iter().any(|block| texts(block).iter().any(|text| text.contains(what)));
            if !(says("<number>") && says("<amount>")) {
                return Err(mistake(TemplateReason::Incomplete, None, ""));
            }
        }
        Ok(template)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The sheet of a receipt.
    ///
    /// # Errors
    /// A mistake that [`Template::parse`] could not find: a condition on a value of this receipt.
    pub fn render(&self, values: &Values) -> Result<Vec<Block>, TemplateMistake> {
        let mut environment = Environment::empty();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_formatter(|out, _, value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Ok(out.write_str(&escaped(&text))?)
        });
        let rendered = environment
            .template_from_str(&self.0)
            .and_then(|template| template.render(Value::from_object(Context(values.clone()))))
            .map_err(|error| of_engine(&error, &self.0))?;
        blocks(&rendered).ok_or_else(|| mistake(TemplateReason::Lines, None, ""))
    }
}

/// What a block prints.
fn texts(block: &Block) -> Vec<&str> {
    match block {
        Block::Title(text) | Block::Text { text, .. } | Block::Signature(text) => vec![text],
        Block::Row { label, value, .. } => vec![label, value],
        Block::Rule | Block::Gap | Block::Logo => Vec::new(),
    }
}

#[derive(Debug)]
struct Context(Values);

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(Value::from)
    }
}

fn mistake(reason: TemplateReason, line: Option<usize>, word: &str) -> TemplateMistake {
    TemplateMistake { reason, line, word: word.to_owned() }
}

/// Refuses what could loop, grow or call: tags other than conditions, and all operators but those that compare and combine.
fn check_tags(text: &str) -> Result<(), TemplateMistake> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        let line = text.get(..text.len() - behind.len()).map(|before| before.matches('\n').count() + 1);
        let wrong = |reason, word: &str| Err(mistake(reason, line, word));
        let close = match behind.chars().next() {
            Some('{') => "}}",
            Some('%') => "%}",
            // Otherwise it is a brace in a text, or begins a comment, which prints nothing.
            _ => {
                rest = behind;
                continue;
            }
        };
        let Some((inside, after)) = behind.get(1..).and_then(|behind| behind.split_once(close)) else {
            return wrong(TemplateReason::Syntax, "");
        };
        let inside = inside.trim_matches(['-', '+']).trim();
        if close == "}}" {
            if !inside.chars().all(|c| c.is_ascii_lowercase() || c == '_') || inside.is_empty() {
                return wrong(TemplateReason::Syntax, inside);
            }
        } else {
            let tag = inside.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            if !TAGS.contains(&tag) {
                return wrong(TemplateReason::UnknownTag, tag);
            }
            if !is_condition(inside) {
                return wrong(TemplateReason::Syntax, inside);
            }
        }
        rest = after;
    }
    Ok(())
}

/// Names, words in quotes, `==`, `!=`, `not`, `and`, `or`.
fn is_condition(inside: &str) -> bool {
    let parts: Vec<&str> = inside.split('"').collect();
    let outside = parts.iter().step_by(2).flat_map(|part| part.chars());
    parts.len() % 2 == 1 && outside.into_iter().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '=' | '!' | ' '))
}

fn of_engine(error: &minijinja::Error, text: &str) -> TemplateMistake {
    let range = error.range().and_then(|range| text.get(range)).unwrap_or_default();
    let reason = match error.kind() {
        ErrorKind::UndefinedError => TemplateReason::UnknownValue,
        _ => TemplateReason::Syntax,
    };
    mistake(reason, error.line(), range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::receipt_sheet::Align;

    fn reason(text: &str) -> (TemplateReason, Option<usize>) {
        let mistake = Template::parse(text).expect_err(text);
        (mistake.reason, mistake.line)
    }

    const NEEDED: &str = "{{ number }} {{ amount }}";

    #[test]
    fn templates_that_come_with_the_product_are_good() {
        for lang in Lang::ALL {
            let sheet = Template::parse(default_template(lang)).unwrap().render(&Values::sample()).unwrap();
            for (name, value) in crate::SAMPLE.iter().filter(|(name, _)| *name != "kind") {
                assert!(sheet.iter().flat_map(texts).any(|text| text.contains(value)), "{lang:?} shows {name}");
            }
        }
    }

    #[test]
    fn conditions_leave_no_empty_line() {
        let template =
            Template::parse(&format!("{NEEDED}\n{{% if reason %}}\nWhy | {{{{ reason }}}}\n{{% endif %}}\nEnd")).unwrap();
        let bare = Values::default().with("number", "1").with("amount", "2");
        let text = |text: &str| Block::Text { text: text.into(), align: Align::Left, strong: false };
        assert_eq!(template.render(&bare).unwrap(), [text("1 2"), text("End")]);
        let why = Block::Row { label: "Why".into(), value: "a | b".into(), strong: false };
        assert_eq!(template.render(&bare.with("reason", "a | b")).unwrap(), [text("1 2"), why, text("End")]);
    }

    #[test]
    fn mistakes_say_where() {
        assert_eq!(reason(&format!("{NEEDED}\n{{{{ password }}}}")), (TemplateReason::UnknownValue, Some(2)));
        assert_eq!(reason(&format!("{NEEDED}\n{{% for x in y %}}{{% endfor %}}")), (TemplateReason::UnknownTag, Some(2)));
        assert_eq!(reason("{{ number"), (TemplateReason::Syntax, Some(1)));
        assert_eq!(reason("\n\n{{ number | upper }}"), (TemplateReason::Syntax, Some(3)));
        assert_eq!(reason(&format!("{NEEDED}{{% if reason %}}")).0, TemplateReason::Syntax);
        assert_eq!(reason("{{ amount }}"), (TemplateReason::Incomplete, None));
        assert_eq!(reason("{{ number }}{% if reason %}{{ amount }}{% endif %}"), (TemplateReason::Incomplete, None));
        assert_eq!(reason(&"x".repeat(TEMPLATE_MAX + 1)), (TemplateReason::TooLong, None));
        assert_eq!(reason(&format!("{NEEDED}{}", "\nx".repeat(200))), (TemplateReason::Lines, None));
    }

    #[test]
    fn nothing_can_grow_or_reach_out() {
        for tag in ["set a = 1", "include 'x'", "import 'x' as y", "macro m()", "with a = 1", "-set a = 1", "+ for a in b", "raw"]
        {
            assert_eq!(reason(&format!("{NEEDED}{{% {tag} %}}")).0, TemplateReason::UnknownTag, "{tag}");
        }
        // `[1] * 99999999999` alone would print for ever.
        for expression in
            ["range(9)", "number | upper", "'x' * 999", "number.x", "[1] * 99999999999", "debug()", "number ~ number", "1"]
        {
            assert_eq!(reason(&format!("{NEEDED}{{{{ {expression} }}}}")).0, TemplateReason::Syntax, "{expression}");
            assert_eq!(
                reason(&format!("{NEEDED}{{% if {expression} %}}{{% endif %}}")).0,
                TemplateReason::Syntax,
                "{expression}"
            );
        }
        for condition in ["reason", "not reason", "kind == \"sale\" or kind != \"return\"", "reason and not corrects"] {
            Template::parse(&format!("{NEEDED}{{% if {condition} %}}x{{% endif %}}")).expect(condition);
        }
        assert_eq!(reason(&format!("{NEEDED}{{% if kind == \"%}}\" * 9 %}}{{% endif %}}")).0, TemplateReason::Syntax);
        assert_eq!(reason(&format!("{NEEDED}{{# {{% set a = 1 %}} #}}")).0, TemplateReason::UnknownTag, "not even in a comment");
    }

    #[test]
    fn whatever_a_template_is_it_is_read_or_refused() {
        for text in
            ["", "{", "{{}}", "{%", "{%%}", "{# #}", "{{ number }}{{ amount }}\\", "\u{0}{{number}}{{amount}}", "{%-if a%}"]
        {
            let _ = Template::parse(text);
        }
    }
}
