//! What the lines of the audit chain are called: who, what, to what, and the values in their detail.

mod detail;

use super::Lang;
pub use super::catalogue::audit::*;
use super::{commands, common};
use model::audit::{AuditAction, AuditLine, Names, Verification};
use model::order::Tender;
use model::time::Date;

pub use detail::detail;

/// By the action's code; an unknown code stays as it is.
#[must_use]
pub fn action(code: &str, lang: Lang) -> String {
    texts(lang).action.get(code).unwrap_or(code).to_owned()
}

/// What an area of actions is called.
#[must_use]
pub fn area(code: &str, lang: Lang) -> &str {
    texts(lang).area.get(code).unwrap_or(code)
}

/// The areas with their actions, in the order of their names.
#[must_use]
pub fn actions(lang: Lang) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let mut areas: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    for one in AuditAction::ALL {
        let entry = (one.as_str(), action(one.as_str(), lang));
        match areas.iter_mut().find(|(area, _)| *area == one.area()) {
            Some((_, actions)) => actions.push(entry),
            None => areas.push((one.area(), vec![entry])),
        }
    }
    areas
}

/// Who did it: the system and the channels by their codes, a person by their name.
#[must_use]
pub fn actor(code: &str, names: &Names, lang: Lang) -> String {
    let channel = code.strip_prefix("channel:").and_then(Tender::parse);
    match (code, channel) {
        ("system", _) => texts(lang).system.to_owned(),
        (_, Some(channel)) => common::tender(channel, lang).to_owned(),
        _ => names.get(code).map_or(code, String::as_str).to_owned(),
    }
}

/// To what, with its number or name: `订单 2611230000000001`.
#[must_use]
pub fn subject(code: &str, names: &Names, lang: Lang) -> String {
    let (kind, rest) = code.split_once(':').unwrap_or((code, ""));
    let Some(word) = texts(lang).subject.get(kind) else { return code.to_owned() };
    let name = match kind {
        "settlement" => settlement_day(rest).map(|(channel, day)| format!("{} {day}", common::tender(channel, lang))),
        "trade" | "receipt" | "prices" => Some(rest.to_owned()),
        _ => names.get(code).cloned(),
    };
    match name {
        Some(name) if kind == "user" => name,
        Some(name) => format!("{word} {name}"),
        None => word.to_owned(),
    }
}

/// The page that shows a subject.
#[must_use]
pub fn page_of(line: &AuditLine) -> Option<String> {
    let (kind, id) = line.subject.split_once(':')?;
    let room = || line.place.as_ref().map(|(meter, _)| format!("/rooms/{meter}"));
    match kind {
        "return" => Some(format!("/returns/{id}")),
        "refund" => Some(format!("/refunds/{id}")),
        "shift" => Some(format!("/shifts/{id}")),
        "batch" => Some(format!("/commands/{id}")),
        "receipt" => Some(format!("/receipts/{id}")),
        "invoices" => Some(format!("/invoices/{id}")),
        "plan" | "prices" => Some("/prices".to_owned()),
        "gateway" => Some(format!("/gateways/{id}")),
        "instrument" => Some(format!("/instruments/{id}")),
        "place" => Some(format!("/places/{id}")),
        "account-batch" => Some(format!("/accounts/batches/{id}")),
        "event" => Some(format!("/alarms/{id}")),
        "case" => Some(room().unwrap_or_else(|| "/cases".to_owned())),
        "settlement" => settlement_day(id).map(|(channel, day)| crate::api::reconciliation::page_of(channel, day)),
        _ => room(),
    }
}

fn settlement_day(rest: &str) -> Option<(Tender, Date)> {
    let (channel, day) = rest.split_once(':')?;
    Some((Tender::parse(channel)?, crate::api::form::day(day)?))
}

/// What a verification found, in a sentence.
#[must_use]
pub fn verification(found: &Verification, lang: Lang) -> String {
    let t = texts(lang).verified;
    let Verification { first_line: first, last_line: last, checked, took_ms, .. } = *found;
    let lines = match found.broken_at {
        Some(line) => VerifiedBroken { line }.text(lang),
        None if last == 0 => t.no_lines.to_owned(),
        None if checked < last - first + 1 => VerifiedPart { first, last: first + checked - 1 }.text(lang),
        None => VerifiedLines { first, last }.text(lang),
    };
    let seals = match found.sealed_rows {
        None => t.seals_unfinished.to_owned(),
        Some(rows) if found.faults == 0 => VerifiedSeals { rows }.text(lang),
        Some(_) => VerifiedFaults { count: found.faults, named: found.named.join(", ") }.text(lang),
    };
    let took = VerifiedTook { seconds: format!("{}.{}", took_ms / 1_000, took_ms % 1_000 / 100) }.text(lang);
    common::clauses([lines, seals, took], lang).unwrap_or_default()
}

fn labelled(label: &str, value: String, lang: Lang) -> String {
    commands::Labelled { label, value }.text(lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_and_the_channels_have_names() {
        let names = Names::from([("user:7".to_owned(), "值班员".to_owned())]);
        assert_eq!(actor("system", &names, Lang::Zh), "系统");
        assert_eq!(actor("channel:alipay", &names, Lang::En), "Alipay");
        assert_eq!(
            (actor("user:7", &names, Lang::En), actor("channel:x", &names, Lang::En)),
            ("值班员".into(), "channel:x".into())
        );
    }

    #[test]
    fn every_action_has_a_name() {
        for one in AuditAction::ALL {
            for lang in [Lang::Zh, Lang::En] {
                assert_ne!(action(one.as_str(), lang), one.as_str(), "{one:?} has no text");
                assert_ne!(area(one.area(), lang), one.area(), "the area of {one:?} has no text");
            }
        }
        assert_eq!(action("moon.land", Lang::En), "moon.land", "a later version wrote it");
    }

    #[test]
    fn every_subject_has_a_name() {
        let names = Names::from([("order:7".to_owned(), "2611230000000001".to_owned())]);
        assert_eq!(subject("order:7", &names, Lang::Zh), "订单 2611230000000001");
        assert_eq!(subject("settlement:alipay:2026-11-23", &names, Lang::En), "Settlement day Alipay 2026-11-23");
        assert_eq!(subject("site", &names, Lang::Zh), "本园区");
        assert_eq!(subject("moon:7", &names, Lang::Zh), "moon:7");
    }

    #[test]
    fn a_verification_says_what_it_found() {
        let found =
            Verification { first_line: 1, last_line: 9, checked: 9, sealed_rows: Some(3), took_ms: 1_240, ..Default::default() };
        let said = verification(&found, Lang::En);
        assert!(said.contains("1") && said.contains("9") && said.contains("1.2 s"), "{said}");
        let broken = Verification { broken_at: Some(4), sealed_rows: None, ..found };
        assert!(verification(&broken, Lang::Zh).contains("第 4 条"));
    }
}
