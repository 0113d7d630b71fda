//! Default parameters of meters: by site, building, floor, room and group, inherited downwards.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::gateway::SweepInterval;
use crate::ids::{PlaceGroupId, PlaceId};
use crate::money::Fen;
use crate::parameters::Limits;
use crate::site_workbook::Column;
use crate::typed::typed;
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
        /// How often meters are read that have no interval of their own, nor their gateway, s. Meters are not told.
        Interval = "interval_s",
    }
}

/// What default parameters are set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefaultsOf {
    /// A place and everything below it.
    Place(PlaceId),
    /// The places of a group and everything below them.
    Group(PlaceGroupId),
}

/// A group's id in a form or an address is behind it; a place's has nothing before it.
const GROUP: &str = "group:";

impl fmt::Display for DefaultsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::Group(group) => write!(f, "{GROUP}{group}"),
        }
    }
}

impl FromStr for DefaultsOf {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        match text.strip_prefix(GROUP) {
            Some(group) => group.parse().map(Self::Group),
            None => text.parse().map(Self::Place),
        }
    }
}

impl DefaultKind {
    /// The largest value.
    #[must_use]
    pub const fn most(self) -> u32 {
        match self {
            Self::Overload => u16::MAX as u32,
            Self::Interval => SweepInterval::MOST.seconds(),
            _ => i32::MAX as u32,
        }
    }

    /// Those that a meter is told.
    pub fn limits() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| *kind != Self::Interval)
    }

    /// Its value among those that a meter has; `None` for what meters are not told.
    #[must_use]
    pub fn of(self, limits: &Limits) -> Option<u32> {
        match self {
            Self::Alarm1 => Some(limits.alarm1),
            Self::Alarm2 => Some(limits.alarm2),
            Self::Overdraft => Some(limits.overdraft),
            Self::Hoarding => Some(limits.hoarding),
            Self::Overload => Some(limits.overload_w.into()),
            Self::Interval => None,
        }
    }

    /// From a form: yuan, watts or seconds; an empty field is none, which is inherited.
    ///
    /// # Errors
    /// [`DefaultFieldError`].
    pub fn read(self, text: &str) -> Result<Option<u32>, DefaultFieldError> {
        let text = typed(text);
        if text.is_empty() {
            return Ok(None);
        }
        let value = match self {
            Self::Overload | Self::Interval => text.parse::<u32>().ok(),
            _ => Fen::parse_yuan(&text).ok().and_then(|fen| u32::try_from(fen.0).ok()),
        };
        value.filter(|value| *value <= self.most()).map(Some).ok_or(DefaultFieldError)
    }

    /// Its column in the workbook of a site.
    #[must_use]
    pub const fn column(self) -> Column {
        match self {
            Self::Alarm1 => Column::Alarm1,
            Self::Alarm2 => Column::Alarm2,
            Self::Overdraft => Column::Overdraft,
            Self::Hoarding => Column::Hoarding,
            Self::Overload => Column::OverloadW,
            Self::Interval => Column::IntervalS,
        }
    }

    /// As [`Self::read`] takes it.
    #[must_use]
    pub fn text(self, value: u32) -> String {
        match self {
            Self::Overload | Self::Interval => value.to_string(),
            _ => Fen(value.into()).to_string(),
        }
    }
}

/// A field that is not in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither yuan with at most two decimals nor whole watts or seconds, or too much")]
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
        let [alarm1, alarm2, overdraft, hoarding, overload, _] = self.0;
        let overload_w = u16::try_from(overload?).ok()?;
        Some(Limits { alarm1: alarm1?, alarm2: alarm2?, overdraft: overdraft?, hoarding: hoarding?, overload_w })
    }

    /// Which values a meter has otherwise, with its value and the default; what is set nowhere is as it likes.
    #[must_use]
    pub fn differing(&self, limits: &Limits) -> Vec<(DefaultKind, u32, u32)> {
        let differs = |kind: DefaultKind| {
            let (has, wanted) = (kind.of(limits)?, self.get(kind)?);
            (has != wanted).then_some((kind, has, wanted))
        };
        DefaultKind::ALL.into_iter().filter_map(differs).collect()
    }

    /// The interval of readings.
    #[must_use]
    pub fn interval(&self) -> Option<SweepInterval> {
        self.get(DefaultKind::Interval).and_then(|seconds| SweepInterval::new(seconds.into()))
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
        let bad = [
            (DefaultKind::Overload, "65536"),
            (DefaultKind::Overload, "1.5"),
            (DefaultKind::Alarm1, "-1"),
            (DefaultKind::Interval, "86401"),
        ];
        for (kind, text) in bad {
            assert_eq!(kind.read(text), Err(DefaultFieldError), "{text}");
        }
        for kind in DefaultKind::ALL {
            assert_eq!(kind.read(&kind.text(1_234)), Ok(Some(1_234)));
        }
    }

    #[test]
    fn what_they_are_set_for_goes_round() {
        let id = crate::ids::Uuid::from_u128(7);
        for of in [DefaultsOf::Place(PlaceId(id)), DefaultsOf::Group(PlaceGroupId(id))] {
            assert_eq!(of.to_string().parse(), Ok(of));
        }
        assert!("group:".parse::<DefaultsOf>().is_err() && "x".parse::<DefaultsOf>().is_err());
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
