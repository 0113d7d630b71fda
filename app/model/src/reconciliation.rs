//! Reconciliation: how a channel's statement differs from the ledger and the meters, and why a day has no statement.

use crate::case::CaseKind;
use crate::word_enum;

word_enum! {
    /// How a line or a posting differs.
    pub enum DifferenceClass {
        /// In the statement and not in the ledger.
        ChannelOnly = "channel-only",
        /// In the ledger and in no statement where it should be.
        LedgerOnly = "ledger-only",
        /// In both, with different amounts.
        Amount = "amount",
        /// In both, and the ledger moved nothing for it, or has another trade number.
        State = "state",
        /// Posted on another day than the statement's, or perhaps in a statement that is still to come. Not a difference.
        Edge = "edge",
        /// Statement and ledger agree, and the meter does not.
        Meter = "meter",
    }

    /// Why a line is in its class. Beside reasons of the comparison these are the states of what the ledger has: outcomes of
    /// payment events, states of attempts, and states of refunds.
    pub enum DifferenceReason {
        /// The ledger has no entry.
        Unknown = "unknown",
        /// A refund of a payment of this system that is not booked.
        Unbooked = "unbooked",
        /// The statement of a neighbouring day is still to come.
        StatementToCome = "statement-to-come",
        /// In another day's statement.
        OtherStatement = "other-statement",
        /// Posted on another day.
        OtherDay = "other-day",
        TradeNumber = "trade-number",
        /// The ledger moved money without a payment event.
        NoEvent = "no-event",
        /// Paid long ago, not delivered, and without a case.
        NotDelivered = "not-delivered",
        /// The ledger delivered another amount than was paid.
        DeliveredAmount = "delivered-amount",
        /// The meter's journal has another amount.
        Journal = "journal",
        /// The meter's purchase count fell.
        Count = "count",
        Credited = "credited",
        CreditedLate = "credited-late",
        PaidTwice = "paid-twice",
        Undeliverable = "undeliverable",
        Held = "held",
        Returned = "returned",
        Noted = "noted",
        Refunded = "refunded",
        Pending = "pending",
        Closing = "closing",
        Paid = "paid",
        Closed = "closed",
        Waiting = "waiting",
        Sending = "sending",
        Payable = "payable",
        Done = "done",
        Failed = "failed",
        Rejected = "rejected",
        Cancelled = "cancelled",
        Expired = "expired",
    }

    /// Why a settlement day has no statement.
    pub enum StatementProblem {
        /// Nobody requested it yet.
        NotRequested = "not-requested",
        /// The channel is still preparing it.
        NotReady = "not-ready",
        /// The channel reports a day without transactions, which is not confirmed yet.
        Empty = "empty",
        Unreachable = "unreachable",
        /// The channel answered with an HTTP error status.
        Status = "http-status",
        /// The response is not understood.
        Response = "response",
        /// The channel refuses it.
        Refused = "refused",
        /// The request could not be signed.
        Key = "key",
        /// The file does not unpack.
        Packed = "packed",
        Encoding = "encoding",
        Form = "form",
        /// A row has an unknown or invalid value.
        Field = "field",
        /// A column is missing.
        Column = "column",
        /// Too large when unpacked.
        TooLarge = "too-large",
        /// Another merchant's.
        Owner = "owner",
        /// Another day's.
        Day = "day",
        /// Has a transaction twice.
        Twice = "twice",
        /// Its lines do not add up to its totals.
        Totals = "totals",
        Digest = "digest",
    }
}

impl DifferenceClass {
    /// Whether a person must decide about it.
    #[must_use]
    pub const fn is_difference(self) -> bool {
        self.case().is_some()
    }

    /// The kind of case that it opens.
    #[must_use]
    pub const fn case(self) -> Option<CaseKind> {
        match self {
            Self::ChannelOnly => Some(CaseKind::StatementChannelOnly),
            Self::LedgerOnly => Some(CaseKind::StatementLedgerOnly),
            Self::Amount => Some(CaseKind::StatementAmount),
            Self::State => Some(CaseKind::StatementState),
            Self::Meter => Some(CaseKind::StatementMeter),
            Self::Edge => None,
        }
    }
}
