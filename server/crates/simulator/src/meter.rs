//! One meter: a state machine that advances only when it is accessed. [`Meter::run`] catches up with the time that has passed, so
//! a hundred thousand idle meters cost nothing.

use model::meter::ControlMode;
use model::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};

use super::energy::Energy;
use super::estate::MeterPlan;
use super::freeze::{Freezes, Frozen};
use super::journal::{BY_COMMAND, Journal, Record, RecordKind};
use super::load::{Flow, Load, Shape};
use super::relay::{OpenReason, Relay, RelayInputs, open_reason};
use super::secured::Mailbox;
use super::status;
use super::tariff::Tariff;
use super::wallet::Wallet;
use domain::bcd::BcdTime;
use domain::operation::Limits;
use domain::serial::Serial;

/// The meter's own clock relative to site time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalClock {
    /// Ahead of site time by this many ms.
    pub offset: i64,
    /// The clock was lost and not set since.
    pub lost: bool,
    /// The last day whose midnight was processed.
    pub day: Date,
    /// The last day on which a broadcast set it.
    #[serde(default)]
    pub set_on: Option<Date>,
}

/// State of tamper detection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tamper {
    pub cover_open: bool,
    /// Wired in reverse.
    pub reversed: bool,
    /// Number of cover-open and bypass events since manufacture.
    pub events: u16,
    /// When energy last flowed in reverse.
    pub reverse_seen: Option<Timestamp>,
}

/// Load behind the meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub shape: Shape,
    /// Fixed load that replaces the planned one, W.
    pub watts: Option<u32>,
}

/// All state that a meter keeps through a power cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    pub serial: Serial,
    /// It has no wallet: only control mode and switch determine its relay.
    #[serde(default)]
    pub plain: bool,
    /// Bit mask of the frame versions that it announces.
    pub versions: u16,
    /// Time to which the simulation has advanced.
    pub until: Timestamp,
    pub energy: Energy,
    pub wallet: Wallet,
    pub tariff: Tariff,
    pub limits: Limits,
    pub mode: ControlMode,
    /// The resident's switch is off.
    pub switched_off: bool,
    pub overload: bool,
    pub malignant: bool,
    pub relay: Relay,
    pub clock: LocalClock,
    pub journal: Journal,
    pub freezes: Freezes,
    pub mailbox: Mailbox,
    /// Increases with each accepted parameter command.
    pub parameter_version: u16,
    pub tamper: Tamper,
    /// Some of its DL/T 645 items are not as the standard has them.
    #[serde(default)]
    pub odd_items: bool,
    /// Secured frames from now on that a power cut takes from its memory after the answer.
    #[serde(default)]
    pub lost_writes: u8,
    pub room: Room,
}

impl Meter {
    /// Creates a meter from its plan, in service since `now`.
    #[must_use]
    pub fn new(plan: &MeterPlan, now: Timestamp) -> Self {
        let wallet = plan.account.map_or_else(Wallet::default, |open| Wallet {
            account: Some(open.number),
            epoch: open.epoch,
            remaining: open.remaining,
            cumulative: open.cumulative,
            count: open.count,
            order: open.order,
            ..Wallet::default()
        });
        let tariff = Tariff {
            prices: plan.prices,
            tiers: plan.tiers,
            day_tables: plan.day_tables.clone(),
            date_plan: plan.date_plan.clone(),
            ..Tariff::default()
        };
        let mut meter = Self {
            serial: plan.serial,
            plain: plan.plain,
            versions: plan.versions,
            until: now,
            energy: Energy::starting_at(plan.energy),
            wallet,
            tariff,
            limits: plan.limits,
            mode: plan.mode,
            switched_off: false,
            overload: false,
            malignant: false,
            relay: Relay::default(),
            clock: LocalClock { day: now.date(), ..LocalClock::default() },
            journal: Journal::default(),
            freezes: Freezes::default(),
            mailbox: Mailbox::new(plan.shape.seed),
            parameter_version: 0,
            tamper: Tamper::default(),
            lost_writes: 0,
            odd_items: false,
            room: Room { shape: plan.shape, watts: None },
        };
        meter.relay.commanded = open_reason(&meter.inputs()).is_none();
        meter
    }

    /// The time that its clock shows.
    #[must_use]
    pub const fn local(&self) -> Timestamp {
        self.until.plus(self.clock.offset)
    }

    /// Its clock as in the registers; zeros outside the years 2000-2099.
    #[must_use]
    pub fn bcd_clock(&self) -> [u8; 6] {
        BcdTime::from_timestamp(self.local()).map_or([0; 6], BcdTime::bytes)
    }

    /// Inputs of the relay rule.
    #[must_use]
    pub fn inputs(&self) -> RelayInputs {
        let floor = -i64::from(self.limits.overdraft);
        RelayInputs {
            mode: self.mode,
            account_open: self.plain || self.wallet.account.is_some(),
            overload: self.overload,
            malignant: self.malignant,
            used_up: !self.plain && i64::from(self.wallet.remaining) <= floor,
            switched_off: self.switched_off,
        }
    }

