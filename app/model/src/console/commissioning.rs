//! Whether a meter was installed right, and who accepted it.

use super::RoomName;
use crate::case::CaseKind;
use crate::defaults::{DefaultKind, DefaultValues};
use crate::ids::MeterId;
use crate::meter::{Latest, Wallet};
use crate::parameters::Limits;
use crate::time::Timestamp;
use crate::word_enum;

word_enum! {
    /// What is checked of an installed meter.
    pub enum CheckItem {
        /// The registered serial number answers at its address.
        Identity = "identity",
        Clock = "clock",
        /// Its parameters were read, and are those that apply to its room.
        Parameters = "parameters",
        /// Its prices are those of its plan.
        Prices = "prices",
        /// Nothing waits for a person.
        Cases = "cases",
        /// How many of its last requests it answered.
        ReadQuality = "read-quality",
    }

    /// How a check ended.
    pub enum CheckState {
        Good = "good",
        Differs = "differs",
        Unknown = "unknown",
        /// Meters of this kind have no such thing.
        NotApplicable = "not-applicable",
    }
}

/// The clock may be wrong by so many seconds.
pub const MOST_CLOCK_OFFSET_S: i32 = 60;
/// A line that loses more than this share of its requests is not good, percent.
pub const MOST_UNANSWERED_PERCENT: u32 = 5;
/// Fewer requests than this say nothing about the line.
pub const FEWEST_REQUESTS: u32 = 10;

/// How many of the last requests to a meter were answered; at most a hundred are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadQuality {
    pub requests: u32,
    pub answered: u32,
}

/// What is known of an installed meter.
#[derive(Clone, Debug, PartialEq)]
pub struct Commissioning {
    pub meter: MeterId,
    pub room: RoomName,
    pub serial: String,
    pub profile: String,
    pub wallet: Wallet,
    pub gateway: String,
    pub unit: i64,
    pub latest: Latest,
    /// Whether it reports its serial number; `None` where this server does not poll.
    pub is_identified: Option<bool>,
    /// The kinds of its open cases.
    pub cases: Vec<CaseKind>,
    /// The version of its parameters, and when they were read.
    pub parameters: Option<(i64, Timestamp)>,
    /// As last read.
    pub limits: Option<Limits>,
    /// The default parameters that apply to its room.
    pub defaults: DefaultValues,
    /// Whether it was last read with the prices of its plan; `None` where it was not read or no plan applies.
    pub is_priced: Option<bool>,
    /// `None` where this server does not poll it.
    pub quality: Option<ReadQuality>,
    pub accepted: Option<Acceptance>,
}

/// Who accepted a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    pub by: String,
    pub at: Timestamp,
    pub comment: String,
}

/// A meter that nobody has accepted yet.
#[derive(Clone, Debug, PartialEq)]
pub struct UnacceptedMeter {
    pub latest: Latest,
    pub room: RoomName,
    pub gateway: String,
    pub unit: i64,
    pub serial: String,
    /// Every check of it is good.
    pub is_good: bool,
}

impl Commissioning {
    /// How each check ended.
    #[must_use]
    pub fn checks(&self) -> [(CheckItem, CheckState); CheckItem::ALL.len()] {
        CheckItem::ALL.map(|item| (item, self.check(item)))
    }

