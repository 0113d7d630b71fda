//! The chart of accounts, and the transfers that each operation makes.
//!
//! A transfer takes from one account what it gives to another (debit and credit of one row), so that no set of them can be
//! out of balance. Amounts are positive; a reversal is a transfer the other way.

use model::ids::AccountId;
use model::money::Money;
use model::order::Tender;
use uuid::Uuid;

/// A ledger account, by its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// Cash in the drawers (asset).
    Cash,
    /// Card terminal takings on their way to the bank (asset).
    Card,
    /// Bank account (asset).
    Bank,
    /// What a payment channel holds for us until it settles (asset).
    Clearing(&'static str),
    /// What a payment channel keeps for its service (expense).
    Fees(&'static str),
    /// Paid by residents and not yet in the meter (liability).
    Paid(AccountId),
    /// In the meter, not yet consumed (liability).
    InMeter(AccountId),
    /// The server wallet: paid and not yet consumed; negative where more was consumed than paid (liability).
    Wallet(AccountId),
    /// Energy that residents used (income).
    Consumption,
    /// Received and not to be credited: paid twice, or not of the amount asked; goes back, or a person says whose it is
    /// (liability).
    Suspense,
    /// On its way back to payers: decided, and not yet with them (liability).
    Refunding,
    /// What the site gives to residents (expense).
    Subsidies,
    /// Out of a meter or wallet that was closed: on its way into a hand, another meter or another account (liability).
    Carried,
    /// What is not followed up: below a fen at a closing, overdrawn and never paid (income or expense).
    WriteOff,
    /// What was counted in the drawers beyond or below what should have been there (income or expense).
    DrawerDifference,
    /// What meters were found to hold beyond or below the books (income or expense).
    Adjustments,
    /// What meters held when the site was taken over from an older system (equity).
    TakenOver,
}

impl Account {
    /// The code that the ledger stores.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Cash => "cash".into(),
            Self::Card => "card".into(),
            Self::Bank => "bank".into(),
            Self::Clearing(channel) => format!("clearing:{channel}"),
            Self::Fees(channel) => format!("fees:{channel}"),
            Self::Paid(account) => format!("paid:{account}"),
            Self::InMeter(account) => format!("meter:{account}"),
            Self::Wallet(account) => format!("wallet:{account}"),
            Self::Consumption => "consumption".into(),
            Self::Suspense => "suspense".into(),
            Self::Refunding => "refunding".into(),
            Self::Subsidies => "subsidies".into(),
            Self::Carried => "carried".into(),
            Self::WriteOff => "write-off".into(),
            Self::DrawerDifference => "drawer-difference".into(),
            Self::Adjustments => "adjustments".into(),
            Self::TakenOver => "taken-over".into(),
        }
    }

    /// Where a tender's money is first.
    #[must_use]
    pub const fn of_tender(tender: Tender) -> Self {
        match tender {
            Tender::Cash => Self::Cash,
            Tender::Card => Self::Card,
            Tender::Transfer => Self::Bank,
            Tender::Alipay | Tender::WechatPay | Tender::UnionPay => Self::Clearing(tender.as_str()),
            Tender::Subsidy => Self::Subsidies,
            Tender::Carried => Self::Carried,
            Tender::TakenOver => Self::TakenOver,
        }
    }
}

/// What a transfer can be of.
pub const OPERATIONS: [&str; 23] = [
    "payment",
    "suspense",
    "suspense-back",
    "delivery",
    "withdrawal",
    "payout",
    "refund-reserve",
    "refund",
    "refund-release",
    "refund-elsewhere",
    "refund-cleared",
    "refund-lost",
    "fees",
    "settlement",
    "final",
    "write-off",
    "reroute",
    "adjustment",
    "drawer",
    "use",
    "takeover",
    "consumption",
    "consumption-reversal",
];

/// One row of the ledger. `operation` with `reference` happens once: a repetition is refused by the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// One of [`OPERATIONS`].
    pub operation: &'static str,
    /// What it happened to: an order, an account, a charge.
    pub reference: Uuid,
    pub debit: Account,
    pub credit: Account,
    /// How much; positive.
    pub amount: Money,
}

/// A resident paid: from the tender's account to [`Account::Paid`], until it is delivered.
#[must_use]
pub const fn payment(order: Uuid, tender: Tender, account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "payment", reference: order, debit: Account::of_tender(tender), credit: Account::Paid(account), amount }
}

