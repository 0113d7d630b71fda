//! What a refund may do next, how much may go back, until when a channel gives it, and when it is asked.

use model::money::Fen;
use model::order::Tender;
use model::refund::RefundState::{self, Cancelled, Done, Expired, Failed, Payable, Rejected, Sending, Waiting};
use model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};
use serde::Deserialize;

/// Every step a refund may take. Anything else is refused by the `WHERE` of the update that would make it.
///
/// `Sending` ends by the channel's final word alone: whoever gave up on it might pay a second time. What failed is taken up by
/// a new refund with a new number.
pub const STEPS: &[(RefundState, RefundState)] = &[
    (Waiting, Sending),
    (Waiting, Payable),
    (Waiting, Rejected),
    (Waiting, Cancelled),
    (Waiting, Expired),
    (Sending, Done),
    (Sending, Failed),
    (Payable, Done),
    (Payable, Cancelled),
];

/// Whether a refund may go from one state to another.
#[must_use]
pub fn may_step(from: RefundState, to: RefundState) -> bool {
    STEPS.contains(&(from, to))
}

/// A refund that its channel has not ended after so long is shown to a person. A bank card may take some days.
pub const SLOW_AFTER: i64 = 3 * DAY;

/// When the channel is asked, counted from when it was first to be; afterwards every six hours.
const AGES: [i64; 9] = [10 * SECOND, 30 * SECOND, MINUTE, 3 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];

/// When to ask next: the age decides, not how often we asked.
#[must_use]
pub fn next_try(begun: Timestamp, now: Timestamp) -> Timestamp {
    AGES.into_iter().map(|age| begun.plus(age)).find(|&at| at > now).unwrap_or_else(|| now.plus(6 * HOUR))
}

/// What is left of a payment to give back: what was paid, less what went or goes back, by us or at the channel's own console.
#[must_use]
pub fn refundable(paid: Fen, reserved: Fen, elsewhere: Fen) -> Fen {
    (paid - reserved - elsewhere).max(Fen::ZERO)
}

/// A channel that tells only the sum of all refunds of a trade: so much of it nobody here asked for. What is under way of ours
/// may be in the sum already, so that only what exceeds it is surely another's.
#[must_use]
pub fn unasked(sum: Fen, done: Fen, under_way: Fen, elsewhere: Fen) -> Fen {
    (sum - done - under_way - elsewhere).max(Fen::ZERO)
}

/// `[pay.refunds]` in the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// What credits nothing (paid twice, paid for an account that is closed) goes back by itself.
    pub automatic: bool,
    /// For how many days after the payment Alipay gives back.
    pub alipay_days: i64,
    /// Likewise WeChat Pay.
    pub wechat_days: i64,
    pub unionpay_days: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { automatic: true, alipay_days: 90, wechat_days: 365, unionpay_days: 90 }
    }
}

impl Rules {
    /// Whether the channel may still be asked for money that came then.
    #[must_use]
    pub fn gives_back(&self, channel: Tender, paid_at: Timestamp, now: Timestamp) -> bool {
        let days = match channel {
            Tender::Alipay => self.alipay_days,
            Tender::WechatPay => self.wechat_days,
            Tender::UnionPay => self.unionpay_days,
            _ => return false,
        };
        now.since(paid_at) < days * DAY
    }

    /// # Errors
    /// The first setting that makes no sense, with the rule that it breaks.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        let days = [("alipay_days", self.alipay_days), ("wechat_days", self.wechat_days), ("unionpay_days", self.unionpay_days)];
        match days.into_iter().find(|(_, days)| !(1..=365).contains(days)) {
            Some((key, _)) => Err((key, "must be 1 to 365")),
            None => Ok(()),
        }
    }
}

/// Money that goes back. Its number is made and stored before the channel hears of it, and stays the same on every try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRefund {
    /// Our number of it.
    pub number: String,
    /// Our number of the trade.
    pub out_trade_no: String,
    /// The channel's number of the trade.
    pub trade_no: String,
    /// How much goes back.
    pub amount: Fen,
    /// How much the trade was.
    pub paid: Fen,
    /// When it was decided.
    pub requested_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FINAL: [RefundState; 5] = [Done, Failed, Rejected, Cancelled, Expired];

    #[test]
    fn every_state_is_reached_and_leads_to_an_end() {
        for state in RefundState::ALL {
            assert!(state == Waiting || STEPS.iter().any(|&(_, to)| to == state), "{state:?} is never reached");
            assert_eq!(FINAL.contains(&state), !STEPS.iter().any(|&(from, _)| from == state), "{state:?}");
        }
    }

    #[test]
    fn what_the_channel_was_asked_for_ends_by_its_word_alone() {
        assert!(RefundState::ALL.into_iter().all(|to| !may_step(Sending, to) || matches!(to, Done | Failed)));
        assert!(RefundState::ALL.into_iter().all(|to| !may_step(Waiting, to) || to != Done), "nothing goes back undecided");
    }

    #[test]
    fn a_channel_gives_back_for_its_days() {
        let (rules, day) = (Rules::default(), |days| Timestamp(days * DAY));
        assert!(rules.gives_back(Tender::Alipay, Timestamp(0), day(90).plus(-1)));
        assert!(!rules.gives_back(Tender::Alipay, Timestamp(0), day(90)));
        assert!(rules.gives_back(Tender::WechatPay, Timestamp(0), day(364)));
        assert!(!rules.gives_back(Tender::Cash, Timestamp(0), Timestamp(0)));
        assert_eq!(Rules::default().validate(), Ok(()));
        assert_eq!(Rules { wechat_days: 0, ..rules }.validate().unwrap_err().0, "wechat_days");
    }

    proptest! {
        /// It is asked for ever, never in the past, and not more often than every ten seconds after the first minute.
        #[test]
        fn asking_goes_on_at_growing_pauses(age in 0..30 * DAY) {
            let (begun, now) = (Timestamp(1_000), Timestamp(1_000 + age));
            let next = next_try(begun, now);
            prop_assert!(next > now && next.since(now) <= 6 * HOUR);
            prop_assert!(age >= 10 * SECOND || next.since(begun) == 10 * SECOND);
        }

        /// However a payment is given back in parts, some of which fail, never more goes back than came.
        #[test]
        fn never_more_goes_back_than_came(paid in 1..100_000_i64, parts in prop::collection::vec((1..50_000_i64, any::<bool>()),
            0..20)) {
            let (mut reserved, mut back) = (Fen::ZERO, Fen::ZERO);
            for (amount, succeeds) in parts {
                if Fen(amount) > refundable(Fen(paid), reserved, Fen::ZERO) {
                    continue;
                }
                reserved = reserved + Fen(amount);
                if succeeds { back = back + Fen(amount) } else { reserved = reserved - Fen(amount) }
                prop_assert!(back <= Fen(paid) && reserved == back);
            }
        }

        /// Whatever of ours is in the sum that a channel tells, nothing of ours is taken
        /// for another's, and never more than the sum.
        #[test]
        fn ours_is_never_taken_for_anothers(done in 0..1_000_i64, under_way in 0..1_000_i64, told in 0..1_000_i64, other in
            0..1_000_i64) {
            let ours = Fen(done + told.min(under_way));
            let found = unasked(ours + Fen(other), Fen(done), Fen(under_way), Fen::ZERO);
            prop_assert!(found <= Fen(other));
        }
    }
}
