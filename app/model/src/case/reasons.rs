//! Why a case was opened.

use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::word_enum;

word_enum! {
    /// Why a money command is held for a person.
    pub enum HoldReason {
        /// The meter is in another key epoch.
        Epoch = "epoch",
        /// The meter applied another order under this purchase count.
        Order = "order",
        /// The purchase count is neither before nor after this command.
        Count = "count",
        /// No account is open in the meter before the command is sent.
        NotOpen = "not-open",
        /// Another account is open in the meter.
        Account = "account",
        /// The meter's result: another purchase count is next.
        PurchaseCount = "purchase-count",
        /// The meter would hold more than its limit.
        HoardingLimit = "hoarding-limit",
        /// The meter's result: the frame is for another serial number.
        SerialMismatch = "serial-mismatch",
        /// The meter's result: the MAC is wrong.
        Mac = "mac",
        /// The meter's result: no account is open.
        AccountNotOpen = "account-not-open",
        /// The meter's result: an account is open already.
        AccountAlreadyOpen = "account-already-open",
        /// The meter's result: more than is left.
        ExceedsRemaining = "exceeds-remaining",
        /// The meter's result: the challenge was not the current one.
        StaleChallenge = "stale-challenge",
        /// The meter's result: a value is out of range.
        OutOfRange = "out-of-range",
        /// A result code that the profile does not define.
        UnknownResult = "unknown-result",
        /// The meter took the command each time and shows that nothing was applied.
        Contradiction = "contradiction",
        /// Only the closure is left of the meter's purchase counts.
        CountEnds = "count-ends",
        /// The ledger has no such account.
        NoAccount = "no-account",
        /// The command's arguments are invalid, or the meter has no wallet.
        Invalid = "invalid",
        /// The gateway or meter refused the Modbus frame.
        FrameRefused = "frame-refused",
        /// The meter's journal has no record of the closure.
        NoFinalRecord = "no-final-record",
    }

    /// What is wrong with a counter value.
    pub enum HeldReadingReason {
        Fell = "fell",
        Jumped = "jumped",
        Disordered = "disordered",
        Reset = "reset",
    }

    /// Why a verified payment message opens a case.
    pub enum PaymentReason {
        /// No attempt has this number.
        Unknown = "unknown",
        /// The attempt is another channel's.
        Channel = "channel",
        /// Another application at the channel.
        App = "app",
        /// Another merchant at the channel.
        Seller = "seller",
        /// Not in yuan.
        Currency = "currency",
        /// Another amount than was ordered.
        Amount = "amount",
        /// The order was paid before.
        PaidTwice = "paid-twice",
        /// The channel refunded without a request of this system.
        Refunded = "refunded",
    }

    /// How a channel's message came.
    pub enum PaymentSource {
        Notify = "notify",
        Query = "query",
        /// A line of the channel's statement, booked by a person.
        Statement = "statement",
    }

    /// What happened to a refund that needs a person.
    pub enum RefundTrouble {
        /// The channel gives no final answer; it is still queried.
        Slow = "slow",
        /// The merchant's balance at the channel does not cover it; it is requested again.
        NoFunds = "no-funds",
        /// The credentials of the merchant that was paid are not configured.
        NoMerchant = "no-merchant",
        /// The channel refused it.
        Failed = "failed",
        /// The second person rejected it.
        Rejected = "rejected",
        /// The requester cancelled it.
        Cancelled = "cancelled",
        /// Nobody approved it in time.
        Expired = "expired",
    }

    /// Why an account closure cannot continue.
    pub enum ClosingReason {
        /// A meter does not answer.
        Lost = "lost",
        /// The return of the balance was not approved.
        NotApproved = "not-approved",
        /// The account that the balance was to go to accepts no money.
        TakesNothing = "takes-nothing",
        /// Nobody has decided where the balance goes.
        Undecided = "undecided",
    }

    /// A journal record that moves money.
    pub enum MoneyRecord {
        Credit = "credit",
        Debit = "debit",
    }

    /// Why a meter cannot be read as it is registered.
    pub enum UnusableReason {
        /// The unit id is not between 1 and 247.
        Unit = "unit",
        /// The serial number does not have 12 digits.
        Serial = "serial",
        /// No profile has this name.
        Profile = "profile",
        /// The gateway's framing does not carry the meter's protocol.
        Framing = "framing",
    }

    /// How near the end of a certificate is.
    pub enum CertificateState {
        ThirtyDays = "30-days",
        SevenDays = "7-days",
        /// It has expired.
        Expired = "over",
    }
}

/// Why a refund needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RefundReason {
    Trouble(RefundTrouble),
    /// It could not be requested at all.
    Refused(AppError),
}
