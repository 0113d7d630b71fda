//! What a meter truly holds, for tests and for the control interface: the truth that a server's picture is compared with.

use model::meter::ControlMode;
use model::time::Timestamp;
use serde::Serialize;

use super::faults::LineFault;
use super::gateway::Slot;
use super::journal::Record;
use super::load::Load;
use super::status;
use domain::serial::{AccountNumber, Serial};

/// A meter, looked into.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeterView {
    /// Its gateway's place in the estate, from 0.
    pub gateway: usize,
    /// Modbus unit id.
    pub unit: u8,
    pub serial: Serial,
    /// The account that is open.
    pub account: Option<AccountNumber>,
    pub epoch: u16,
    /// Money commands applied in this epoch.
    pub count: u16,
    /// Order number of the last of them.
    pub order: u64,
    /// What remains, 0.01 yuan.
    pub remaining: i32,
    /// Used but not yet charged, 0.000001 yuan.
    pub remainder_micro: u32,
    /// Credited minus debited in this epoch, 0.01 yuan.
    pub cumulative: i32,
    pub status: u16,
    /// How the relay is governed.
    pub mode: ControlMode,
    /// Whether current can flow.
    pub relay_closed: bool,
    /// Total energy, 0.01 kWh.
    pub total: u32,
    /// Reverse energy, 0.01 kWh.
    pub reverse: u32,
    /// 0.01 kWh used in the tier period.
    pub tier_use: u32,
    /// Power that flows now, W.
    pub watts: u32,
    /// What its clock shows.
    pub clock: Timestamp,
    /// Parameter commands accepted.
    pub parameter_version: u16,
    /// Secured-frame versions that it announces.
    pub versions: u16,
    pub journal: Vec<Record>,
    /// Faults of its line, with how often they strike.
    pub faults: Vec<(LineFault, f64)>,
}

impl MeterView {
    pub(super) fn new(gateway: usize, slot: &Slot, load: &Load) -> Self {
        let meter = &slot.meter;
        Self {
            gateway,
            unit: slot.unit,
            serial: meter.serial,
            account: meter.wallet.account,
            epoch: meter.wallet.epoch,
            count: meter.wallet.count,
            order: meter.wallet.order,
            remaining: meter.wallet.remaining,
            remainder_micro: meter.wallet.remainder,
            cumulative: meter.wallet.cumulative,
            status: status::word(meter),
            mode: meter.mode,
            relay_closed: meter.relay.closed(),
            total: meter.energy.total,
            reverse: meter.energy.reverse,
            tier_use: meter.wallet.tier_use,
            watts: meter.flow(load).watts,
            clock: meter.local(),
            parameter_version: meter.parameter_version,
            versions: meter.versions,
            journal: meter.journal.records().copied().collect(),
            faults: slot.faults.all().to_vec(),
        }
    }
}