/// A channel received money that credits no order: `event` is the verified event that says so.
#[must_use]
pub const fn suspense(event: Uuid, channel: &'static str, amount: Money) -> Transfer {
    Transfer { operation: "suspense", reference: event, debit: Account::Clearing(channel), credit: Account::Suspense, amount }
}

/// Money that credited no order credits one after all: it leaves suspense, and the order's own posting takes it from the channel.
#[must_use]
pub const fn suspense_back(event: Uuid, channel: &'static str, amount: Money) -> Transfer {
    Transfer {
        operation: "suspense-back",
        reference: event,
        debit: Account::Suspense,
        credit: Account::Clearing(channel),
        amount,
    }
}

/// Posts the change of a day's fees by a statement: positive raises them; `None` for no change. `change` identifies the import.
#[must_use]
pub fn fees(change: Uuid, channel: &'static str, beyond: Money) -> Option<Transfer> {
    let (debit, credit) = match beyond.0 {
        0 => return None,
        1.. => (Account::Fees(channel), Account::Clearing(channel)),
        _ => (Account::Clearing(channel), Account::Fees(channel)),
    };
    Some(Transfer { operation: "fees", reference: change, debit, credit, amount: Money(beyond.0.abs()) })
}

/// What a channel held for us is in the bank: `receipt` is what a person noted.
#[must_use]
pub const fn settlement(receipt: Uuid, channel: &'static str, amount: Money) -> Transfer {
    let credit = Account::Clearing(channel);
    Transfer { operation: "settlement", reference: receipt, debit: Account::Bank, credit, amount }
}

/// A purchase is in the meter, as read back with its purchase count.
#[must_use]
pub const fn delivery(order: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "delivery", reference: order, debit: Account::Paid(account), credit: Account::InMeter(account), amount }
}

/// The meter returned credit, as read back with its purchase count; the amount is paid and not delivered again.
#[must_use]
pub const fn withdrawal(command: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer {
        operation: "withdrawal",
        reference: command,
        debit: Account::InMeter(account),
        credit: Account::Paid(account),
        amount,
    }
}

/// A server wallet returned credit, which needs no answer of a meter.
#[must_use]
pub const fn withdrawal_of_wallet(reference: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "withdrawal", reference, debit: Account::Wallet(account), credit: Account::Paid(account), amount }
}

/// Pays out an amount that was withdrawn from a meter or wallet.
#[must_use]
pub const fn payout(of: Uuid, tender: Tender, account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "payout", reference: of, debit: Account::Paid(account), credit: Account::of_tender(tender), amount }
}

/// Reserves an amount for a refund, so that it cannot be delivered or refunded a second time.
#[must_use]
pub const fn refund_reserve(refund: Uuid, from: Account, amount: Money) -> Transfer {
    Transfer { operation: "refund-reserve", reference: refund, debit: from, credit: Account::Refunding, amount }
}

/// The refund has reached the payer, through the channel or at the cash desk.
#[must_use]
pub const fn refund(refund: Uuid, tender: Tender, amount: Money) -> Transfer {
    let credit = Account::of_tender(tender);
    Transfer { operation: "refund", reference: refund, debit: Account::Refunding, credit, amount }
}

/// Releases the amount of a refund that was refused or cancelled, back to where it was reserved from.
#[must_use]
pub const fn refund_release(refund: Uuid, from: Account, amount: Money) -> Transfer {
    Transfer { operation: "refund-release", reference: refund, debit: Account::Refunding, credit: from, amount }
}

/// A console refund, as the verified `event` reports it. It is in suspense until a person says which payment it belongs to.
#[must_use]
pub const fn refund_elsewhere(event: Uuid, channel: &'static str, amount: Money) -> Transfer {
    let credit = Account::Clearing(channel);
    Transfer { operation: "refund-elsewhere", reference: event, debit: Account::Suspense, credit, amount }
}

/// A person assigned a console refund to `of`: a return, or an order that was not delivered.
#[must_use]
pub const fn refund_cleared(of: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "refund-cleared", reference: of, debit: Account::Paid(account), credit: Account::Suspense, amount }
}

/// A person wrote a console refund off, because its credit is in the meter and cannot be debited any more. `event` reported
/// the refund, or the last part of it.
#[must_use]
pub const fn refund_lost(event: Uuid, amount: Money) -> Transfer {
    Transfer { operation: "refund-lost", reference: event, debit: Account::WriteOff, credit: Account::Suspense, amount }
}

