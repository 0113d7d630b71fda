//! Expiry dates of configured certificates, and when operators are warned.

use model::time::{DAY, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The configuration key that holds the certificate.
    pub key: String,
    /// The last moment at which the certificate is valid.
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryStage {
    Within30Days,
    Within7Days,
    Expired,
}

impl Expiry {
    /// `None` more than 30 days before expiry.
    #[must_use]
    pub const fn stage(&self, now: Timestamp) -> Option<ExpiryStage> {
        match self.at.since(now) {
            ..=0 => Some(ExpiryStage::Expired),
            remaining if remaining <= 7 * DAY => Some(ExpiryStage::Within7Days),
            remaining if remaining <= 30 * DAY => Some(ExpiryStage::Within30Days),
            _ => None,
        }
    }
}

impl ExpiryStage {
    /// The value in cases and log events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Within30Days => "30-days",
            Self::Within7Days => "7-days",
            Self::Expired => "over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_warns_30_and_7_days_ahead() {
        let expiry = Expiry { key: "pay.wechat.certificate".into(), at: Timestamp(100 * DAY) };
        let at = |days: i64| expiry.stage(Timestamp(days * DAY));
        let (month, week) = (Some(ExpiryStage::Within30Days), Some(ExpiryStage::Within7Days));
        assert_eq!((at(69), at(70), at(92), at(93)), (None, month, month, week));
        assert_eq!((at(99), at(100)), (week, Some(ExpiryStage::Expired)));
    }
}
