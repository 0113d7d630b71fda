//! Writes the catalogue as Rust: a module per area with a struct of its texts, and a type per text that has arguments.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, Entry};

/// Words of Rust that are keys of texts too.
const KEYWORDS: &[&str] = &["do", "final", "for", "in", "move", "return", "type", "where"];

/// The source of the generated modules.
pub fn rust(catalogue: &Catalogue) -> String {
    catalogue.areas.iter().map(|(area, entry)| module(&catalogue.languages, area, entry)).collect()
}

fn module(languages: &[String], area: &str, entry: &Entry) -> String {
    let mut module = Module { languages, types: BTreeMap::new() };
    let Some(root) = module.field(&camel(area), "", entry) else { return String::new() };
    let arms: String =
        variants(languages).zip(root.values).map(|(variant, value)| format!("Lang::{variant} => {value},")).collect();
    let types: String = module.types.into_values().collect();
    format!(
        "pub mod {area} {{ use model::language::Lang; {types}
        /// The texts of this area in a language.
        #[must_use] pub const fn texts(lang: Lang) -> {} {{ match lang {{ {arms} }} }} }}\n",
        root.type_name
    )
}

struct Module<'a> {
    languages: &'a [String],
    /// The generated types by name; items of one list or table share theirs.
    types: BTreeMap<String, String>,
}

/// A field of a generated struct, with its value in each language.
struct GeneratedField {
    type_name: String,
    values: Vec<String>,
}

impl Module<'_> {
    /// `None` for a text with arguments, which becomes a type of its own. `path` is the prefix of the types below `name`.
    fn field(&mut self, name: &str, path: &str, entry: &Entry) -> Option<GeneratedField> {
        match entry {
            Entry::Text { texts, arguments } if arguments.is_empty() => {
                let values = texts.iter().map(|text| format!("{text:?}")).collect();
                Some(GeneratedField { type_name: "&'static str".to_owned(), values })
            }
            Entry::Text { texts, arguments } => {
                let arm = |(variant, text): (String, &String)| format!("Lang::{variant} => format!({text:?}),");
                self.sentence(name, arguments, &variants(self.languages).zip(texts).map(arm).collect::<String>());
                None
            }
            Entry::Plural { one, other, arguments } => {
                let arm = |((variant, other), one): ((String, &String), &Option<String>)| {
                    let one = one.iter().map(|one| {
                        let text = if one.contains('{') { format!("format!({one:?})") } else { format!("{one:?}.to_owned()") };
                        format!("Lang::{variant} if *count == CountArgument::from(true) => {text},")
                    });
                    one.chain([format!("Lang::{variant} => format!({other:?}),")]).collect::<String>()
                };
                self.sentence(name, arguments, &variants(self.languages).zip(other).zip(one).map(arm).collect::<String>());
                None
            }
            Entry::List(items) => {
                let fields: Vec<GeneratedField> = items.iter().filter_map(|item| self.field(name, name, item)).collect();
                // Lists of tables differ in length within a list of lists; lists of texts are arrays, to be taken apart.
                let tables = items.iter().all(|item| matches!(item, Entry::Table(_)));
                let reference = if tables { "&" } else { "" };
                let values = (0..self.languages.len()).map(|index| {
                    let items: Vec<&str> =
                        fields.iter().filter_map(|field| field.values.get(index)).map(String::as_str).collect();
                    format!("{reference}[{}]", items.join(", "))
                });
                let item = &fields.first()?.type_name;
                let type_name = if tables { format!("&'static [{item}]") } else { format!("[{item}; {}]", fields.len()) };
                Some(GeneratedField { type_name, values: values.collect() })
            }
            Entry::Table(entries) => Some(self.table(name, path, entries)),
        }
    }

    fn table(&mut self, name: &str, path: &str, entries: &BTreeMap<String, Entry>) -> GeneratedField {
        let type_name = format!("{name}Texts");
        let uniform = is_uniform(entries);
        let mut declared = String::new();
        let mut values = vec![String::new(); self.languages.len()];
        let mut types = BTreeSet::new();
        let mut lookup = String::new();
        for (key, entry) in entries {
            let below = if uniform { format!("{name}Item") } else { format!("{path}{}", camel(key)) };
            let Some(field) = self.field(&below, &below, entry) else { continue };
            let identifier = identifier(key);
            declared.push_str(&format!("pub {identifier}: {},", field.type_name));
            lookup.push_str(&format!("{key:?} => self.{identifier},"));
            values.iter_mut().zip(&field.values).for_each(|(all, value)| all.push_str(&format!("{identifier}: {value},")));
            types.insert(field.type_name);
        }
        let mut source = format!("#[derive(Clone, Copy, Debug, PartialEq, Eq)] pub struct {type_name} {{ {declared} }}");
        // Stored codes are keys of a table of their own, never of a whole area, unless all its entries are alike.
        if let (Some(item), 1, true) = (types.first(), types.len(), uniform || !path.is_empty()) {
            source.push_str(&format!(
                "impl {type_name} {{
                    /// By the code that is its key.
                    #[must_use] pub fn get(&self, code: &str) -> Option<{item}> {{
                        Some(match code {{ {lookup} _ => return None }})
                    }}
                }}"
            ));
        }
        self.types.insert(type_name.clone(), source);
        let values = values.into_iter().map(|value| format!("{type_name} {{ {value} }}")).collect();
        GeneratedField { type_name, values }
    }

    /// The type of a text with arguments: its fields are the arguments.
    fn sentence(&mut self, name: &str, arguments: &BTreeSet<String>, arms: &str) {
        let list = |item: &dyn Fn(&str) -> String| arguments.iter().map(|argument| item(argument)).collect::<Vec<_>>().join(", ");
        let value = |argument: &str| format!("{}Argument", camel(argument));
        let (names, types) = (list(&str::to_owned), list(&value));
        let fields = list(&|argument| format!("pub {argument}: {}", value(argument)));
        let bounds = list(&|argument| match argument {
            // All integers can be made from a `bool`: that is how a count of any type is compared with one.
            "count" => "CountArgument: std::fmt::Display + Copy + PartialEq + From<bool>".to_owned(),
            _ => format!("{}: std::fmt::Display", value(argument)),
        });
        let source = format!(
            "pub struct {name}<{types}> {{ {fields} }}
            impl<{bounds}> {name}<{types}> {{
                /// In a language.
                #[must_use] pub fn text(&self, lang: Lang) -> String {{ let Self {{ {names} }} = self; match lang {{ {arms} }} }}
            }}"
        );
        self.types.insert(name.to_owned(), source);
    }
}

/// Whether all entries are tables with the same keys, which then share a type.
fn is_uniform(entries: &BTreeMap<String, Entry>) -> bool {
    let keys = |entry: &Entry| match entry {
        Entry::Table(inner) => Some(inner.keys().cloned().collect::<Vec<_>>()),
        _ => None,
    };
    let shapes: BTreeSet<Option<Vec<String>>> = entries.values().map(keys).collect();
    entries.len() > 1 && shapes.len() == 1 && !shapes.contains(&None)
}

/// The variants of `Lang`, from the primary subtags: `zh-CN` is `Lang::Zh`.
fn variants(languages: &[String]) -> impl Iterator<Item = String> {
    languages.iter().map(|tag| camel(tag.split('-').next().unwrap_or(tag)))
}

fn camel(key: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    key.split(|c: char| !c.is_ascii_alphanumeric()).map(word).collect()
}

fn identifier(key: &str) -> String {
    let name = key.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}
