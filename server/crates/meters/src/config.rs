//! Section `meters` of the configuration: how meters are read.

use std::time::Duration;

use model::gateway::{SweepInterval, Timing};
use serde::Deserialize;

use super::dial_in::DialInConfig;
use super::dlt645::Credentials;
use super::link::TlsSettings;

use super::link::Priority;

/// Reading and commanding meters. The defaults suit a site at 9600 baud.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Time between two readings of a meter, unless the site, its gateway or the meter has an interval of its own; 0 reads as
    /// fast as the bus allows.
    pub sweep_interval_ms: u64,
    /// Longest time between two readings of a meter while someone watches a meter wall; 0 reads as fast as the bus allows.
    pub watched_interval_ms: u64,
    /// The hoarding limit, fen; 0 for none. Set from `pay.limits.hoarding_fen`; it has no key of its own.
    #[serde(skip)]
    pub hoarding_fen: i64,
    /// How long a meter may take until its answer begins; the transmission time at `baud` is added.
    pub request_timeout_ms: u64,
    /// Baud rate of the slowest bus behind a gateway, 1200 to 115200; 0 ignores transmission time.
    pub baud: u32,
    /// How long connecting to a gateway may take.
    pub connect_timeout_ms: u64,
    /// Pause between two requests on a bus, for gateways that need it.
    pub gap_ms: u64,
    /// How long after its time-out an answer may still arrive. A bus behind a transparent gateway, where answers carry no number,
    /// is left silent this long after anything irregular.
    pub late_ms: u64,
    /// Longest pause between two attempts to connect to a lost gateway; at most five minutes.
    pub reconnect_cap_ms: u64,
    /// Longest pause between two attempts to read a lost meter; at most five minutes.
    pub probe_cap_ms: u64,
    /// Share of a busy bus that attempts on lost meters may take, percent.
    pub probe_share: u64,
    /// Longest pause between two attempts to deliver a command to a lost meter; retried at once when the meter answers again.
    pub command_cap_ms: u64,
    /// How often missing freezes and journals are looked up.
    pub archive_interval_ms: u64,
    /// Starts although the newest reading is more than a week in the future, and moves it to the present.
    pub accept_clock: bool,
    /// A directory of additional meter profiles (`*.toml`); one with the name of a built-in profile replaces it.
    pub profiles_dir: Option<String>,
    /// Gateways that speak Modbus over TLS.
    pub tls: TlsSettings,
    /// Meters that speak DL/T 645.
    pub dlt645: Credentials,
    /// Gateways that dial in.
    pub dial_in: DialInConfig,
}

const FIVE_MINUTES: u64 = 300_000;

impl Default for Config {
    fn default() -> Self {
        Self {
            sweep_interval_ms: 30 * 60_000,
            watched_interval_ms: 2 * 60_000,
            request_timeout_ms: 1_000,
            baud: 9_600,
            connect_timeout_ms: 3_000,
            gap_ms: 0,
            late_ms: 1_000,
            reconnect_cap_ms: 60_000,
            probe_cap_ms: 45_000,
            probe_share: 45,
            hoarding_fen: 0,
            command_cap_ms: FIVE_MINUTES,
            archive_interval_ms: 30_000,
            accept_clock: false,
            profiles_dir: None,
            tls: TlsSettings::default(),
            dlt645: Credentials::default(),
            dial_in: DialInConfig::default(),
        }
    }
}

impl Config {
    /// The interval of readings where nothing else has one, in whole seconds.
    #[must_use]
    pub fn usual_interval(&self) -> SweepInterval {
        let seconds = i64::try_from(self.sweep_interval_ms.div_ceil(1_000)).unwrap_or(i64::MAX);
        SweepInterval::new(seconds).unwrap_or(SweepInterval::MOST)
    }

    /// Checks all values; reports the first invalid key.
    ///
    /// # Errors
    /// A message with the key, its value and its range.
    pub fn check(&self) -> Result<(), String> {
        let between = |key: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(format!("meters.{key} = {value}: must be {low} to {high}")) }
        };
        between("request_timeout_ms", self.request_timeout_ms, 20, 60_000)?;
        between("connect_timeout_ms", self.connect_timeout_ms, 20, 60_000)?;
        between("gap_ms", self.gap_ms, 0, 5_000)?;
        between("late_ms", self.late_ms, 20, 60_000)?;
        between("reconnect_cap_ms", self.reconnect_cap_ms, 100, FIVE_MINUTES)?;
        between("probe_cap_ms", self.probe_cap_ms, 100, FIVE_MINUTES)?;
        between("command_cap_ms", self.command_cap_ms, 100, FIVE_MINUTES)?;
        between("archive_interval_ms", self.archive_interval_ms, 100, 3_600_000)?;
        between("probe_share", self.probe_share, 1, 90)?;
        if self.baud != 0 {
            between("baud", self.baud.into(), 1_200, 115_200)?;
        }
        self.dial_in.check()?;
        self.dlt645.check()
    }

    /// The same with what one gateway has of its own.
    #[must_use]
    pub fn with(&self, own: Timing) -> Self {
        let mut config = self.clone();
        config.baud = own.baud.unwrap_or(self.baud);
        config.request_timeout_ms = own.request_timeout_ms.map_or(self.request_timeout_ms, u64::from);
        config.connect_timeout_ms = own.connect_timeout_ms.map_or(self.connect_timeout_ms, u64::from);
        config.gap_ms = own.gap_ms.map_or(self.gap_ms, u64::from);
        config
    }

    /// Time limit of a request that moves this many registers. A lost meter gets half the response time, because the meters that
    /// answer wait meanwhile.
    #[must_use]
    pub fn timeout(&self, registers: usize, priority: Priority) -> Duration {
        // Request and answer are 8 + 5 bytes plus two per register, 11 bits each.
        let bits = (13 + 2 * registers as u64) * 11;
        let wire = (bits * 1_000).div_ceil(u64::from(self.baud.max(1)));
        let think = if priority >= Priority::Probe { self.request_timeout_ms / 2 } else { self.request_timeout_ms };
        Duration::from_millis(think + if self.baud == 0 { 0 } else { wire })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_invalid_keys_are_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let bad = Config { reconnect_cap_ms: 300_001, ..Config::default() };
        assert_eq!(bad.check(), Err("meters.reconnect_cap_ms = 300001: must be 100 to 300000".into()));
        assert!(Config { baud: 300, ..Config::default() }.check().is_err());
    }

    #[test]
    fn a_gateway_has_time_limits_of_its_own() {
        let own = Timing { baud: Some(2_400), gap_ms: Some(0), connect_timeout_ms: Some(9_000), ..Timing::default() };
        let config = Config { gap_ms: 50, ..Config::default() }.with(own);
        assert_eq!((config.baud, config.gap_ms, config.connect_timeout_ms), (2_400, 0, 9_000));
        assert_eq!(config.request_timeout_ms, Config::default().request_timeout_ms);
    }

    #[test]
    fn timeouts_grow_on_slow_buses() {
        let at = |baud| Config { baud, ..Config::default() }.timeout(38, Priority::Sweep);
        assert_eq!(at(0), Duration::from_millis(1_000));
        assert_eq!(at(9_600), Duration::from_millis(1_102));
        assert_eq!(at(1_200), Duration::from_millis(1_816));
        assert_eq!(Config::default().timeout(38, Priority::Probe), Duration::from_millis(602));
    }
}