    /// The current flow.
    #[must_use]
    pub fn flow(&self, load: &Load) -> Flow {
        let mut flow = load.at(&self.room.shape, self.until);
        if let Some(watts) = self.room.watts {
            flow = Flow { watts, vars: 0, ..flow };
        }
        if self.relay.closed() { flow } else { Flow { watts: 0, vars: 0, ..flow } }
    }

    /// Advances to `now`: energy, charges, trips, midnights and price switches, each at its time.
    pub fn run(&mut self, load: &Load, now: Timestamp) {
        while self.until < now {
            self.process_clock_events();
            let change = self.tariff.next_change(self.local()).plus(-self.clock.offset);
            let end = now.min(Load::next_change(self.until)).min(change);
            self.advance_to(load, end);
        }
        self.process_clock_events();
    }

    /// Advances to `end`, over which load, rate and prices are constant.
    fn advance_to(&mut self, load: &Load, end: Timestamp) {
        let rate = self.tariff.rate(self.local());
        while self.until < end {
            let mut watts = self.flow(load).watts;
            let limit = u32::from(self.limits.overload_w);
            // A guaranteed supply never trips, so nothing is latched.
            if limit > 0 && watts > limit && !self.overload && self.mode == ControlMode::Prepaid {
                self.overload = true;
                self.apply_relay_rule(None);
                watts = self.flow(load).watts;
            }
            let (flowed, whole) = self.energy.flow(watts, end.since(self.until));
            self.until = self.until.plus(flowed);
            if whole {
                self.step(rate);
            }
        }
    }

    fn step(&mut self, rate: u8) {
        self.energy.step(rate, self.tamper.reversed);
        if self.tamper.reversed {
            self.tamper.reverse_seen = Some(self.until);
        }
        if self.wallet.account.is_some() {
            self.wallet.charge(self.tariff.price(rate, self.wallet.tier_use));
            self.apply_relay_rule(None);
        }
    }

    /// Processes clock events: freezes, new tier periods, standby prices.
    fn process_clock_events(&mut self) {
        let local = self.local();
        let today = local.date();
        if today > self.clock.day {
            self.clock.day = today;
            let Energy { total, rates, reverse, .. } = self.energy;
            self.freezes.push(Frozen { day: today, total, remaining: self.wallet.remaining, reverse, rates });
            if self.tariff.tier_period_begins(today.start()) {
                self.wallet.tier_use = 0;
            }
        }
        self.tariff.switch_over_at(local);
    }

    /// Sets its clock; the next freeze is taken at the next midnight of the new time.
    pub fn set_clock(&mut self, local: Timestamp) {
        self.clock = LocalClock { offset: local.since(self.until), lost: false, day: local.date(), ..self.clock };
    }

    /// What opening and closing an account do besides the wallet: mode prepaid, switch on, no trip.
    pub const fn release_control(&mut self) {
        self.mode = ControlMode::Prepaid;
        self.switched_off = false;
        self.overload = false;
        self.malignant = false;
    }

    /// Loses power and starts again: its memory survives, the mailbox begins anew.
    pub fn restart(&mut self) {
        self.mailbox.restart();
    }

    /// Applies the relay rule; records a change with `cause`, or with the status bit behind it.
    pub fn apply_relay_rule(&mut self, cause: Option<u8>) {
        let before = self.relay.closed();
        let reason = open_reason(&self.inputs());
        self.relay.commanded = reason.is_none();
        self.record_relay_change(
            before,
            cause.unwrap_or(match reason {
                // Only arrears end without a command, so a relay that closes by itself was open for arrears.
                None | Some(OpenReason::Arrears) => status::ARREARS,
                Some(OpenReason::Overload) => status::OVERLOAD,
                Some(OpenReason::Malignant) => status::MALIGNANT,
                Some(OpenReason::ForcedOff | OpenReason::NoAccount | OpenReason::UserSwitch) => BY_COMMAND,
            }),
        );
    }

    /// Records a change of the relay since `before`.
    pub fn record_relay_change(&mut self, before: bool, cause: u8) {
        match (before, self.relay.closed()) {
            (true, false) => self.record(RecordKind::RelayOpened, cause, 0),
            (false, true) => self.record(RecordKind::RelayClosed, cause, 0),
            _ => {}
        }
    }

    /// Adds a journal record.
    pub fn record(&mut self, kind: RecordKind, cause: u8, amount: i32) {
        let when = self.bcd_clock();
        let (count, remaining) = (self.wallet.count, self.wallet.remaining);
        self.journal.push(Record { sequence: 0, kind, cause, when, amount, count, remaining });
    }
}

#[cfg(test)]
mod tests;