    /// Whether no check stands in the way of accepting it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.checks().iter().all(|(_, state)| matches!(state, CheckState::Good | CheckState::NotApplicable))
    }

    /// The parameters that are not as the defaults say: the meter's value, and the default.
    #[must_use]
    pub fn differing(&self) -> Vec<(DefaultKind, u32, u32)> {
        self.limits.map(|limits| self.defaults.differing(&limits)).unwrap_or_default()
    }

    fn check(&self, item: CheckItem) -> CheckState {
        let good = |is_good: bool| if is_good { CheckState::Good } else { CheckState::Differs };
        let has = |kind: CaseKind| self.cases.contains(&kind);
        let is_read = self.latest.observed_at.is_some() && self.latest.lost_since.is_none();
        match item {
            CheckItem::Identity if has(CaseKind::Identity) || has(CaseKind::Unusable) => CheckState::Differs,
            // Every reading is compared with the serial number where the model reports it.
            CheckItem::Identity if is_read && self.is_identified == Some(true) => CheckState::Good,
            CheckItem::Identity => CheckState::Unknown,
            CheckItem::Clock if has(CaseKind::Clock) || self.latest.status.clock_lost() => CheckState::Differs,
            CheckItem::Clock => {
                self.latest.clock_offset_s.map_or(CheckState::Unknown, |offset| good(offset.abs() <= MOST_CLOCK_OFFSET_S))
            }
            CheckItem::Parameters if has(CaseKind::Parameters) => CheckState::Differs,
            CheckItem::Parameters if self.wallet != Wallet::Meter => CheckState::NotApplicable,
            CheckItem::Parameters => self.parameters.map_or(CheckState::Unknown, |_| good(self.differing().is_empty())),
            CheckItem::Prices if self.wallet != Wallet::Meter => CheckState::NotApplicable,
            CheckItem::Prices => self.is_priced.map_or(CheckState::Unknown, good),
            CheckItem::Cases => good(self.cases.is_empty()),
            CheckItem::ReadQuality => match self.quality {
                Some(ReadQuality { requests, answered }) if requests >= FEWEST_REQUESTS => {
                    good((requests - answered.min(requests)) * 100 <= requests * MOST_UNANSWERED_PERCENT)
                }
                _ => CheckState::Unknown,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Uuid;

    fn meter() -> Commissioning {
        let meter = MeterId(Uuid::nil());
        Commissioning {
            meter,
            room: RoomName { building: String::new(), floor: String::new(), room: String::new() },
            serial: String::new(),
            profile: String::new(),
            wallet: Wallet::Meter,
            gateway: String::new(),
            unit: 1,
            latest: Latest::unseen(meter),
            is_identified: None,
            cases: Vec::new(),
            parameters: None,
            limits: None,
            defaults: DefaultValues::default(),
            is_priced: None,
            quality: None,
            accepted: None,
        }
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        use CheckState::{Good, Unknown};
        assert_eq!(meter().checks().map(|(_, state)| state), [Unknown, Unknown, Unknown, Unknown, Good, Unknown]);
    }

    #[test]
    fn what_was_read_is_good_or_differs() {
        use CheckState::{Differs, Good};
        let quality = |answered| Some(ReadQuality { requests: 100, answered });
        let mut good = meter();
        good.latest.observed_at = Some(Timestamp(1));
        good.latest.clock_offset_s = Some(-60);
        (good.is_identified, good.parameters, good.quality) = (Some(true), Some((3, Timestamp(1))), quality(95));
        assert_eq!(good.checks()[3].1, CheckState::Unknown, "no plan applies");
        good.is_priced = Some(true);
        assert_eq!(good.checks().map(|(_, state)| state), [Good; 6]);
        assert!(good.is_good());
        let mut other = good.clone();
        other.limits = Some(Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 0, overload_w: 0 });
        assert_eq!(other.checks()[2].1, Good, "no default says otherwise");
        other.defaults = [Some(2_000), Some(300)].into_iter().collect();
        assert_eq!(other.checks()[2].1, Differs);
        assert_eq!(other.differing(), [(DefaultKind::Alarm2, 500, 300)]);
        other.wallet = Wallet::None;
        assert_eq!(other.checks()[2].1, CheckState::NotApplicable);
        let mut bad = good.clone();
        bad.latest.clock_offset_s = Some(61);
        (bad.cases, bad.quality) = (vec![CaseKind::Identity, CaseKind::Parameters], quality(94));
        bad.is_priced = Some(false);
        assert_eq!(bad.checks().map(|(_, state)| state), [Differs; 6]);
        // A few requests say nothing about a line.
        good.quality = Some(ReadQuality { requests: 9, answered: 0 });
        assert_eq!(good.checks()[5].1, CheckState::Unknown);
    }
}
