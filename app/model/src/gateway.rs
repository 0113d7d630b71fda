//! Gateways: how each is reached, how it does, and how often its meters are read.

pub mod dial_in;
pub mod form;
pub mod host;
pub mod pattern;
pub mod scan;
pub mod settings;
pub mod test;

use serde::{Deserialize, Serialize};

use crate::word_enum;
pub use dial_in::{DialInConnection, UnknownCaller};
pub use form::{FormField, GatewayForm};
pub use host::Host;
pub use pattern::BytePattern;
pub use settings::{Dialling, GatewayCode, GatewayName, GatewaySettings, Heartbeat, Timing};
pub use test::{ConnectFault, GatewayTest, TestOutcome};

word_enum! {
    /// The framing of a gateway's TCP connection.
    #[derive(Default)]
    pub enum Framing {
        /// Modbus TCP: a header with a transaction number.
        #[default]
        ModbusTcp = "modbus-tcp",
        /// The same inside TLS.
        ModbusTls = "modbus-tls",
        /// A transparent gateway puts what it receives on the bus unchanged: Modbus RTU and DL/T 645 frames, by meter.
        Transparent = "transparent",
    }
}

word_enum! {
    /// How the port where gateways dial in does.
    pub enum PortState {
        /// Not tried yet.
        Starting = "starting",
        Listening = "listening",
        /// Another program has the port.
        InUse = "in-use",
        /// The server may not use the port.
        NotAllowed = "not-allowed",
        Failed = "failed",
    }
}

/// How a gateway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayHealth {
    /// Not heard of yet.
    Connecting,
    Up,
    /// It does not accept connections.
    Unreachable,
    /// It accepts connections, and no meter behind it answers.
    Silent,
}

impl GatewayHealth {
    /// Whether the gateway itself is lost, and not just meters behind it.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Unreachable | Self::Silent)
    }
}

/// From one reading of a meter to the next, in seconds: at most a day; 0 reads as often as the bus allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweepInterval(u32);

impl SweepInterval {
    /// As often as the bus allows.
    pub const CONTINUOUS: Self = Self(0);
    /// Once a day.
    pub const MOST: Self = Self(86_400);
    /// Those that people choose from.
    pub const CHOICES: [Self; 8] = [Self(0), Self(60), Self(180), Self(300), Self(600), Self(900), Self(1_800), Self(3_600)];

    /// `None` for less than nothing and for more than a day.
    #[must_use]
    pub fn new(seconds: i64) -> Option<Self> {
        u32::try_from(seconds).ok().filter(|&seconds| seconds <= Self::MOST.0).map(Self)
    }

    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

/// What an interval is set for. A meter without one is read as its gateway is, and a gateway's meters without one as the default
/// parameters of their rooms say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    Gateway(crate::ids::GatewayId),
    Meter(crate::ids::MeterId),
}

/// Whom to trust at a gateway that speaks TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The name in its certificate; `None`: its host.
    pub name: Option<String>,
    /// The SHA-256 fingerprint of its one certificate, 64 hex digits; `None`: whatever a known authority signed.
    pub pin: Option<String>,
}

impl Trust {
    /// From a form, where an empty field is none, and colons and spaces in a fingerprint are for people. `None` where it is no
    /// name or no fingerprint.
    #[must_use]
    pub fn parse(name: &str, pin: &str) -> Option<Self> {
        let (name, pin) = (name.trim(), pin.replace([':', ' '], "").to_ascii_lowercase());
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let is_pin = pin.is_empty() || pin.len() == 64 && pin.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_pin && (name.is_empty() || Host::parse(name).is_some())).then(|| Self { name: given(name), pin: given(&pin) })
    }

    /// The fingerprint as people compare it: `AB:CD:...`.
    #[must_use]
    pub fn shown_pin(&self) -> String {
        let pairs = self.pin.as_deref().unwrap_or_default().as_bytes().chunks(2);
        pairs.map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect::<Vec<_>>().join(":")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_a_name_a_fingerprint_or_neither() {
        let pin = "ab".repeat(32);
        let shown = ["AB"; 32].join(":");
        let trust = Trust::parse(" gw-3.example.cn ", &format!(" {shown} ")).unwrap_or_default();
        assert_eq!((trust.name.as_deref(), trust.pin.as_deref()), (Some("gw-3.example.cn"), Some(&*pin)));
        assert_eq!(trust.shown_pin(), shown);
        assert_eq!(Trust::parse("", " "), Some(Trust::default()));
        assert!(Trust::parse("10.0.0.7", "").is_some() && Trust::parse("fe80::1", "").is_some());
        for (name, pin) in [
            ("a b", ""),
            ("-a", ""),
            ("a..b", ""),
            ("192.168.1.300", ""),
            ("10.0.7", ""),
            ("https://a", ""),
            ("", "ab"),
            ("", &*"g".repeat(64)),
        ] {
            assert_eq!(Trust::parse(name, pin), None, "{name} {pin}");
        }
    }

    #[test]
    fn an_interval_is_from_none_to_a_day() {
        assert_eq!(SweepInterval::new(0), Some(SweepInterval::CONTINUOUS));
        assert_eq!(SweepInterval::new(86_400).map(SweepInterval::seconds), Some(86_400));
        assert_eq!((SweepInterval::new(-1), SweepInterval::new(86_401)), (None, None));
    }
}
