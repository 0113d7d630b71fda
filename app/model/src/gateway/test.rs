//! What a test of a gateway finds.

use crate::word_enum;

word_enum! {
    /// Why a gateway cannot be connected to.
    pub enum ConnectFault {
        /// No host has that name.
        UnknownName = "unknown-name",
        Refused = "refused",
        NoRoute = "no-route",
        TimedOut = "timed-out",
        /// It closed the connection at once: perhaps it serves another client.
        Closed = "closed",
        /// It does not speak TLS on that port.
        NotTls = "not-tls",
        /// The certificate is for another name.
        TlsName = "tls-name",
        /// The certificate is not the pinned one.
        TlsPin = "tls-pin",
        /// No known authority signed the certificate.
        TlsIssuer = "tls-issuer",
        TlsExpired = "tls-expired",
        /// It asked for a certificate of this server, or refused it.
        TlsClient = "tls-client",
        /// The settings of TLS cannot be used.
        TlsSettings = "tls-settings",
        /// It has not dialled in.
        Away = "away",
        Other = "other",
    }

    /// What a test found.
    pub enum TestOutcome {
        /// A meter answered.
        Answered = "answered",
        /// Something answered that is not the expected meter.
        OtherMeter = "other-meter",
        /// Something answered that cannot be read.
        Unreadable = "unreadable",
        /// The gateway is connected, and has no meters yet.
        NoMeters = "no-meters",
        /// The gateway is connected, and the meter does not answer.
        Silent = "silent",
        /// It answers as if it were of another framing.
        OtherFraming = "other-framing",
        /// It cannot be connected to.
        Unreachable = "unreachable",
    }
}

/// The result of a test. Its text form stands in an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayTest {
    pub outcome: TestOutcome,
    /// With [`TestOutcome::Unreachable`].
    pub fault: Option<ConnectFault>,
    /// The meter that was read.
    pub unit: Option<u8>,
}

impl GatewayTest {
    #[must_use]
    pub const fn of(outcome: TestOutcome, unit: Option<u8>) -> Self {
        Self { outcome, fault: None, unit }
    }

    #[must_use]
    pub const fn unreachable(fault: ConnectFault) -> Self {
        Self { outcome: TestOutcome::Unreachable, fault: Some(fault), unit: None }
    }

    #[must_use]
    pub fn code(self) -> String {
        let fault = self.fault.map_or("", ConnectFault::as_str);
        format!("{}.{fault}.{}", self.outcome.as_str(), self.unit.unwrap_or_default())
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let mut parts = code.split('.');
        let (outcome, fault, unit) = (parts.next()?, parts.next()?, parts.next()?);
        let unit = unit.parse().ok()?;
        Some(Self { outcome: TestOutcome::parse(outcome)?, fault: ConnectFault::parse(fault), unit: (unit > 0).then_some(unit) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_round() {
        for test in [
            GatewayTest::of(TestOutcome::Answered, Some(247)),
            GatewayTest::of(TestOutcome::NoMeters, None),
            GatewayTest::unreachable(ConnectFault::TlsPin),
        ] {
            assert_eq!(GatewayTest::parse(&test.code()), Some(test));
        }
        assert_eq!((GatewayTest::parse(""), GatewayTest::parse("answered..999")), (None, None));
    }
}
