//! View types of "what does a kWh cost now and why" and "why did this day cost this".

use super::{DayCharge, RoomName};
use crate::defaults::DefaultsOf;
use crate::energy::Energy;
use crate::ids::{MeterId, Uuid};
use crate::meter::Wallet;
use crate::money::{Fen, Money};
use crate::parameters::{PlanEntry, TierPeriod};
use crate::tariff::RateSpan;
use crate::time::{Date, Timestamp};

/// The steps from prices to what a kWh costs at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceSteps {
    /// The season in force; `None` without seasons.
    pub season: Option<PlanEntry>,
    /// The hours of the day.
    pub spans: Vec<RateSpan>,
    /// 1 spike, 2 peak, 3 flat, 4 valley.
    pub rate: u8,
    /// Of that rate, 0.0001 yuan/kWh.
    pub base: u32,
    /// When another rate begins, within two days.
    pub until: Option<Timestamp>,
    /// `None` without tiers.
    pub tier: Option<TierStep>,
    /// Base and surcharge, 0.0001 yuan/kWh.
    pub price: Money,
}

/// Where a room stands in its tier period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierStep {
    pub period: TierPeriod,
    /// Since the period began.
    pub used: Energy,
    /// 1-3.
    pub tier: u8,
    /// 0.0001 yuan/kWh.
    pub surcharge: u32,
    /// Where the next tier begins; `None` in the last.
    pub next: Option<Energy>,
}

/// The version of a plan that applies, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanInForce {
    pub plan: Uuid,
    pub name: String,
    pub number: i64,
    pub since: Timestamp,
    /// What the plan was given to, and its name, which is empty for a place that the operator may not see.
    pub given_to: (DefaultsOf, String),
    /// The groups whose plan does not apply because of that, nearest first.
    pub yielding: Vec<String>,
    /// The next version, and from when it applies.
    pub next: Option<(i64, Timestamp)>,
}

/// Why a kWh costs what it costs now.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceNow {
    pub meter: MeterId,
    pub room: RoomName,
    pub wallet: Wallet,
    pub at: Timestamp,
    /// By the plan, or by what the meter keeps itself; `None` where neither is known.
    pub steps: Option<PriceSteps>,
    /// The plan that applies at the room; `None` without one.
    pub plan: Option<PlanInForce>,
    /// Of a meter wallet: what the meter itself keeps.
    pub own: Option<OwnPrices>,
    /// Of a server wallet: the newest charge.
    pub last: Option<LastCharge>,
}

/// The energy that was charged last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCharge {
    /// The reading in the meter, as the charge used it.
    pub at: Timestamp,
    /// 1 spike, 2 peak, 3 flat, 4 valley: by the meter's registers, where it has them.
    pub rate: u8,
    /// 1-3.
    pub tier: u8,
    /// With the surcharge of the tier, 0.0001 yuan/kWh.
    pub price: Money,
}

/// What a meter that holds its own credit goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPrices {
    /// When its parameters were read.
    pub read_at: Timestamp,
    /// The rate that it showed last, and when.
    pub shown: Option<(u8, Timestamp)>,
    /// Standby prices that take over, and when.
    pub standby: Option<([u32; 4], Timestamp)>,
    /// What of it differs from the plan; empty where nothing does, or without a plan.
    pub differs: Vec<super::PriceChange>,
}

/// The charges of an hour of a server wallet that have energy of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargePart {
    /// The reading before the first of them.
    pub from: Timestamp,
    /// The last reading.
    pub at: Timestamp,
    pub readings: usize,
    /// Energy and cost (1e-7 yuan) of them that fall into the day.
    pub energy: Energy,
    pub cost_e7: i64,
    /// Posted to the ledger for the whole charges.
    pub posted: Money,
    /// They take other charges back.
    pub is_reversal: bool,
}

/// From the cost of a day to what the ledger took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSteps {
    pub charges: Vec<ChargePart>,
    /// Of these charges, cost of other days, 1e-7 yuan.
    pub other_days_e7: i64,
    /// Carried from the charges before, 1e-7 yuan.
    pub carried_in_e7: i64,
    /// Carried to the charges after, 1e-7 yuan.
    pub carried_out_e7: i64,
    /// What the charges say.
    pub posted: Money,
    /// The same as the ledger has it.
    pub ledger: Money,
}

/// What a meter itself took on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterTook {
    /// The readings that bound it.
    pub from: Timestamp,
    pub at: Timestamp,
    pub before: Fen,
    pub after: Fen,
    /// Credited less debited between them.
    pub credited: Fen,
    /// Energy between them.
    pub energy: Energy,
}

impl MeterTook {
    /// What the meter deducted for energy between the two readings.
    #[must_use]
    pub fn taken(&self) -> Fen {
        self.before + self.credited - self.after
    }
}

/// What a meter used up between two trusted readings, as posted to the ledger once a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedUse {
    /// `None` for the first of an account.
    pub from: Option<Timestamp>,
    pub at: Timestamp,
    pub amount: Fen,
}

/// Why a day cost what it did.
#[derive(Clone, Debug, PartialEq)]
pub struct DayCost {
    pub meter: MeterId,
    pub room: RoomName,
    pub wallet: Wallet,
    pub day: Date,
    pub today: Date,
    /// Consumption by the readings.
    pub energy: Option<Energy>,
    /// Energy by price; of a meter wallet by the parameters that it keeps now.
    pub lines: Vec<DayCharge>,
    /// Sum of the lines, 1e-7 yuan.
    pub cost_e7: i64,
    /// The tier period with what was used in it before the day; `None` without tiers.
    pub tier: Option<(TierPeriod, Energy)>,
    /// Of a server wallet; `None` for a day without charges, or with too many to show.
    pub ledger: Option<LedgerSteps>,
    /// Of a meter wallet: what the meter took; `None` without readings around the day.
    pub took: Option<MeterTook>,
    /// Of a meter wallet: what was posted to the ledger for times that touch the day.
    pub posted: Vec<PostedUse>,
    /// Of a meter wallet: when the parameters were read.
    pub read_at: Option<Timestamp>,
}
