//! A meter without a gateway, for deterministic simulations of a hundred thousand runs in minutes.

use model::time::Timestamp;

use super::estate::MeterPlan;
use super::load::Load;
use super::meter::Meter;
use super::modbus::Exception;
use super::registers::{self, MAILBOX};
use super::secured;
use meters::keys::MasterKeys;

/// The same state machine as behind a simulated gateway.
pub struct DetachedMeter {
    meter: Meter,
    keys: MasterKeys,
    now: Timestamp,
}

impl DetachedMeter {
    /// Creates the planned meter with no load.
    #[must_use]
    pub fn new(plan: &MeterPlan, keys: MasterKeys, now: Timestamp) -> Self {
        Self { meter: Meter::new(plan, now), keys, now }
    }

    /// Reads `count` registers.
    ///
    /// # Errors
    /// The exception code.
    pub fn read(&self, address: u16, count: u16) -> Result<Vec<u16>, u8> {
        registers::read(&self.meter, &Load::Constant { watts: 0 }, address, count).map_err(|exception| exception as u8)
    }

    /// Writes a secured frame to the mailbox.
    ///
    /// # Errors
    /// The exception code.
    pub fn write(&mut self, address: u16, words: &[u16]) -> Result<(), u8> {
        if address != MAILBOX {
            return Err(Exception::IllegalAddress as u8);
        }
        let frame: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        secured::receive(&mut self.meter, &self.keys, &frame, self.now).map(drop).map_err(|exception| exception as u8)
    }

    /// Consumes energy worth `fen`.
    pub fn consume(&mut self, fen: u32) {
        self.meter.wallet.charge(u64::from(fen) * 10_000);
    }

    /// Purchase count, credits minus debits, and remaining amount.
    #[must_use]
    pub const fn totals(&self) -> (u16, i64, i64) {
        let wallet = &self.meter.wallet;
        (wallet.count, wallet.cumulative as i64, wallet.remaining as i64)
    }
}
