//! What a verified success means for the order it names.

use model::case::PaymentReason;
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::time::{HOUR, MINUTE, SECOND, Timestamp};

/// A trade that the channel does not know may still come to be while its form can be sent; so long after the end it cannot.
pub const DEAD_AFTER: i64 = 5 * MINUTE;

/// When a waiting attempt is asked about, counted from its start.
const WAITING: [i64; 8] = [10 * SECOND, 30 * SECOND, MINUTE, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR];
/// And counted from its end; afterwards every hour.
const ENDING: [i64; 6] = [10 * SECOND, MINUTE, DEAD_AFTER + 10 * SECOND, 15 * MINUTE, 30 * MINUTE, HOUR];

/// When to ask next about an attempt that was made at `start` and may be paid until
/// `end`: the age decides, not how often we asked.
#[must_use]
pub fn next_query(start: Timestamp, end: Timestamp, now: Timestamp) -> Timestamp {
    let waiting = WAITING.into_iter().map(|age| start.plus(age)).filter(|&at| at < end);
    let ending = ENDING.into_iter().map(|age| end.plus(age));
    waiting.chain(ending).find(|&at| at > now).unwrap_or_else(|| now.plus(HOUR))
}

/// Our number of an attempt at its channel: the order's number, and the how-many-eth attempt it is.
#[must_use]
pub fn out_trade_no(order: i64, attempt: usize) -> String {
    format!("D{order}N{attempt}")
}

/// Whether [`out_trade_no`] can have made this number. Other systems may take payments under the same merchant number.
#[must_use]
pub fn is_out_trade_no(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('D').and_then(|rest| rest.split_once('N')).is_some_and(|(order, attempt)| digits(order) && digits(attempt))
}

/// What we stored of an attempt before the channel heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The channel it was given to.
    pub channel: Tender,
    /// Our application at the channel.
    pub app_id: &'a str,
    /// Our merchant number at the channel.
    pub seller_id: &'a str,
    pub amount: Fen,
    /// Whether the attempt was settled as paid before.
    pub settled: bool,
    /// Where its order stands.
    pub order: OrderState,
}

/// What the channel says, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed<'a> {
    /// The channel that says it.
    pub channel: Tender,
    /// For which application; `None` where the kind of message does not name it (a query is answered to its asker only).
    pub app_id: Option<&'a str>,
    /// For which merchant; `None` likewise.
    pub seller_id: Option<&'a str>,
    pub amount: Fen,
    /// Whether that is in yuan.
    pub cny: bool,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// No attempt has this number.
    Unknown,
    /// The attempt was given to another channel.
    Channel,
    App,
    /// Another merchant: the money is not ours.
    Seller,
    Currency,
    /// Another amount: the money is ours, and whose it is must be found out.
    Amount,
}

impl Mismatch {
    /// For the case and the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Channel => "channel",
            Self::App => "app",
            Self::Seller => "seller",
            Self::Currency => "currency",
            Self::Amount => "amount",
        }
    }

    /// As a case says it.
    #[must_use]
    pub const fn reason(self) -> PaymentReason {
        match self {
            Self::Unknown => PaymentReason::Unknown,
            Self::Channel => PaymentReason::Channel,
            Self::App => PaymentReason::App,
            Self::Seller => PaymentReason::Seller,
            Self::Currency => PaymentReason::Currency,
            Self::Amount => PaymentReason::Amount,
        }
    }

    /// Whether the money reached our own merchant account, so that the books must show it.
    #[must_use]
    pub const fn is_our_money(self) -> bool {
        matches!(self, Self::Amount)
    }
}

/// What to do about a verified success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Pay the order and deliver it; `late` where it had been closed.
    Credit {
        /// The order had been closed.
        late: bool,
    },
    /// The order was paid before: keep the money apart, it goes back to the payer.
    Twice,
    /// Something does not fit: nothing is credited, a person decides.
    Hold(Mismatch),
}

