//! The true state of a meter, for tests and the control interface, to compare with what a server shows.

use model::meter::ControlMode;
use model::time::Timestamp;
use serde::Serialize;

use super::faults::LineFault;
use super::gateway::MeterSlot;
use super::journal::Record;
use super::load::Load;
use super::status;
use domain::serial::{AccountNumber, Serial};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeterView {
    /// Gateway index, from 0.
    pub gateway: usize,
    /// Modbus unit id.
    pub unit: u8,
    pub serial: Serial,
    /// The open account.
    pub account: Option<AccountNumber>,
    pub epoch: u16,
    /// Money commands applied in this epoch.
    pub count: u16,
    /// Order number of the last money command.
    pub order: u64,
    /// Remaining amount, 0.01 yuan.
    pub remaining: i32,
    /// Consumed but not yet charged, 0.000001 yuan.
    pub remainder_micro: u32,
    /// Credits minus debits in this epoch, 0.01 yuan.
    pub cumulative: i32,
    pub status: u16,
    pub mode: ControlMode,
    /// Whether current can flow.
    pub relay_closed: bool,
    /// Total energy, 0.01 kWh.
    pub total: u32,
    /// Reverse energy, 0.01 kWh.
    pub reverse: u32,
    /// Energy used in the tier period, 0.01 kWh.
    pub tier_use: u32,
    /// Current power, W.
    pub watts: u32,
    /// The time that its clock shows.
    pub clock: Timestamp,
    /// Number of accepted parameter commands.
    pub parameter_version: u16,
    /// Bit mask of the frame versions that it announces.
    pub versions: u16,
    pub journal: Vec<Record>,
    /// Line faults with their probabilities.
    pub faults: Vec<(LineFault, f64)>,
}

impl MeterView {
    pub(super) fn new(gateway: usize, slot: &MeterSlot, load: &Load) -> Self {
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
