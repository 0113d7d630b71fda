//! What the actions of the audit chain are called.

use super::Lang;
use super::catalogue::audit::texts;
use super::common;
use model::order::Tender;

/// By the action's code; an unknown code stays as it is.
#[must_use]
pub fn action(code: &str, lang: Lang) -> String {
    texts(lang).action.get(code).unwrap_or(code).to_owned()
}

/// Who did it: the system and the channels by their codes, a person by their name.
#[must_use]
pub fn actor(name: &str, lang: Lang) -> String {
    let channel = name.strip_prefix("channel:").and_then(Tender::parse);
    match (name, channel) {
        ("system", _) => texts(lang).system.to_owned(),
        (_, Some(channel)) => common::tender(channel, lang).to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    /// The actions that the text of a source file writes.
    fn actions(source: &str) -> impl Iterator<Item = &str> {
        let quoted = |text: &'static str| source.split(text).skip(1).filter_map(|rest| rest.split('"').next());
        quoted("action: \"").chain(quoted("record(&mut tx, at, who, \"")).chain(quoted("record(&mut tx, at, command, \""))
    }

    #[test]
    fn the_system_and_the_channels_have_names() {
        assert_eq!(actor("system", Lang::Zh), "系统");
        assert_eq!(actor("channel:alipay", Lang::En), "Alipay");
        assert_eq!((actor("值班员", Lang::En), actor("channel:x", Lang::En)), ("值班员".to_owned(), "channel:x".to_owned()));
    }

    #[test]
    fn every_action_that_is_written_has_a_name() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/crates/store/src"), &mut files);
        let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let written: std::collections::BTreeSet<&str> = texts.iter().flat_map(|text| actions(text)).collect();
        assert!(written.len() > 30, "{written:?}");
        for code in written.into_iter().filter(|code| code.contains('.')) {
            for lang in [Lang::Zh, Lang::En] {
                assert_ne!(action(code, lang), code, "{code} has no text");
            }
        }
    }
}