/// The balance of a closed meter or wallet that is due to the residents: paid out or carried over next. `of` is the meter's
/// row in its closing. `None` if nothing is due.
#[must_use]
pub fn final_amount(of: Uuid, from: Account, due: Money) -> Option<Transfer> {
    (due > Money::ZERO).then_some(Transfer {
        operation: "final",
        reference: of,
        debit: from,
        credit: Account::Carried,
        amount: due,
    })
}

/// The rest of a closed meter's balance that nobody is paid: kept by the site, or lost by it (negative). `None` for zero.
#[must_use]
pub fn write_off(of: Uuid, from: Account, kept: Money) -> Option<Transfer> {
    let (debit, credit) = match kept.0 {
        0 => return None,
        1.. => (from, Account::WriteOff),
        _ => (Account::WriteOff, from),
    };
    Some(Transfer { operation: "write-off", reference: of, debit, credit, amount: Money(kept.0.abs()) })
}

/// Pays out the balance of a closure.
#[must_use]
pub const fn payout_of_carried(of: Uuid, tender: Tender, amount: Money) -> Transfer {
    Transfer { operation: "payout", reference: of, debit: Account::Carried, credit: Account::of_tender(tender), amount }
}

/// A purchase that could not reach its meter goes to another account.
#[must_use]
pub const fn reroute(of: Uuid, from: AccountId, to: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "reroute", reference: of, debit: Account::Paid(from), credit: Account::Paid(to), amount }
}

/// The books are corrected to what a meter holds: `change` beyond (positive) or below what they said; `None` where the amount is
/// the same. `of` is the request that a second person approved.
#[must_use]
pub fn adjustment(of: Uuid, account: AccountId, change: Money) -> Option<Transfer> {
    let (debit, credit) = match change.0 {
        0 => return None,
        1.. => (Account::Adjustments, Account::InMeter(account)),
        _ => (Account::InMeter(account), Account::Adjustments),
    };
    Some(Transfer { operation: "adjustment", reference: of, debit, credit, amount: Money(change.0.abs()) })
}

/// A drawer was counted: what is there beyond (positive) or below what should be; `None` where it is right.
#[must_use]
pub fn drawer_difference(shift: Uuid, counted_beyond: Money) -> Option<Transfer> {
    let (debit, credit) = match counted_beyond.0 {
        0 => return None,
        1.. => (Account::Cash, Account::DrawerDifference),
        _ => (Account::DrawerDifference, Account::Cash),
    };
    Some(Transfer { operation: "drawer", reference: shift, debit, credit, amount: Money(counted_beyond.0.abs()) })
}

/// A purchase is in the server wallet, at once, because no meter has to confirm it.
#[must_use]
pub const fn credit(order: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "delivery", reference: order, debit: Account::Paid(account), credit: Account::Wallet(account), amount }
}

/// Energy was used from a server wallet.
#[must_use]
pub const fn consumption(charge: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer {
        operation: "consumption",
        reference: charge,
        debit: Account::Wallet(account),
        credit: Account::Consumption,
        amount,
    }
}

/// A meter's own wallet fell by this between two observations that no money command explains; negative where it rose. What it
/// used before the site was taken over is not income. `None` where nothing was used.
#[must_use]
pub fn use_of_meter(of: Uuid, account: AccountId, amount: Money, before_takeover: bool) -> Option<Transfer> {
    let other = if before_takeover { Account::TakenOver } else { Account::Consumption };
    let (debit, credit) = match amount.0 {
        0 => return None,
        1.. => (Account::InMeter(account), other),
        _ => (other, Account::InMeter(account)),
    };
    Some(Transfer { operation: "use", reference: of, debit, credit, amount: Money(amount.0.abs()) })
}

/// Reverses a wrong charge of a server wallet; `reversal` is the row of the reversal.
#[must_use]
pub const fn consumption_reversal(reversal: Uuid, account: AccountId, amount: Money) -> Transfer {
    Transfer {
        operation: "consumption-reversal",
        reference: reversal,
        debit: Account::Consumption,
        credit: Account::Wallet(account),
        amount,
    }
}

/// What an older system kept for an account whose wallet is on the ledger.
#[must_use]
pub const fn takeover_of_wallet(account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "takeover", reference: account.0, debit: Account::TakenOver, credit: Account::Wallet(account), amount }
}

/// What the meter held when the site was taken over.
#[must_use]
pub const fn takeover(account: AccountId, amount: Money) -> Transfer {
    Transfer { operation: "takeover", reference: account.0, debit: Account::TakenOver, credit: Account::InMeter(account), amount }
}

#[cfg(test)]
mod tests;
