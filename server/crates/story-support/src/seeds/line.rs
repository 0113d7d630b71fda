//! The line to the one meter: registers are read, and frames are written, lost, or delivered again later.

use std::sync::LazyLock;

use domain::meter_state::StateBlock;
use domain::operation::{Limits, Operation};
use domain::rng::Rng;
use domain::serial::Serial;
use meters::codec::DecodedValues;
use meters::command_args::words;
use meters::frame::{FrameVersion, Header, seal};
use meters::keys::MasterKeys;
use meters::profile::{Profile, Profiles};
use simulator::{DetachedMeter, MeterPlan, OpenAccount};

use super::{LIMIT, START, Violation};

/// The shipped profile of a meter with a wallet.
static PROFILE: LazyLock<std::sync::Arc<Profile>> = LazyLock::new(|| Profiles::load(None).unwrap().get("rpp").unwrap());
/// The keys of the site; each meter's are derived from them.
static KEYS: LazyLock<MasterKeys> = LazyLock::new(|| MasterKeys::generate(&Rng::from_seed([9; 32])));

pub struct Line {
    pub meter: DetachedMeter,
    serial: Serial,
    version: FrameVersion,
    /// Frames sent before, which the line may deliver again.
    sent: Vec<Vec<u16>>,
}

impl Line {
    /// A meter with an open, empty account, of either frame version.
    pub fn new(rng: &Rng) -> Self {
        let aes = rng.below(2) == 0;
        let plan = MeterPlan::new(rng.next_u64(), 0, if aes { 2 } else { 1 });
        let number = "2611230000000001".parse().unwrap();
        let account = Some(OpenAccount { number, epoch: 1, count: 0, order: 0, cumulative: 0, remaining: 0 });
        // Sometimes the meter's own limit is the lower one.
        let hoarding = if rng.below(2) == 0 { LIMIT.0 as u32 } else { 20_000 };
        let limits = Limits { hoarding, ..plan.limits };
        let serial = plan.serial;
        let meter = DetachedMeter::new(&MeterPlan { account, limits, ..plan }, KEYS.clone(), START);
        let version = if aes { FrameVersion::Aes } else { FrameVersion::Tdes };
        Self { meter, serial, version, sent: Vec::new() }
    }

    /// The meter's state, read by the profile and decoded by the product.
    pub fn look(&self) -> Result<StateBlock, Violation> {
        let mut values = DecodedValues::default();
        for read in &PROFILE.plan.meter_status {
            let registers = self.meter.read(read.address, read.count).map_err(|code| Violation(format!("exception {code}")))?;
            values.decode_block(&PROFILE, read, &registers).map_err(|error| Violation(error.to_string()))?;
        }
        let meter_status = values.meter_status(PROFILE.abilities.wallet).map_err(|error| Violation(error.to_string()))?;
        meter_status.wallet().copied().ok_or_else(|| Violation::new("a meter without a wallet"))
    }

    /// Seals a frame for the state that was read, and sends it; it may be lost.
    pub fn send(&mut self, operation: &Operation, seen: &StateBlock, frame_number: u32, arrives: bool) -> Result<(), Violation> {
        let header = Header { epoch: seen.epoch, challenge: seen.challenge, frame_number };
        let frame = seal(&KEYS, self.version, &header, self.serial, operation).map_err(|error| Violation(error.to_string()))?;
        let frame = words(&frame);
        let address = PROFILE.secured.as_ref().map_or(0, |secured| secured.address);
        if arrives {
            self.meter.write(address, &frame).map_err(|code| Violation(format!("exception {code}")))?;
        }
        self.sent.push(frame);
        Ok(())
    }

    /// An earlier frame arrives again from a gateway's buffer.
    pub fn old_frame(&mut self, rng: &Rng) {
        let address = PROFILE.secured.as_ref().map_or(0, |secured| secured.address);
        if let Some(frame) = self.sent.get(rng.below(self.sent.len().max(1) as u64) as usize) {
            // Its answer is ignored.
            let _ = self.meter.write(address, frame);
        }
    }
}
