//! Default parameters of meters: by site, building, floor and room, inherited downwards.

use serde::{Deserialize, Serialize};

use crate::money::Fen;
use crate::parameters::Limits;
use crate::word_enum;

word_enum! {
    /// A parameter with a default.
    pub enum DefaultKind {
        /// Alarm 1 below this amount, fen.
        Alarm1 = "alarm1",
        Alarm2 = "alarm2",
        Overdraft = "overdraft",
        /// The hoarding limit, fen; 0: none.
        Hoarding = "hoarding",
        /// Above this power the relay trips, W; 0: none.
        Overload = "overload_w",
    }
}

impl DefaultKind {
    /// The largest value that a meter takes.
    #[must_use]
    pub const fn most(self) -> u32 {
        match self {
            Self::Overload => u16::MAX as u32,
            _ => i32::MAX as u32,
        }
    }

    /// Its value among those that a meter has.
    #[must_use]
    pub fn of(self, limits: &Limits) -> u32 {
        match self {
            Self::Alarm1 => limits.alarm1,
            Self::Alarm2 => limits.alarm2,
            Self::Overdraft => limits.overdraft,
            Self::Hoarding => limits.hoarding,
            Self::Overload => limits.overload_w.into(),
        }
    }

    /// From a form: yuan, or watts; an empty field is none, which is inherited.
    ///
    /// # Errors
    /// [`DefaultFieldError`].
    pub fn read(self, text: &str) -> Result<Option<u32>, DefaultFieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let value = match self {
            Self::Overload => text.parse::<u32>().ok(),
            _ => Fen::parse_yuan(text).ok().and_then(|fen| u32::try_from(fen.0).ok()),
        };
        value.filter(|value| *value <= self.most()).map(Some).ok_or(DefaultFieldError)
    }

    /// As [`Self::read`] takes it.
    #[must_use]
    pub fn text(self, value: u32) -> String {
        match self {
            Self::Overload => value.to_string(),
            _ => Fen(value.into()).to_string(),
        }
    }
}

/// A field that is neither yuan nor watts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither yuan with at most two decimals nor watts, or too much for a meter")]
pub struct DefaultFieldError;

/// Values in the order of [`DefaultKind::ALL`]; `None` is inherited, or set nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultValues(pub [Option<u32>; DefaultKind::ALL.len()]);

impl DefaultValues {
    #[must_use]
    pub fn get(&self, kind: DefaultKind) -> Option<u32> {
        self.0.get(kind as usize).copied().flatten()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What a meter is told; `None` while one of them is set nowhere.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        let [alarm1, alarm2, overdraft, hoarding, overload] = self.0;
        let overload_w = u16::try_from(overload?).ok()?;
        Some(Limits { alarm1: alarm1?, alarm2: alarm2?, overdraft: overdraft?, hoarding: hoarding?, overload_w })
    }

    /// Which values a meter has otherwise, with its value and the default; what is set nowhere is as it likes.
    #[must_use]
    pub fn differing(&self, limits: &Limits) -> Vec<(DefaultKind, u32, u32)> {
        let differs = |kind: DefaultKind| {
            let (has, wanted) = (kind.of(limits), self.get(kind)?);
            (has != wanted).then_some((kind, has, wanted))
        };
        DefaultKind::ALL.into_iter().filter_map(differs).collect()
    }

    /// Whether alarm 2 comes after alarm 1, as far as both are known.
    #[must_use]
    pub fn alarms_fit(&self) -> bool {
        match (self.get(DefaultKind::Alarm1), self.get(DefaultKind::Alarm2)) {
            (Some(first), Some(second)) => second <= first,
            _ => true,
        }
    }
}

impl FromIterator<Option<u32>> for DefaultValues {
    fn from_iter<I: IntoIterator<Item = Option<u32>>>(values: I) -> Self {
        let mut all = Self::default();
        all.0.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_yuan_watts_or_inherited() {
        assert_eq!(DefaultKind::Alarm1.read(" 20.50 "), Ok(Some(2_050)));
        assert_eq!(DefaultKind::Overload.read("1800"), Ok(Some(1_800)));
        assert_eq!((DefaultKind::Overdraft.read(""), DefaultKind::Overdraft.read("0")), (Ok(None), Ok(Some(0))));
        for (kind, text) in [(DefaultKind::Overload, "65536"), (DefaultKind::Overload, "1.5"), (DefaultKind::Alarm1, "-1")] {
            assert_eq!(kind.read(text), Err(DefaultFieldError), "{text}");
        }
        for kind in DefaultKind::ALL {
            assert_eq!(kind.read(&kind.text(1_234)), Ok(Some(1_234)));
        }
    }

    #[test]
    fn limits_are_known_when_every_value_is() {
        let all: DefaultValues = [2_000, 500, 0, 50_000, 1_800].map(Some).into_iter().collect();
        let limits = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 50_000, overload_w: 1_800 };
        assert_eq!(all.limits(), Some(limits));
        assert!(all.alarms_fit());
        assert_eq!(all.differing(&limits), []);
        let other = Limits { alarm1: 1_000, overload_w: 2_000, ..limits };
        assert_eq!(all.differing(&other), [(DefaultKind::Alarm1, 1_000, 2_000), (DefaultKind::Overload, 2_000, 1_800)]);
        assert_eq!(DefaultValues::default().differing(&other), []);
        let some: DefaultValues = [Some(100), Some(500)].into_iter().collect();
        assert_eq!((some.limits(), some.alarms_fit()), (None, false));
    }
}