/// Judges a verified success. A held attempt may still be credited by one that fits: the money did come.
#[must_use]
pub fn judge(expected: Option<&Expected<'_>>, claimed: &Claimed<'_>) -> Verdict {
    let Some(expected) = expected else { return Verdict::Hold(Mismatch::Unknown) };
    if expected.channel != claimed.channel {
        return Verdict::Hold(Mismatch::Channel);
    }
    if claimed.app_id.is_some_and(|id| id != expected.app_id) {
        return Verdict::Hold(Mismatch::App);
    }
    if claimed.seller_id.is_some_and(|id| id != expected.seller_id) {
        return Verdict::Hold(Mismatch::Seller);
    }
    if !claimed.cny {
        return Verdict::Hold(Mismatch::Currency);
    }
    if expected.amount != claimed.amount {
        return Verdict::Hold(Mismatch::Amount);
    }
    match expected.order {
        OrderState::Pending if !expected.settled => Verdict::Credit { late: false },
        OrderState::Closed if !expected.settled => Verdict::Credit { late: true },
        _ => Verdict::Twice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Expected<'_> = Expected {
        channel: Tender::Alipay,
        app_id: "app",
        seller_id: "seller",
        amount: Fen(5_000),
        settled: false,
        order: OrderState::Pending,
    };
    const SAID: Claimed<'_> =
        Claimed { channel: Tender::Alipay, app_id: Some("app"), seller_id: Some("seller"), amount: Fen(5_000), cny: true };

    #[test]
    fn our_numbers_are_told_from_others() {
        assert!(is_out_trade_no(&out_trade_no(7_531_000, 2)) && is_out_trade_no("D1N1"));
        for text in ["", "D", "DN", "D1N", "DN1", "D1N1R1", "1N1", "D1", "SHOP20261123001", "D１N1", "d1n1"] {
            assert!(!is_out_trade_no(text), "{text}");
        }
    }

    #[test]
    fn questions_thin_out_and_never_end_before_the_attempt_does() {
        let (start, end) = (Timestamp(0), Timestamp(15 * MINUTE));
        let mut asked = vec![start];
        while asked.len() < 14 {
            asked.push(next_query(start, end, *asked.last().unwrap()));
        }
        let seconds: Vec<i64> = asked.iter().map(|at| at.0 / SECOND).collect();
        let end = 900;
        assert_eq!(seconds[..7], [0, 10, 30, 60, 180, 300, 600]);
        assert_eq!(seconds[7..13], [end + 10, end + 60, end + 310, end + 900, end + 1_800, end + 3_600]);
        assert_eq!(seconds[13], end + 7_200);
    }

    #[test]
    fn only_a_full_fit_credits() {
        assert_eq!(judge(Some(&OURS), &SAID), Verdict::Credit { late: false });
        let held = |claimed: Claimed<'_>| judge(Some(&OURS), &claimed);
        assert_eq!(held(Claimed { channel: Tender::WechatPay, ..SAID }), Verdict::Hold(Mismatch::Channel));
        assert_eq!(held(Claimed { app_id: Some("other"), ..SAID }), Verdict::Hold(Mismatch::App));
        assert_eq!(held(Claimed { seller_id: Some("other"), ..SAID }), Verdict::Hold(Mismatch::Seller));
        assert_eq!(held(Claimed { cny: false, ..SAID }), Verdict::Hold(Mismatch::Currency));
        assert_eq!(held(Claimed { amount: Fen(5_001), ..SAID }), Verdict::Hold(Mismatch::Amount));
        assert_eq!(judge(None, &SAID), Verdict::Hold(Mismatch::Unknown));
    }

    #[test]
    fn a_closed_order_is_credited_late_and_a_paid_one_never_again() {
        let at = |order, settled| judge(Some(&Expected { order, settled, ..OURS }), &SAID);
        assert_eq!(at(OrderState::Closed, false), Verdict::Credit { late: true });
        for order in [OrderState::Paid, OrderState::Credited, OrderState::Case, OrderState::Refunding, OrderState::Refunded] {
            assert_eq!(at(order, false), Verdict::Twice, "{order:?}");
        }
        assert_eq!(at(OrderState::Pending, true), Verdict::Twice);
    }
}
