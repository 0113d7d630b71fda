//! How a gateway does, and how often its meters are read.

use serde::{Deserialize, Serialize};

/// How a gateway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayHealth {
    /// Not heard of yet.
    Connecting,
    /// It answers.
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
    /// Those that people choose from.
    pub const CHOICES: [Self; 8] = [Self(0), Self(60), Self(180), Self(300), Self(600), Self(900), Self(1_800), Self(3_600)];

    /// `None` for less than nothing and for more than a day.
    #[must_use]
    pub fn new(seconds: i64) -> Option<Self> {
        u32::try_from(seconds).ok().filter(|&seconds| seconds <= 86_400).map(Self)
    }

    /// Seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

/// What an interval is set for; what has none is read as the level above says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// The site.
    Site,
    /// A gateway.
    Gateway(crate::model::ids::GatewayId),
    /// A meter.
    Meter(crate::model::ids::MeterId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_from_none_to_a_day() {
        assert_eq!(SweepInterval::new(0), Some(SweepInterval::CONTINUOUS));
        assert_eq!(SweepInterval::new(86_400).map(SweepInterval::seconds), Some(86_400));
        assert_eq!((SweepInterval::new(-1), SweepInterval::new(86_401)), (None, None));
    }
}
