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
    use model::audit::AuditAction;

    use super::*;

    #[test]
    fn the_system_and_the_channels_have_names() {
        assert_eq!(actor("system", Lang::Zh), "系统");
        assert_eq!(actor("channel:alipay", Lang::En), "Alipay");
        assert_eq!((actor("值班员", Lang::En), actor("channel:x", Lang::En)), ("值班员".to_owned(), "channel:x".to_owned()));
    }

    #[test]
    fn every_action_has_a_name() {
        for code in AuditAction::ALL.map(AuditAction::as_str) {
            for lang in [Lang::Zh, Lang::En] {
                assert_ne!(action(code, lang), code, "{code} has no text");
            }
        }
    }
}
