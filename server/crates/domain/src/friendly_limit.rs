//! The overdraft limit that a meter with a wallet of its own should have: raised ahead of friendly hours and for emergency
//! credit, and taken back afterwards. It follows from calendar and clock alone, so a restart changes nothing.

use model::money::Fen;
use model::parameters::Limits;
use model::time::{MINUTE, Timestamp};

use crate::relay_retry;

/// The limit is issued so long before friendly hours begin, and is there until they end.
pub const LEAD: i64 = 45 * MINUTE;
/// A meter that has not shown the limit for so long is listed.
pub const STRAGGLES_AFTER: i64 = 10 * MINUTE;

/// What is known of a meter, fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterOverdraft {
    /// The limit that the meter showed last.
    pub shown: u32,
    /// What a person issued since the meter was read, or since the server raised it.
    pub issued: Option<u32>,
    /// What it had before the server raised it; `None` while it has not.
    pub before: Option<u32>,
    /// The friendly limit, now or within [`LEAD`]; 0: none.
    pub friendly: u32,
    /// Emergency credit that is not repaid.
    pub emergency: u32,
}

/// What is to hold for a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedOverdraft {
    /// The limit without friendly hours and emergency credit.
    pub base: u32,
    pub limit: u32,
}

impl WantedOverdraft {
    /// Whether a meter that shows this limit and holds this amount is on only because friendly hours raised the limit: with its
    /// own limit and the emergency credit it would have tripped.
    #[must_use]
    pub fn keeps_on(self, emergency: u32, shown: u32, remaining: Fen) -> bool {
        let (own, limit) = (i64::from(self.base) + i64::from(emergency), i64::from(self.limit));
        shown == self.limit && -limit < remaining.0 && remaining.0 <= -own
    }
}

impl MeterOverdraft {
    /// The limit that the meter should have; `None` where the server has nothing to do with it.
    #[must_use]
    pub fn wanted(&self) -> Option<WantedOverdraft> {
        let base = self.issued.or(self.before).unwrap_or(self.shown);
        let limit = base.saturating_add(self.emergency).max(self.friendly);
        (limit > base || self.before.is_some()).then_some(WantedOverdraft { base, limit })
    }
}

/// The limits that a meter was last read with, and the newest of later commands, under way or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaterLimits {
    pub shown: Limits,
    /// Of the newest command that a person decided.
    pub issued: Option<Limits>,
    /// Of the newest command, whoever decided it.
    pub newest: Option<Limits>,
}

impl LaterLimits {
    /// What has to be sent so that the meter gets this overdraft limit and keeps all else that people issued; `None` if it has
    /// that already, or the newest command brings it.
    #[must_use]
    pub fn to_send(&self, overdraft: u32) -> Option<Limits> {
        let wanted = Limits { overdraft, ..self.issued.unwrap_or(self.shown) };
        (self.newest.unwrap_or(self.shown) != wanted).then_some(wanted)
    }
}

/// The least top-up that brings the power back where more is owed than the overdraft limit and the emergency credit allow; `None`
/// where the credit is enough.
#[must_use]
pub fn least_top_up(limit: Fen, credit: Fen, remaining: Fen) -> Option<Fen> {
    (remaining.0 <= -(limit.0 + credit.0)).then(|| Fen(1 - remaining.0 - limit.0))
}

