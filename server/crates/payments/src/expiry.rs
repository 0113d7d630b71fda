//! Certificates end by themselves: said 30 and 7 days before, while there is time to get new ones.

use model::time::{DAY, Timestamp};

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The key of the configuration that holds it.
    pub key: String,
    /// When it ends.
    pub at: Timestamp,
}

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// Within thirty days.
    Month,
    /// Within seven days.
    Week,
    /// It has ended.
    Over,
}

impl Expiry {
    /// Whether anything is to be said now.
    #[must_use]
    pub const fn nearness(&self, now: Timestamp) -> Option<Nearness> {
        match self.at.since(now) {
            ..=0 => Some(Nearness::Over),
            left if left <= 7 * DAY => Some(Nearness::Week),
            left if left <= 30 * DAY => Some(Nearness::Month),
            _ => None,
        }
    }
}

impl Nearness {
    /// For the case and the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "30-days",
            Self::Week => "7-days",
            Self::Over => "over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_a_month_and_a_week_before() {
        let expiry = Expiry { key: "pay.wechat.certificate".into(), at: Timestamp(100 * DAY) };
        let at = |days: i64| expiry.nearness(Timestamp(days * DAY));
        assert_eq!((at(69), at(70), at(92), at(93)), (None, Some(Nearness::Month), Some(Nearness::Month), Some(Nearness::Week)));
        assert_eq!((at(99), at(100)), (Some(Nearness::Week), Some(Nearness::Over)));
    }
}
