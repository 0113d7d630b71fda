//! Expiry dates of certificates, and when operators are warned.

use model::case::CertificateState;
use model::time::{DAY, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The configuration key that holds the certificate, or the name of the gateway that showed it.
    pub key: String,
    /// The last moment at which the certificate is valid.
    pub at: Timestamp,
}

impl Expiry {
    /// `None` more than 30 days before expiry.
    #[must_use]
    pub const fn state(&self, now: Timestamp) -> Option<CertificateState> {
        match self.at.since(now) {
            ..=0 => Some(CertificateState::Expired),
            remaining if remaining <= 7 * DAY => Some(CertificateState::SevenDays),
            remaining if remaining <= 30 * DAY => Some(CertificateState::ThirtyDays),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_warns_30_and_7_days_ahead() {
        let expiry = Expiry { key: "pay.wechat.certificate".into(), at: Timestamp(100 * DAY) };
        let at = |days: i64| expiry.state(Timestamp(days * DAY));
        let (month, week) = (Some(CertificateState::ThirtyDays), Some(CertificateState::SevenDays));
        assert_eq!((at(69), at(70), at(92), at(93)), (None, month, month, week));
        assert_eq!((at(99), at(100)), (week, Some(CertificateState::Expired)));
    }
}
