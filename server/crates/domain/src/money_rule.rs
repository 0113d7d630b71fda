//! The money rule: what a meter's state says of a claimed money command: pure.
//!
//! After a lost answer nobody knows whether a frame arrived. The purchase count does: at the claimed count with our order number
//! the command was applied; at the count before it, it was not and may be sent; anything else is for a person.

use model::command::CommandReason;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::operation::Operation;
use super::serial::AccountNumber;
use crate::meter_state::State;

/// What a money command is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyOperation {
    /// Open this account.
    Open(AccountNumber),
    /// Add money for an order.
    Credit {
        /// The order's number.
        order: u64,
        amount: u32,
    },
    /// Take money back.
    Debit {
        /// The order's number.
        order: u64,
        amount: u32,
    },
    /// Close the account.
    Close {
        /// The order's number.
        order: u64,
    },
}

/// A money operation with the epoch and count it was claimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// What to do.
    pub money_operation: MoneyOperation,
    /// The key epoch in which it counts; an opening counts in whichever the meter is.
    pub epoch: u16,
    /// The purchase count it makes.
    pub count: u16,
}

/// What a state says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The meter has applied it.
    Delivered,
    /// The meter has not; it may be sent, again if need be.
    Send,
    /// Neither: the reason, and what was expected and found as JSON.
    Stop(CommandReason, String),
}

impl Claimed {
    /// The operation to seal.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        let count = self.count;
        match self.money_operation {
            MoneyOperation::Open(account) => Operation::Open { account },
            MoneyOperation::Credit { order, amount } => Operation::Credit { order, count, amount },
            MoneyOperation::Debit { order, amount } => Operation::Debit { order, count, amount },
            MoneyOperation::Close { order } => Operation::Close { order, count },
        }
    }

    /// Judges what the meter shows.
    #[must_use]
    pub fn judge(&self, seen: &State) -> Verdict {
        let order = match self.money_operation {
            MoneyOperation::Open(account) => return judge_opening(account, seen),
            MoneyOperation::Credit { order, .. } | MoneyOperation::Debit { order, .. } | MoneyOperation::Close { order } => order,
        };
        let stop = |why: CommandReason| {
            let expected = json!({ "epoch": self.epoch, "count": self.count, "order": order });
            let found = json!({ "epoch": seen.epoch, "count": seen.count, "order": seen.last_order });
            Verdict::Stop(why, json!({ "why": why, "expected": expected, "found": found }).to_string())
        };
        if seen.epoch != self.epoch {
            return stop(CommandReason::Epoch);
        }
        if seen.count == self.count {
            return if seen.last_order == order { Verdict::Delivered } else { stop(CommandReason::Order) };
        }
        if seen.count.checked_add(1) != Some(self.count) {
            return stop(CommandReason::Count);
        }
        if seen.status.account_open() { Verdict::Send } else { stop(CommandReason::NotOpen) }
    }
}

fn judge_opening(account: AccountNumber, seen: &State) -> Verdict {
    if !seen.status.account_open() {
        return Verdict::Send;
    }
    if seen.account == account && seen.count == 0 {
        return Verdict::Delivered;
    }
    let expected = json!({ "account": account, "count": 0 });
    let found = json!({ "account": seen.account, "count": seen.count });
    let why = CommandReason::Account;
    Verdict::Stop(why, json!({ "why": why, "expected": expected, "found": found }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::state;
    use model::meter::StatusWord;

    fn seen(epoch: u16, count: u16, last_order: u64) -> State {
        State { epoch, count, last_order, status: StatusWord(0b11), ..state() }
    }

    #[test]
    fn the_rule() {
        let operations = [
            MoneyOperation::Credit { order: 9, amount: 5_000 },
            MoneyOperation::Debit { order: 9, amount: 5_000 },
            MoneyOperation::Close { order: 9 },
        ];
        for money_operation in operations {
            let claimed = Claimed { money_operation, epoch: 3, count: 8 };
            for (epoch, count, order, verdict) in [
                (3, 8, 9, "delivered"),
                (3, 7, 8, "send"),
                (3, 7, 9, "send"),
                (3, 8, 7, "order"),
                (3, 9, 9, "count"),
                (3, 6, 9, "count"),
                (3, 0, 0, "count"),
                (3, u16::MAX, 9, "count"),
                (2, 7, 8, "epoch"),
                (4, 8, 9, "epoch"),
            ] {
                let got = claimed.judge(&seen(epoch, count, order));
                match verdict {
                    "delivered" => assert_eq!(got, Verdict::Delivered),
                    "send" => assert_eq!(got, Verdict::Send),
                    why => {
                        let why = CommandReason::parse(why).unwrap();
                        assert!(matches!(&got, Verdict::Stop(reason, _) if *reason == why), "{got:?}")
                    }
                }
            }
        }
    }

    #[test]
    fn the_last_count_of_an_epoch_is_no_beginning() {
        let claimed = Claimed { money_operation: MoneyOperation::Credit { order: 1, amount: 1 }, epoch: 1, count: 0 };
        assert!(matches!(claimed.judge(&seen(1, u16::MAX, 5)), Verdict::Stop(..)));
    }

    #[test]
    fn nothing_is_sent_to_a_meter_without_account() {
        let claimed = Claimed { money_operation: MoneyOperation::Credit { order: 1, amount: 1 }, epoch: 1, count: 1 };
        let closed = State { status: StatusWord(0), ..seen(1, 0, 0) };
        assert!(matches!(claimed.judge(&closed), Verdict::Stop(CommandReason::NotOpen, _)));
    }

    #[test]
    fn an_applied_close_is_delivered_without_an_open_account() {
        let claimed = Claimed { money_operation: MoneyOperation::Close { order: 4 }, epoch: 1, count: 6 };
        assert_eq!(claimed.judge(&State { status: StatusWord(0), ..seen(1, 6, 4) }), Verdict::Delivered);
    }

    #[test]
    fn openings_are_known_by_their_account_number() {
        let account: AccountNumber = "6407353703886369".parse().unwrap();
        let other: AccountNumber = "1111111111111111".parse().unwrap();
        let claimed = Claimed { money_operation: MoneyOperation::Open(account), epoch: 0, count: 0 };
        let shows = |status, account, count| State { status: StatusWord(status), account, count, ..state() };
        assert_eq!(claimed.judge(&shows(0, AccountNumber::NONE, 0)), Verdict::Send);
        assert_eq!(claimed.judge(&shows(2, account, 0)), Verdict::Delivered);
        assert!(matches!(claimed.judge(&shows(2, other, 0)), Verdict::Stop(..)));
        assert!(matches!(claimed.judge(&shows(2, account, 1)), Verdict::Stop(..)));
    }
}
