//! How meters are read: section `meters` of the configuration.

use std::time::Duration;

use serde::Deserialize;

use super::dlt645::Access;
use super::link::TlsSettings;

use super::link::Priority;

/// Reading and commanding meters. Every key has a default that suits a site on 9600 baud.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Every meter is read once in this time, where the site, its gateway or the meter has no interval of its own; 0 reads as fast
    /// as the bus allows.
    pub sweep_interval_ms: u64,
    /// While somebody watches a wall, every meter is read once in this time, where its own interval is longer; 0 reads as fast as
    /// the bus allows.
    pub watched_interval_ms: u64,
    /// The most that a meter may hold, fen; 0 for no limit. It is `pay.limits.hoarding_fen`, and has no key of its own.
    #[serde(skip)]
    pub hoarding_fen: i64,
    /// How long a meter may think before its answer begins; the time on the wire is added by `baud`.
    pub request_timeout_ms: u64,
    /// The slowest bus behind a gateway: 1200 to 115200; 0 where the wire takes no time.
    pub baud: u32,
    /// How long a gateway may take to accept a connection.
    pub connect_timeout_ms: u64,
    /// Silence between two requests on a bus, for gateways that need it.
    pub gap_ms: u64,
    /// How long after its time-out an answer may still come; a bus behind a transparent gateway, where answers carry no number,
    /// is left in peace for so long after anything odd.
    pub late_ms: u64,
    /// The longest pause between two tries to connect to a lost gateway; at most five minutes.
    pub reconnect_cap_ms: u64,
    /// The longest pause between two tries to read a lost meter; at most five minutes.
    pub probe_cap_ms: u64,
    /// The share of a busy bus that tries on lost meters may take, in percent.
    pub probe_share: u64,
    /// The longest pause between two tries to deliver a command to a lost meter; it is tried at once when the meter is heard.
    pub command_cap_ms: u64,
    /// How often the meters' own midnights and journals are looked for where they are missing.
    pub archive_interval_ms: u64,
    /// A directory of further meter profiles (`*.toml`); one of the same name replaces the built-in one.
    pub profiles_dir: Option<String>,
    /// Gateways that speak Modbus inside TLS.
    pub tls: TlsSettings,
    /// Meters that speak DL/T 645.
    pub dlt645: Access,
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
            profiles_dir: None,
            tls: TlsSettings::default(),
            dlt645: Access::default(),
        }
    }
}

impl Config {
    /// Names the first key whose value cannot work.
    ///
    /// # Errors
    /// The key, its value and what it may be.
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
        self.dlt645.check()
    }

    /// How long to wait for the answer to a request that moves this many registers. A lost meter gets half the time to think:
    /// while it is waited for, the living wait.
    #[must_use]
    pub fn timeout(&self, registers: usize, priority: Priority) -> Duration {
        // Request and answer are 8 + 5 bytes and two a register, 11 bits each.
        let bits = (13 + 2 * registers as u64) * 11;
        let wire = (bits * 1_000).div_ceil(u64::from(self.baud.max(1)));
        let think = if priority == Priority::Probe { self.request_timeout_ms / 2 } else { self.request_timeout_ms };
        Duration::from_millis(think + if self.baud == 0 { 0 } else { wire })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_work_and_bad_values_are_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let bad = Config { reconnect_cap_ms: 300_001, ..Config::default() };
        assert_eq!(bad.check(), Err("meters.reconnect_cap_ms = 300001: must be 100 to 300000".into()));
        assert!(Config { baud: 300, ..Config::default() }.check().is_err());
    }

    #[test]
    fn slow_wires_are_waited_for() {
        let at = |baud| Config { baud, ..Config::default() }.timeout(38, Priority::Sweep);
        assert_eq!(at(0), Duration::from_millis(1_000));
        assert_eq!(at(9_600), Duration::from_millis(1_102));
        assert_eq!(at(1_200), Duration::from_millis(1_816));
        assert_eq!(Config::default().timeout(38, Priority::Probe), Duration::from_millis(602));
    }
}
