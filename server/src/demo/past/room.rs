//! What the meter of a room showed at an instant of the past.

use model::energy::Energy;
use model::ids::{AccountId, MeterId};
use model::meter::{ControlMode, StatusWord, Wallet};
use model::money::Fen;
use model::time::{DAY, HOUR, Timestamp};

use super::super::site::Room;
use super::Span;
use super::moves::{self, Habits, Move};
use super::server_wallets::Costs;
use super::usage::Usage;
use domain::meter_state::StateBlock;
use domain::serial::AccountNumber;
use simulator::{Load, OpenAccount};

/// A room and its past.
pub struct PastRoom<'a> {
    pub room: &'a Room,
    /// When its account was closed.
    pub ends: Option<Timestamp>,
    pub meter: MeterId,
    /// Once it is taken over.
    pub account: Option<AccountId>,
    /// Money that moved, oldest first.
    pub moves: Vec<Move>,
    /// Since when its relay is open.
    off: Option<Timestamp>,
    usage: Usage,
    /// What a server wallet was charged.
    costs: Option<Costs>,
    /// What a wallet holds now, fen.
    holds: i64,
}

impl<'a> PastRoom<'a> {
    /// Works the past of a room back from now.
    pub fn new(span: &Span, load: &Load, room: &'a Room, meter: MeterId) -> Self {
        let ends = room.vacated_days_ago.map(|days| ends_at(span, days));
        let off = ends.or_else(|| off_since(span, room));
        let usage = Usage::of(load, &room.plan.shape, (span.from, span.until), off);
        let holds = room.account().map_or(0, |account| i64::from(account.remaining));
        let mut past = Self { room, ends, meter, account: None, moves: Vec::new(), off, usage, costs: None, holds };
        if let Some(account) = room.account() {
            let most = (usize::from(account.count), i64::from(account.cumulative));
            // Nothing is sold to a room that is about to move out.
            let span = Span { until: ends.map_or(span.until, |at| at.plus(-DAY)), ..*span };
            past.moves = moves::plan(&span, &past.habits(most), |at| past.used(at));
        }
        past
    }

    /// Plans the purchases of a server wallet that ends with this balance.
    pub fn with_costs(&mut self, span: &Span, costs: Costs, holds: i64) {
        (self.costs, self.holds) = (Some(costs), holds);
        self.moves = moves::plan(span, &self.habits((usize::MAX, i64::MAX)), |at| self.used(at));
    }

    fn habits(&self, most: (usize, i64)) -> Habits {
        let (seed, is_subsidised) = (self.room.plan.shape.seed, self.room.is_subsidised());
        // What never came in as cash leaves as cash only with a second person, as the browser tests see at 5-105.
        let pays_cash = !self.room.plan.unit.is_multiple_of(5);
        Habits { seed, holds: self.holds, pays_cash, is_subsidised, most }
    }

    /// The account of a wallet in its meter, which it has or had.
    pub fn open(&self) -> Option<&OpenAccount> {
        self.room.account().filter(|_| self.room.wallet == Wallet::Meter)
    }

    /// Whether its account was closed.
    fn has_ended(&self, at: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= at)
    }

    /// The total counter: steps of 10 Wh, and now exactly what the meter shows.
    pub fn total(&self, at: Timestamp) -> Energy {
        let steps = if self.flows() { (self.usage.after(at) + 9) / 10 } else { 0 };
        Energy((i64::from(self.room.plan.energy) - steps).max(0) * 10)
    }

    /// Energy flows through a meter with an account and through one that only measures.
    fn flows(&self) -> bool {
        self.room.account().is_some() || self.room.wallet != Wallet::Meter
    }

    /// What was used from an instant on, fen.
    fn used(&self, at: Timestamp) -> i64 {
        match &self.costs {
            Some(costs) => costs.after(at),
            None => self.usage.after(at) * i64::from(self.room.plan.prices[2]) / 100_000,
        }
    }

    /// How many moves came after an instant, and what they come to.
    fn later(&self, at: Timestamp) -> (usize, i64) {
        let moves = self.moves.iter().rev().take_while(|step| step.at > at);
        moves.fold((0, 0), |(count, fen), step| (count + 1, fen + step.fen))
    }

    /// What the wallet held.
    pub fn remaining(&self, at: Timestamp) -> Fen {
        if self.has_ended(at) {
            return Fen::ZERO;
        }
        Fen(self.holds + self.used(at) - self.later(at).1)
    }

    /// Purchase count and cumulative amount.
    pub fn bought(&self, at: Timestamp) -> (u16, Fen) {
        let Some(account) = self.room.account() else { return (0, Fen::ZERO) };
        let (count, fen) = self.later(at);
        let count = account.count.saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
        (count, Fen(i64::from(account.cumulative) - fen))
    }

    /// Whether the relay was open.
    pub fn is_off(&self, at: Timestamp) -> bool {
        self.off.is_some_and(|off| off <= at)
    }

    /// The status word, as the meter gives it.
    pub fn status(&self, at: Timestamp) -> StatusWord {
        if self.room.wallet != Wallet::Meter {
            // Whether an instrument has a relay is not known.
            return StatusWord(if self.room.wallet == Wallet::Server { 1 } else { 1 << 15 });
        }
        if self.open().is_none() || self.has_ended(at) {
            return StatusWord(0);
        }
        let (remaining, limits) = (self.remaining(at).0, &self.room.plan.limits);
        let below = |alarm: u32| remaining < i64::from(alarm);
        let mode = self.room.plan.mode;
        let bits = [
            (0, !self.is_off(at)),
            (1, true),
            (2, below(limits.alarm1)),
            (3, below(limits.alarm2)),
            (4, remaining <= 0 && mode == ControlMode::Prepaid),
            (6, mode == ControlMode::Guaranteed),
            (7, mode == ControlMode::ForcedOff && self.is_off(at)),
        ];
        StatusWord(bits.iter().fold(0, |word, &(bit, is_set)| word | u16::from(is_set) << bit))
    }

    /// The state block, as it is read back after a move.
    pub fn state(&self, at: Timestamp, last_order: u64) -> StateBlock {
        let (count, cumulative) = self.bought(at);
        StateBlock {
            serial: self.room.plan.serial,
            status: self.status(at),
            remaining: self.remaining(at),
            cumulative,
            count,
            epoch: self.open().map_or(0, |account| account.epoch),
            reverse: Energy::ZERO,
            rate: 3,
            clock: Some(at),
            challenge: [0; 4],
            last_operation: 0,
            last_result: 0,
            last_order,
            journal: 0,
            parameters: 0,
            tier_energy: Energy::ZERO,
            account: self.open().filter(|_| !self.has_ended(at)).map_or(AccountNumber::NONE, |account| account.number),
            tamper: 0,
            accepts: self.room.plan.versions,
        }
    }
}

/// When an account ended: in the morning of a workday, so many days ago or a little longer.
fn ends_at(span: &Span, days: i64) -> Timestamp {
    let day = span.until.date().plus(-days);
    day.plus(-i64::from(day.weekday().saturating_sub(4))).start().plus(10 * HOUR)
}

/// A room that was forced off, or used its credit up, is dark for a while.
fn off_since(span: &Span, room: &Room) -> Option<Timestamp> {
    let account = room.plan.account?;
    let hours = match room.plan.mode {
        ControlMode::ForcedOff => 50,
        ControlMode::Prepaid if account.remaining <= 0 => 2 + i64::try_from(room.plan.shape.seed % 40).unwrap_or(0),
        _ => return None,
    };
    let hour = span.until.0.div_euclid(HOUR) - hours;
    Some(Timestamp(hour * HOUR))
}
