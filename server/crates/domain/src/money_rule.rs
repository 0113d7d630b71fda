//! The money rule: decides from a meter's state block whether a claimed money command was applied.
//!
//! After a lost answer it is unknown whether the frame arrived. The purchase count tells: at the claimed count with our order
//! number the command was applied; at the count before it was not, and may be sent; anything else needs an operator.

use model::case::{DeliveryCase, HoldReason, MeterPosition};
use serde::{Deserialize, Serialize};

use super::operation::Operation;
use super::serial::AccountNumber;
use crate::meter_state::StateBlock;

/// A command that moves money, or opens or closes an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyOperation {
    Open(AccountNumber),
    Credit { order: u64, amount: u32 },
    Debit { order: u64, amount: u32 },
    Close { order: u64 },
}

/// A money operation with the key epoch and purchase count claimed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedOperation {
    pub money_operation: MoneyOperation,
    /// Key epoch of the count; an opening is valid in any epoch.
    pub epoch: u16,
    /// Purchase count after the operation.
    pub count: u16,
}

/// What follows from a state block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoneyVerdict {
    /// The meter has applied the command.
    Delivered,
    /// The meter has not applied it; it may be sent or sent again.
    Send,
    /// Neither; what was expected and what was found.
    Stop(Box<DeliveryCase>),
}

impl ClaimedOperation {
    /// The operation to seal into a frame.
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

    /// Compares the claim with the meter's state block.
    #[must_use]
    pub fn judge(&self, seen: &StateBlock) -> MoneyVerdict {
        let order = match self.money_operation {
            MoneyOperation::Open(account) => return judge_opening(account, seen),
            MoneyOperation::Credit { order, .. } | MoneyOperation::Debit { order, .. } | MoneyOperation::Close { order } => order,
        };
        let position = |epoch, count, order| MeterPosition {
            epoch: Some(epoch),
            count: Some(count),
            order: Some(order),
            ..MeterPosition::default()
        };
        let stop = |reason| {
            let expected = position(self.epoch, self.count, order);
            stop(reason, expected, position(seen.epoch, seen.count, seen.last_order))
        };
        if seen.epoch != self.epoch {
            return stop(HoldReason::Epoch);
        }
        if seen.count == self.count {
            return if seen.last_order == order { MoneyVerdict::Delivered } else { stop(HoldReason::Order) };
        }
        if seen.count.checked_add(1) != Some(self.count) {
            return stop(HoldReason::Count);
        }
        if seen.status.account_open() { MoneyVerdict::Send } else { stop(HoldReason::NotOpen) }
    }
}

fn judge_opening(account: AccountNumber, seen: &StateBlock) -> MoneyVerdict {
    if !seen.status.account_open() {
        return MoneyVerdict::Send;
    }
    if seen.account == account && seen.count == 0 {
        return MoneyVerdict::Delivered;
    }
    let position = |account: AccountNumber, count| MeterPosition {
        account: Some(account.to_string()),
        count: Some(count),
        ..MeterPosition::default()
    };
    stop(HoldReason::Account, position(account, 0), position(seen.account, seen.count))
}

fn stop(reason: HoldReason, expected: MeterPosition, found: MeterPosition) -> MoneyVerdict {
    MoneyVerdict::Stop(Box::new(DeliveryCase { expected: Some(expected), found: Some(found), ..DeliveryCase::new(reason) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::state;
    use model::meter::StatusWord;

    fn seen(epoch: u16, count: u16, last_order: u64) -> StateBlock {
        StateBlock { epoch, count, last_order, status: StatusWord(0b11), ..state() }
    }

    #[test]
    fn money_rule_table() {
        let operations = [
            MoneyOperation::Credit { order: 9, amount: 5_000 },
            MoneyOperation::Debit { order: 9, amount: 5_000 },
            MoneyOperation::Close { order: 9 },
        ];
        for money_operation in operations {
            let claimed = ClaimedOperation { money_operation, epoch: 3, count: 8 };
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
                    "delivered" => assert_eq!(got, MoneyVerdict::Delivered),
                    "send" => assert_eq!(got, MoneyVerdict::Send),
                    why => {
                        assert!(matches!(&got, MoneyVerdict::Stop(case) if case.reason.as_str() == why), "{got:?}")
                    }
                }
            }
        }
    }

    #[test]
    fn count_does_not_wrap_within_an_epoch() {
        let claimed = ClaimedOperation { money_operation: MoneyOperation::Credit { order: 1, amount: 1 }, epoch: 1, count: 0 };
        assert!(matches!(claimed.judge(&seen(1, u16::MAX, 5)), MoneyVerdict::Stop(_)));
    }

    #[test]
    fn nothing_is_sent_without_an_open_account() {
        let claimed = ClaimedOperation { money_operation: MoneyOperation::Credit { order: 1, amount: 1 }, epoch: 1, count: 1 };
        let closed = StateBlock { status: StatusWord(0), ..seen(1, 0, 0) };
        assert!(matches!(claimed.judge(&closed), MoneyVerdict::Stop(case) if case.reason == HoldReason::NotOpen));
    }

    #[test]
    fn applied_close_is_delivered_without_an_open_account() {
        let claimed = ClaimedOperation { money_operation: MoneyOperation::Close { order: 4 }, epoch: 1, count: 6 };
        assert_eq!(claimed.judge(&StateBlock { status: StatusWord(0), ..seen(1, 6, 4) }), MoneyVerdict::Delivered);
    }

    #[test]
    fn openings_are_recognised_by_account_number() {
        let account: AccountNumber = "6407353703886369".parse().unwrap();
        let other: AccountNumber = "1111111111111111".parse().unwrap();
        let claimed = ClaimedOperation { money_operation: MoneyOperation::Open(account), epoch: 0, count: 0 };
        let shows = |status, account, count| StateBlock { status: StatusWord(status), account, count, ..state() };
        assert_eq!(claimed.judge(&shows(0, AccountNumber::NONE, 0)), MoneyVerdict::Send);
        assert_eq!(claimed.judge(&shows(2, account, 0)), MoneyVerdict::Delivered);
        assert!(matches!(claimed.judge(&shows(2, other, 0)), MoneyVerdict::Stop(_)));
        assert!(matches!(claimed.judge(&shows(2, account, 1)), MoneyVerdict::Stop(_)));
    }
}
