//! The settings of an instrument as people type them.

use serde::{Deserialize, Serialize};

use super::{CircuitSettings, CountStep, InstrumentSettings, Ratio, USUAL_INTERVAL_S};
use crate::typed::{self, typed};
use crate::word_enum;

/// The longest name or number.
const LONGEST: usize = 40;
/// The longest time between two readings: a day.
const MOST_S: u32 = 86_400;

word_enum! {
    /// A field of the forms.
    pub enum InstrumentField {
        Number = "number",
        Name = "name",
        Place = "place",
        Gateway = "gateway",
        Unit = "unit",
        Profile = "profile",
        Start = "start",
        Step = "step",
        Pt = "pt",
        Interval = "interval_s",
        Ct = "ct",
        Parent = "parent",
        Feeds = "feeds",
    }
}

/// An instrument as a form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstrumentForm {
    pub number: String,
    pub name: String,
    /// The ids of what is chosen.
    pub place: String,
    pub gateway: String,
    pub unit: String,
    pub profile: String,
    pub start: String,
    pub step: String,
    pub pt: String,
    pub interval_s: String,
}

/// A circuit as a form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CircuitForm {
    pub position: String,
    pub name: String,
    pub ct: String,
    /// The id of the circuit that feeds it; empty for none.
    pub parent: String,
    pub feeds: String,
}

/// A short text in one line.
fn short(text: &str) -> Option<String> {
    let text = text.trim();
    let is_short = (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    is_short.then(|| text.to_owned())
}

/// `Some(None)` for an empty field.
fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match &*typed(text) {
        "" => Some(None),
        text => parse(text).map(Some),
    }
}

/// A register as people write it: decimal, or hexadecimal after `0x` or before `H`.
#[must_use]
pub fn parse_register(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_suffix(['H', 'h']));
    hex.map_or_else(|| text.parse().ok(), |hex| u16::from_str_radix(hex, 16).ok())
}

impl InstrumentForm {
    /// The settings that the form asks for.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(&self) -> Result<InstrumentSettings, InstrumentField> {
        use InstrumentField as F;
        let interval = |text: &str| text.parse().ok().filter(|seconds| (1..=MOST_S).contains(seconds));
        Ok(InstrumentSettings {
            // A `/` stands between the number and a circuit in the site workbook.
            number: short(&self.number).filter(|number| !number.contains('/')).ok_or(F::Number)?,
            name: short(&self.name).ok_or(F::Name)?,
            place: self.place.trim().parse().map_err(|_| F::Place)?,
            gateway: self.gateway.trim().parse().map_err(|_| F::Gateway)?,
            unit: typed::parse(&self.unit).ok().filter(|unit| (1..=247).contains(unit)).ok_or(F::Unit)?,
            profile: short(&self.profile).ok_or(F::Profile)?,
            start: optional(&self.start, parse_register).ok_or(F::Start)?,
            step: optional(&self.step, CountStep::parse).ok_or(F::Step)?,
            pt: Ratio::parse(&self.pt).ok_or(F::Pt)?,
            interval_s: optional(&self.interval_s, interval).ok_or(F::Interval)?.unwrap_or(USUAL_INTERVAL_S),
        })
    }

    #[must_use]
    pub fn of(settings: &InstrumentSettings) -> Self {
        Self {
            number: settings.number.clone(),
            name: settings.name.clone(),
            place: settings.place.to_string(),
            gateway: settings.gateway.to_string(),
            unit: settings.unit.to_string(),
            profile: settings.profile.clone(),
            start: settings.start.map(|start| start.to_string()).unwrap_or_default(),
            step: settings.step.map(|step| step.to_string()).unwrap_or_default(),
            pt: settings.pt.to_string(),
            interval_s: settings.interval_s.to_string(),
        }
    }
}

impl CircuitForm {
    /// The settings; the ids of the circuit that feeds it and of the place are its own text.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse(&self) -> Result<CircuitSettings, InstrumentField> {
        use InstrumentField as F;
        Ok(CircuitSettings {
            position: typed::parse(&self.position).ok().filter(|at| (1..=super::MAX_CIRCUITS).contains(at)).ok_or(F::Name)?,
            name: short(&self.name).ok_or(F::Name)?,
            ct: Ratio::parse(&self.ct).ok_or(F::Ct)?,
            parent: optional(&self.parent, |id| id.parse().ok()).ok_or(F::Parent)?,
            feeds: optional(&self.feeds, |id| id.parse().ok()).ok_or(F::Feeds)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GatewayId, PlaceId, Uuid};

    fn form() -> InstrumentForm {
        let settings = InstrumentSettings {
            number: "A-1".into(),
            name: "Main".into(),
            place: PlaceId(Uuid::nil()),
            gateway: GatewayId(Uuid::nil()),
            unit: 7,
            profile: "energy-u32".into(),
            start: None,
            step: None,
            pt: Ratio::ONE,
            interval_s: 900,
        };
        let form = InstrumentForm::of(&settings);
        assert_eq!(form.parse(), Ok(settings));
        form
    }

    #[test]
    fn a_wrong_field_is_named() {
        let bad = [
            (InstrumentField::Number, InstrumentForm { number: "1/2".into(), ..form() }),
            (InstrumentField::Unit, InstrumentForm { unit: "248".into(), ..form() }),
            (InstrumentField::Start, InstrumentForm { start: "65536".into(), ..form() }),
            (InstrumentField::Step, InstrumentForm { step: "0".into(), ..form() }),
            (InstrumentField::Pt, InstrumentForm { pt: "7/2".into(), ..form() }),
            (InstrumentField::Interval, InstrumentForm { interval_s: "0".into(), ..form() }),
            (InstrumentField::Name, InstrumentForm { name: "a\nb".into(), ..form() }),
        ];
        for (field, form) in bad {
            assert_eq!(form.parse(), Err(field));
        }
    }

    #[test]
    fn registers_are_decimal_or_hexadecimal() {
        let start = |text: &str| InstrumentForm { start: text.into(), ..form() }.parse().unwrap().start;
        assert_eq!(["", "16", "0x10", "10H"].map(start), [None, Some(16), Some(16), Some(16)]);
    }
}
