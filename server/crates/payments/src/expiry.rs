//! Certificates end by themselves: said 30 and 7 days before, while there is time to get new ones.

use model::case::CertificateState;
use model::time::{DAY, Timestamp};

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The key of the configuration that holds it.
    pub key: String,
    /// When it ends.
    pub at: Timestamp,
}

impl Expiry {
    /// Whether anything is to be said now.
    #[must_use]
    pub const fn nearness(&self, now: Timestamp) -> Option<CertificateState> {
        match self.at.since(now) {
            ..=0 => Some(CertificateState::Expired),
            left if left <= 7 * DAY => Some(CertificateState::SevenDays),
            left if left <= 30 * DAY => Some(CertificateState::ThirtyDays),
            _ => None,
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
        assert_eq!(
            (at(69), at(70), at(92), at(93)),
            (None, Some(CertificateState::ThirtyDays), Some(CertificateState::ThirtyDays), Some(CertificateState::SevenDays))
        );
        assert_eq!((at(99), at(100)), (Some(CertificateState::SevenDays), Some(CertificateState::Expired)));
    }
}
