//! What is reported to the recorder.

use domain::ledger_position::LedgerPosition;
use domain::meter_state::{Measurement, MeterStatus};
use domain::serial::Serial;
use model::ids::{GatewayId, MeterId};
use model::reading::ReadingSource;
use model::time::Timestamp;

/// Reports of pollers and deliveries.
#[derive(Clone, Debug)]
pub enum MeterEvent {
    /// A full reading.
    Read {
        meter: MeterId,
        /// When reading began; commands settled later are not reflected.
        from: Timestamp,
        /// When the status was read; the counters follow immediately.
        at: Timestamp,
        source: ReadingSource,
        measurement: Measurement,
        meter_status: MeterStatus,
    },
    /// Wallet and relay alone, read during a delivery.
    MeterStatus { meter: MeterId, at: Timestamp, meter_status: MeterStatus },
    /// The meter does not answer.
    MeterLost {
        meter: MeterId,
        since: Timestamp,
        /// Other meters of its gateway answer.
        alone: bool,
    },
    /// The meter answers, and nothing of it can be read.
    MeterUnreadable {
        meter: MeterId,
        since: Timestamp,
        /// What cannot be read, where that is known.
        items: Vec<String>,
    },
    /// What of a meter cannot be read while the rest can; nothing any more if empty.
    OddItems { meter: MeterId, at: Timestamp, items: Vec<String> },
    /// No meter of a gateway answers, or it accepts no connection. Ends with the next reading of any of them.
    GatewayLost { gateway: GatewayId, since: Timestamp },
    /// A gateway without meters accepted a connection, which ends its loss.
    GatewayConnected { gateway: GatewayId, at: Timestamp },
    /// Another serial number answers at the meter's address; the values read are discarded.
    SerialMismatch { meter: MeterId, serial: Serial },
    /// The ledger position of a meter has changed.
    LedgerPosition {
        meter: MeterId,
        /// `None` if no account is open any more.
        expected: Option<LedgerPosition>,
    },
    /// Server wallets may have changed: a purchase, a mode, a switch.
    ServerWallets,
    /// Somebody who stores readings without the recorder noticed that the clock was set.
    ClockSet,
}
