//! How a channel answers: its last success and failure, its clock, and what was refused of its notifications. Kept in memory, so
//! it begins anew with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::DATE;
use model::order::ChannelFailure;
use model::time::{SECOND, Timestamp};

use super::channel::{ChannelError, NotificationError};

/// A channel whose clock differs by more from ours is shown as a problem; WeChat Pay refuses requests from five minutes on.
pub const MAX_SKEW: i64 = 60 * SECOND;

/// What is known since the process started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthReport {
    /// When the channel last answered a request as documented.
    pub succeeded_at: Option<Timestamp>,
    /// The last request that failed.
    pub failed: Option<FailedRequest>,
    /// The channel's clock less ours, ms, to the second, by its last answer.
    pub skew_ms: Option<i64>,
    /// When a notification was last accepted.
    pub notified_at: Option<Timestamp>,
    /// Notifications with an invalid signature, a key that is unknown, or an old timestamp.
    pub forged: u64,
    /// WeChat Pay's own test messages with an invalid signature (`WECHATPAY/SIGNTEST/`).
    pub probes: u64,
    /// Notifications with a valid signature and an invalid content.
    pub invalid: u64,
    /// Requests in place of notifications that were refused unread: another content type, or too long a body.
    pub unread: u64,
}

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRequest {
    pub at: Timestamp,
    pub failure: ChannelFailure,
    /// The channel's error code, or what is wrong with its answer; may be empty. At most 100 characters.
    pub detail: String,
}

impl HealthReport {
    /// Whether the last request failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failed.as_ref().is_some_and(|failed| self.succeeded_at.is_none_or(|success| success < failed.at))
    }

    /// Whether the two clocks differ by more than [`MAX_SKEW`].
    #[must_use]
    pub fn is_skewed(&self) -> bool {
        self.skew_ms.is_some_and(|skew| skew.saturating_abs() > MAX_SKEW)
    }
}

#[derive(Debug, Default)]
pub struct Health(Mutex<HealthReport>);

impl Health {
    #[must_use]
    pub fn report(&self) -> HealthReport {
        self.lock().clone()
    }

    pub(crate) fn succeeded(&self, now: Timestamp) {
        self.lock().succeeded_at = Some(now);
    }

    pub(crate) fn failed(&self, at: Timestamp, failure: ChannelFailure, detail: &str) {
        let detail = detail.chars().filter(|c| !c.is_control()).take(100).collect();
        self.lock().failed = Some(FailedRequest { at, failure, detail });
    }

    pub(crate) fn result<T>(&self, now: Timestamp, result: &Result<T, ChannelError>) {
        match result {
            Ok(_) | Err(ChannelError::Statement(_)) => self.succeeded(now),
            Err(ChannelError::Unreachable(error)) => self.failed(now, ChannelFailure::Unreachable, &error.to_string()),
            Err(ChannelError::Status(status)) => self.failed(now, ChannelFailure::Status, &format!("HTTP {status}")),
            Err(ChannelError::InvalidResponse(detail)) => self.failed(now, ChannelFailure::Response, detail),
            Err(ChannelError::Refused(code)) => self.failed(now, ChannelFailure::Refused, code),
            Err(ChannelError::Signing(error)) => self.failed(now, ChannelFailure::Signing, &error.to_string()),
        }
    }

    pub(crate) fn notification<T>(&self, now: Timestamp, result: &Result<T, NotificationError>) {
        let mut report = self.lock();
        match result {
            Ok(_) => report.notified_at = Some(now),
            Err(NotificationError::Probe) => report.probes += 1,
            Err(NotificationError::Signature | NotificationError::UnknownKey | NotificationError::Stale) => report.forged += 1,
            Err(NotificationError::Form | NotificationError::Field(_)) => report.invalid += 1,
        }
    }

    /// A request in place of a notification was refused before it was read.
    pub fn refused_unread(&self) {
        self.lock().unread += 1;
    }

    /// Compares the `Date` of an answer with the clock. Both are whole seconds.
    pub(crate) fn answered(&self, now: Timestamp, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let since_epoch = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
        let seconds = since_epoch.and_then(|passed| i64::try_from(passed.as_secs()).ok());
        if let Some(seconds) = seconds {
            let skew = seconds.saturating_sub(now.0.div_euclid(SECOND)).saturating_mul(SECOND);
            self.lock().skew_ms = Some(skew);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HealthReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_438_800_000);

    fn skew(date: &str) -> Option<i64> {
        let (health, mut headers) = (Health::default(), HeaderMap::new());
        headers.insert(DATE, date.parse().unwrap());
        health.answered(NOW, &headers);
        health.report().skew_ms
    }

    #[test]
    fn clock_skew_is_read_from_the_date_header() {
        assert_eq!(skew("Mon, 23 Nov 2026 13:00:00 GMT"), Some(0));
        assert_eq!(skew("Mon, 23 Nov 2026 13:02:00 GMT"), Some(120_000));
        assert_eq!(skew("Mon, 23 Nov 2026 12:59:30 GMT"), Some(-30_000));
        assert_eq!((skew("soon"), skew("")), (None, None));
        let report = |skew_ms| HealthReport { skew_ms: Some(skew_ms), ..HealthReport::default() };
        assert!(!report(MAX_SKEW).is_skewed() && report(MAX_SKEW + 1_000).is_skewed() && report(-MAX_SKEW - 1_000).is_skewed());
    }

    #[test]
    fn the_last_result_decides_whether_a_channel_fails() {
        let health = Health::default();
        assert!(!health.report().is_failing());
        health.failed(NOW, ChannelFailure::Refused, "503\n");
        assert!(health.report().is_failing());
        let failed = FailedRequest { at: NOW, failure: ChannelFailure::Refused, detail: "503".into() };
        assert_eq!(health.report().failed, Some(failed));
        health.succeeded(NOW.plus(1));
        assert!(!health.report().is_failing());
        health.result::<()>(NOW.plus(2), &Err(ChannelError::Refused("401 SIGN_ERROR".into())));
        assert!(health.report().is_failing());
        let failed = health.report().failed.unwrap();
        assert_eq!((failed.failure, failed.detail.as_str()), (ChannelFailure::Refused, "401 SIGN_ERROR"));
        health.result::<()>(NOW.plus(3), &Err(ChannelError::InvalidResponse("an invalid signature")));
        assert_eq!(health.report().failed.map(|failed| failed.failure), Some(ChannelFailure::Response));
        health.result::<()>(NOW.plus(4), &Err(ChannelError::Status(502)));
        let failed = health.report().failed.unwrap();
        assert_eq!((failed.failure, failed.detail.as_str()), (ChannelFailure::Status, "HTTP 502"));
    }

    #[test]
    fn probes_and_forgeries_are_counted_apart() {
        let health = Health::default();
        for error in [NotificationError::Probe, NotificationError::Signature, NotificationError::Stale, NotificationError::Form] {
            health.notification::<()>(NOW, &Err(error));
        }
        let report = health.report();
        assert_eq!((report.probes, report.forged, report.invalid, report.notified_at), (1, 2, 1, None));
    }
}
