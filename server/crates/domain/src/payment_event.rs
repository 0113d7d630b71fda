//! What a channel reports about a trade or a refund, after its signature was verified. Only these events change payment states.

pub use model::case::PaymentSource as EventSource;
use model::money::Fen;
use model::order::Tender;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The payer paid; the channel holds the money for the merchant.
    Paid,
    /// The trade ended unpaid.
    Closed,
    /// The channel has no such trade: the payer has not reached its cashier, and may still do so.
    Absent,
    /// The total of all refunds of the trade.
    Refunded(Fen),
    /// The trade was paid, and some of it is going back; the channel does not say how much.
    RefundStarted,
    /// The refund with this event's `refund_no` reached the payer.
    RefundSucceeded,
    /// The refund with this event's `refund_no` ended without moving money.
    RefundFailed,
}

model::word_enum! {
    /// The kind of a stored payment event. With the trade number, the refund's number and the total of refunds it identifies the
    /// event, so that a repeated message is stored once.
    pub enum StoredEventKind {
        Paid = "paid",
        /// A payment notification that does not fit its attempt; the channel's answer to a query counts.
        PaidHeld = "paid-held",
        Closed = "closed",
        /// One refund, by its number.
        Refunded = "refunded",
        /// A refund of this system, reported with another amount or trade.
        RefundHeld = "refund-held",
        /// A refund of this system that moved no money.
        RefundFailed = "refund-failed",
        /// All refunds of a trade, by their total.
        RefundTotal = "refund-total",
    }
}

/// The facts of a message whose signature was verified.
#[derive(Clone, Debug)]
pub struct VerifiedEvent(EventFacts);

/// What a channel's message says, in the terms of all channels.
#[derive(Clone, Debug)]
pub struct EventFacts {
    pub channel: Tender,
    pub kind: EventKind,
    pub source: EventSource,
    /// The attempt's number, chosen by the merchant.
    pub out_trade_no: String,
    /// The channel's trade number; every kind but [`EventKind::Absent`] and some refusals has one.
    pub trade_no: Option<String>,
    /// The merchant's application, if the message names one.
    pub app_id: Option<String>,
    /// The merchant, if the message names one.
    pub seller_id: Option<String>,
    /// The refund's amount for [`EventKind::RefundSucceeded`] and [`EventKind::RefundFailed`], otherwise the trade's.
    pub amount: Fen,
    /// Whether `amount` is in yuan.
    pub cny: bool,
    /// The refund's number, chosen by the merchant, for [`EventKind::RefundSucceeded`] and [`EventKind::RefundFailed`].
    pub refund_no: Option<String>,
    /// Whether the channel says that it refunds nothing of this trade any more.
    pub finished: bool,
    /// SHA-256 of the message as received.
    pub digest: Vec<u8>,
}

impl VerifiedEvent {
    /// The caller has verified the signature of the message that these facts come from. Clippy's `disallowed-methods` forbids
    /// calls outside `payments::verified`.
    #[must_use]
    pub const fn from_verified_signature(facts: EventFacts) -> Self {
        Self(facts)
    }

    #[must_use]
    pub const fn channel(&self) -> Tender {
        self.0.channel
    }

    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.0.kind
    }

    #[must_use]
    pub const fn source(&self) -> EventSource {
        self.0.source
    }

    #[must_use]
    pub fn out_trade_no(&self) -> &str {
        &self.0.out_trade_no
    }

    #[must_use]
    pub fn trade_no(&self) -> Option<&str> {
        self.0.trade_no.as_deref()
    }

    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        self.0.app_id.as_deref()
    }

    #[must_use]
    pub fn seller_id(&self) -> Option<&str> {
        self.0.seller_id.as_deref()
    }

    #[must_use]
    pub const fn amount(&self) -> Fen {
        self.0.amount
    }

    #[must_use]
    pub const fn is_cny(&self) -> bool {
        self.0.cny
    }

    #[must_use]
    pub fn refund_no(&self) -> Option<&str> {
        self.0.refund_no.as_deref()
    }

    /// Whether the channel refunds nothing of this trade any more.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.0.finished
    }

    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.0.digest
    }
}