/// Whether another command may be sent to a meter that refused `failures` in a row, the last one at `failed_at`.
#[must_use]
pub fn may_send(failures: i64, failed_at: Option<Timestamp>, now: Timestamp) -> bool {
    failed_at.is_none_or(|failed| now.since(failed) >= relay_retry::pause(failures))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: MeterOverdraft = MeterOverdraft { shown: 100, issued: None, before: None, friendly: 0, emergency: 0 };

    fn wanted(base: u32, limit: u32) -> Option<WantedOverdraft> {
        Some(WantedOverdraft { base, limit })
    }

    #[test]
    fn a_meter_is_left_alone_until_it_is_raised() {
        assert_eq!(PLAIN.wanted(), None);
        assert_eq!(MeterOverdraft { issued: Some(50), ..PLAIN }.wanted(), None, "limits are issued by people");
        assert_eq!(MeterOverdraft { friendly: 80, ..PLAIN }.wanted(), None, "it may go further already");
        assert_eq!(MeterOverdraft { friendly: 2_000, ..PLAIN }.wanted(), wanted(100, 2_000));
    }

    #[test]
    fn a_raised_limit_is_taken_back() {
        let raised = MeterOverdraft { shown: 2_000, before: Some(100), ..PLAIN };
        assert_eq!(raised.wanted(), wanted(100, 100));
        assert_eq!(MeterOverdraft { issued: Some(0), ..raised }.wanted(), wanted(0, 0));
        assert_eq!(MeterOverdraft { friendly: 2_000, ..raised }.wanted(), wanted(100, 2_000));
    }

    #[test]
    fn a_meters_own_limit_is_never_lowered() {
        let own = MeterOverdraft { shown: 5_000, ..PLAIN };
        assert_eq!(MeterOverdraft { friendly: 2_000, ..own }.wanted(), None);
        // A person issued 50 yuan, which the meter does not show yet, and the server raised it before.
        let issued = MeterOverdraft { issued: Some(5_000), ..PLAIN };
        assert_eq!(MeterOverdraft { friendly: 2_000, ..issued }.wanted(), None);
        assert_eq!(MeterOverdraft { before: Some(100), ..issued }.wanted(), wanted(5_000, 5_000));
    }

    #[test]
    fn the_server_undoes_no_limit_that_a_person_issued() {
        let shown = Limits { alarm1: 2_000, overdraft: 100, ..Limits::default() };
        let read = LaterLimits { shown, issued: None, newest: None };
        assert_eq!(read.to_send(100), None);
        let raised = Limits { overdraft: 2_000, ..shown };
        assert_eq!(read.to_send(2_000), Some(raised));
        assert_eq!(LaterLimits { newest: Some(raised), ..read }.to_send(2_000), None, "it is under way");
        assert_eq!(LaterLimits { newest: Some(raised), ..read }.to_send(100), Some(shown), "and must not stay");
        // A person's limits that the meter does not show yet are kept by the next command.
        let issued = Limits { alarm1: 3_000, overdraft: 300, ..shown };
        let later = LaterLimits { issued: Some(issued), newest: Some(issued), ..read };
        assert_eq!(later.to_send(300), None);
        assert_eq!(later.to_send(2_000), Some(Limits { overdraft: 2_000, ..issued }));
        // Cancelled after that.
        let cancelled = LaterLimits { newest: Some(Limits { overdraft: 2_000, ..issued }), ..read };
        assert_eq!(cancelled.to_send(2_000), Some(raised));
    }

    #[test]
    fn emergency_credit_adds_to_the_limit() {
        assert_eq!(MeterOverdraft { emergency: 500, ..PLAIN }.wanted(), wanted(100, 600));
        let both = MeterOverdraft { emergency: 500, friendly: 2_000, ..PLAIN };
        assert_eq!(both.wanted(), wanted(100, 2_000));
    }

    #[test]
    fn only_a_meter_with_the_raised_limit_is_kept_on() {
        let raised = WantedOverdraft { base: 100, limit: 2_000 };
        let kept = |shown, remaining| raised.keeps_on(500, shown, Fen(remaining));
        assert!(kept(2_000, -600) && kept(2_000, -1_999));
        assert!(!kept(2_000, -599), "it would be on without friendly hours");
        assert!(!kept(2_000, -2_000), "it has tripped");
        assert!(!kept(100, -600), "it missed the change");
        let own = WantedOverdraft { base: 100, limit: 600 };
        assert!(!own.keeps_on(500, 600, Fen(-600)), "emergency credit that is used up");
    }

    #[test]
    fn emergency_credit_helps_only_within_its_amount() {
        let least = |remaining| least_top_up(Fen(100), Fen(500), Fen(remaining));
        assert_eq!(least(-599), None);
        assert_eq!(least(-600), Some(Fen(501)), "then 99 fen are owed, of 100");
        assert_eq!(least(-1_500), Some(Fen(1_401)));
    }

    #[test]
    fn a_meter_that_refuses_is_tried_less_and_less() {
        let after = |failures, pause| may_send(failures, Some(Timestamp(0)), Timestamp(pause));
        assert!(may_send(0, None, Timestamp(0)));
        assert!(!after(1, relay_retry::FIRST - 1) && after(1, relay_retry::FIRST));
        assert!(!after(20, 59 * MINUTE) && after(20, 60 * MINUTE));
    }
}
