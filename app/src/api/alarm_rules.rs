//! The rules of alarms by place and group.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::i18n::alarms::NumberForm;
use crate::i18n::lang;
use crate::link;
use crate::ports::{Who, operator, ports, reply};
use model::alarm::{AlarmRule, DELAY_MOST, OwnAlarmRule, ThresholdUnit};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::event::EventKind;
use model::ids::PlaceId;
use model::place::PlaceKind;
use model::time::Timestamp;

/// The rules at a place or of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRulesView {
    pub of: DefaultsOf,
    /// `None` for a group.
    pub kind: Option<PlaceKind>,
    pub name: String,
    /// The places above it, from the site downwards.
    pub above: Vec<(PlaceId, String)>,
    /// The places directly below it, or of the group; rooms of a place only where they have rules of their own.
    pub below: Vec<(DefaultsOf, String)>,
    /// The groups, on the page of the site.
    pub groups: Vec<(DefaultsOf, String)>,
    pub rules: Vec<AlarmRuleLine>,
}

/// The rule of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRuleLine {
    pub kind: EventKind,
    /// What this place or group sets.
    pub own: OwnAlarmRule,
    /// What applies: in a group what it sets, else what is usual.
    pub rule: AlarmRule,
    /// The nearest place or group above that sets some of it.
    pub from: Option<String>,
}

/// What would have been raised, by the current rules and by the edited one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmPreview {
    pub from: Timestamp,
    pub to: Timestamp,
    pub now: usize,
    pub new: usize,
    /// Where, since when and until when; the longest first.
    pub examples: Vec<(String, Timestamp, Option<Timestamp>)>,
    /// Meters whose readings were looked at before the time was up, of how many.
    pub meters: Option<(usize, usize)>,
}

#[async_trait]
pub trait AlarmRulesPort: Send + Sync {
    /// The rules of a place or group; of the site where none is named. `None` where the site has no places yet.
    async fn alarm_rules(&self, who: &Who, of: Option<DefaultsOf>) -> Result<Option<AlarmRulesView>, AppError>;
    async fn set_alarm_rule(&self, who: &Who, of: DefaultsOf, kind: EventKind, own: &OwnAlarmRule) -> Result<(), AppError>;
    /// What the rule would have raised in the last month.
    async fn preview_alarm_rule(
        &self,
        who: &Who,
        of: DefaultsOf,
        kind: EventKind,
        own: &OwnAlarmRule,
    ) -> Result<AlarmPreview, AppError>;
}

/// The names of the fields of a rule.
pub const FIELDS: [&str; 4] = ["level", "raise_s", "clear_s", "threshold"];

/// The rule of a kind from its [`FIELDS`]; an empty one is inherited.
///
/// # Errors
/// The first field that is wrong.
pub fn read_rule(kind: EventKind, fields: [&str; 4]) -> Result<OwnAlarmRule, &'static str> {
    let ([level, raise_s, clear_s, threshold], [of_level, of_raise, of_clear, of_threshold]) = (fields, FIELDS);
    let chosen = OwnAlarmRule::read(level).filter(|own| own.fits(kind)).ok_or(of_level)?;
    let number = |field: &'static str, text: &str| OwnAlarmRule::number(text).map_err(|_| field);
    let only = OwnAlarmRule::default();
    let raise = OwnAlarmRule { raise_s: number(of_raise, raise_s)?, ..only };
    let clear = OwnAlarmRule { clear_s: number(of_clear, clear_s)?, ..only };
    let limit = OwnAlarmRule { threshold: number(of_threshold, threshold)?, ..only };
    for (field, own) in [(of_raise, raise), (of_clear, clear), (of_threshold, limit)] {
        if !own.fits(kind) {
            return Err(field);
        }
    }
    Ok(chosen.or(&raise).or(&clear).or(&limit))
}

/// The least and the largest number of a field.
#[must_use]
pub fn bounds(kind: EventKind, field: &str) -> (u32, u32) {
    match kind.threshold_unit() {
        Some(unit) if field == "threshold" => (1, ThresholdUnit::most(unit)),
        _ => (0, DELAY_MOST),
    }
}

/// Sets what a place or group has of its own; an empty field is inherited.
#[server(name = SetAlarmRule, prefix = "/api", endpoint = "operator/settings/alarm-rule")]
pub async fn set_alarm_rule(
    of: String,
    kind: EventKind,
    level: String,
    raise_s: String,
    clear_s: String,
    #[server(default)] threshold: String,
) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, link::with("/alarms/rules", "of", of.trim()));
    let edited = link::with(&here, "kind", kind.as_str());
    let done = async {
        let own = match read_rule(kind, [&level, &raise_s, &clear_s, &threshold]) {
            Ok(own) => own,
            Err(field) => {
                let (least, most) = bounds(kind, field);
                let expected = (field != "level").then(|| NumberForm { least, most }.text(lang()));
                reply()?.wrong_field(field, expected);
                return Err(AppError::Invalid);
            }
        };
        ports.alarm_rules.set_alarm_rule(&who, parse(&of)?, kind, &own).await
    };
    answer(done.await.map(|()| here.clone()), &edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_field_of_a_rule_is_named() {
        let read = |fields| read_rule(EventKind::DiskLow, fields);
        let own = OwnAlarmRule { is_on: Some(true), raise_s: Some(86_400), threshold: Some(90), ..OwnAlarmRule::default() };
        assert_eq!(read(["1", "86400", "", "90"]).map(|read| OwnAlarmRule { level: None, ..read }), Ok(own));
        for (fields, wrong) in [
            (["9", "", "", ""], "level"),
            (["", "86401", "", ""], "raise_s"),
            (["", "", "x", ""], "clear_s"),
            (["", "", "", "101"], "threshold"),
        ] {
            assert_eq!(read(fields), Err(wrong));
        }
        assert_eq!(read_rule(EventKind::ClockStepped, ["off", "", "", ""]), Err("level"));
        assert_eq!((bounds(EventKind::DiskLow, "threshold"), bounds(EventKind::DiskLow, "raise_s")), ((1, 90), (0, 86_400)));
    }
}
