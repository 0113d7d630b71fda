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

/// The values that a receipt prints wherever it has them: a copy without its mark could be taken for the original.
const REQUIRED: [&str; 3] = ["number", "amount", "copy"];

/// What the value `kind` may be.
const KINDS: [&str; 6] = ["sale", "online", "opening", "refund", "return", "correction"];

/// The template that comes with the product.
#[must_use]
pub const fn default_template(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => include_str!("../templates/zh-CN.txt"),
        Lang::En => include_str!("../templates/en.txt"),
    }
}

impl Template {
    /// Checks a template: its form, and that every receipt of it prints its number, its amount and the mark of a copy, as far as
    /// it has them.
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
        let bare = ["title", "at", "room"];
        let bare = bare.into_iter().fold(Values::default(), |values, name| values.with(name, name));
        for kind in KINDS {
            for values in [Values::sample(), bare.clone()] {
                let values = values.with("kind", kind);
                template.check_required(&values, false)?;
                template.check_required(&values, true)?;
            }
        }
        Ok(template)
    }

    fn check_required(&self, values: &Values, is_copy: bool) -> Result<(), TemplateMistake> {
        let has = |name: &str| match name {
            // What is paid with an opening has its own receipt.
            "amount" => values.get("kind") != Some("opening"),
            "copy" => is_copy,
            _ => true,
        };
        let mark = |name: &str| if has(name) { format!("<{name}>") } else { String::new() };
        let sheet = self.render(&REQUIRED.iter().fold(values.clone(), |values, name| values.with(name, mark(name))))?;
        let prints = |mark: &str| sheet.iter().flat_map(texts).any(|text| text.contains(mark));
        let missing = REQUIRED.iter().find(|name| !prints(&mark(name)));
        missing.map_or(Ok(()), |name| Err(mistake(TemplateReason::Incomplete, None, name)))
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

/// Refuses what could loop, grow or call: tags other than conditions, and all operators but those that compare and combine. What
/// is left of the form is checked here, too, as far as the mistake can be named.
fn check_tags(text: &str) -> Result<(), TemplateMistake> {
    let (mut rest, mut open) = (text, Vec::new());
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
                return wrong(TemplateReason::NotAName, inside);
            }
        } else {
            let tag = inside.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            if !TAGS.contains(&tag) {
                return wrong(TemplateReason::UnknownTag, tag);
            }
            if !is_condition(inside) {
                return wrong(TemplateReason::Condition, inside);
            }
            if tag != "if" && open.is_empty() {
                return wrong(TemplateReason::WithoutIf, tag);
            }
            match tag {
                "if" => open.push(line),
                "endif" => {
                    open.pop();
                }
                _ => {}
            }
        }
        rest = after;
    }
    open.pop().map_or(Ok(()), |line| Err(mistake(TemplateReason::WithoutEndif, line, "if")))
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

    const NEEDED: &str = "{{ number }} {{ amount }} {{ copy }}";

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
        assert_eq!(reason("{% if reason"), (TemplateReason::Syntax, Some(1)));
        for expression in ["amount | safe", "amount * 1000", "amount.x", ""] {
            assert_eq!(reason(&format!("\n\n{{{{ {expression} }}}}")), (TemplateReason::NotAName, Some(3)), "{expression}");
        }
        for tag in ["endif", "else", "elif reason"] {
            assert_eq!(reason(&format!("{NEEDED}\n{{% {tag} %}}")), (TemplateReason::WithoutIf, Some(2)), "{tag}");
        }
        let open = "{% if by %}\n{% if reason %}\n{% endif %}";
        assert_eq!(reason(&format!("{NEEDED}\n{open}")), (TemplateReason::WithoutEndif, Some(2)));
        assert_eq!(reason(&format!("{NEEDED}{{% if reason + by %}}{{% endif %}}")), (TemplateReason::Condition, Some(1)));
        assert_eq!(reason(&format!("{NEEDED}{{% if %}}{{% endif %}}")), (TemplateReason::Syntax, Some(1)));
        assert_eq!(reason(&"x".repeat(TEMPLATE_MAX + 1)), (TemplateReason::TooLong, None));
        assert_eq!(reason(&format!("{NEEDED}{}", "\nx".repeat(200))), (TemplateReason::Lines, None));
    }

    #[test]
    fn every_receipt_prints_what_it_must() {
        let missing = |text: &str| {
            let mistake = Template::parse(text).expect_err(text);
            (mistake.reason, mistake.word)
        };
        for (text, word) in [
            ("{{ amount }} {{ copy }}", "number"),
            ("{{ number }} {{ copy }}", "amount"),
            ("{{ number }} {{ amount }}", "copy"),
            ("{{ number }}{% if reason %}{{ amount }}{% endif %}{{ copy }}", "amount"),
            ("{{ number }}{% if copy %}{{ amount }}{{ copy }}{% endif %}", "amount"),
            ("{{ number }} {{ amount }}{% if by %}{{ copy }}{% endif %}", "copy"),
            ("{{ number }} {{ amount }}{% if kind != \"refund\" %}{{ copy }}{% endif %}", "copy"),
            // An opening has no amount.
            ("{{ number }}{% if amount %}{{ amount }} {{ copy }}{% endif %}", "copy"),
        ] {
            assert_eq!(missing(text), (TemplateReason::Incomplete, word.to_owned()), "{text}");
        }
        for text in
            ["{{ number }}\n{% if copy %}\nCopy: {{ copy }}\n{% endif %}\n{% if amount %}\n{{ amount }}\n{% endif %}", NEEDED]
        {
            Template::parse(text).expect(text);
        }
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
            assert_eq!(reason(&format!("{NEEDED}{{{{ {expression} }}}}")).0, TemplateReason::NotAName, "{expression}");
            assert_eq!(
                reason(&format!("{NEEDED}{{% if {expression} %}}{{% endif %}}")).0,
                TemplateReason::Condition,
                "{expression}"
            );
        }
        for condition in ["reason", "not reason", "kind == \"sale\" or kind != \"return\"", "reason and not corrects"] {
            Template::parse(&format!("{NEEDED}{{% if {condition} %}}x{{% endif %}}")).expect(condition);
        }
        assert_eq!(reason(&format!("{NEEDED}{{% if kind == \"%}}\" * 9 %}}{{% endif %}}")).0, TemplateReason::Condition);
        assert_eq!(reason(&format!("{NEEDED}{{# {{% set a = 1 %}} #}}")).0, TemplateReason::UnknownTag, "not even in a comment");
    }

    #[test]
    fn whatever_a_template_is_it_is_read_or_refused() {
        for text in [
            "",
            "{",
            "{{}}",
            "{%",
            "{%%}",
            "{# #}",
            "{{ number }}{{ amount }}{{ copy }}\\",
            "\u{0}{{number}}{{amount}}{{copy}}",
            "{%-if a%}",
        ] {
            let _ = Template::parse(text);
        }
    }
}
