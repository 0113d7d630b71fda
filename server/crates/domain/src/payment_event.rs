//! What a channel said, after its signature was checked. Nothing else changes the state of a payment.

pub use model::case::PaymentSource as Source;
use model::money::Fen;
use model::order::Tender;

/// What happened at the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The payer's money is with the channel for us.
    Paid,
    /// The trade ended unpaid.
    Closed,
    /// The channel knows no such trade: the payer never reached its cashier, or not yet.
    Absent,
    /// So much of the trade went back to the payer, all refunds together.
    Refunded(Fen),
    /// Our refund of this number is with the payer.
    Returned,
    /// Our refund of this number did not happen.
    NotReturned,
}

/// A statement of a channel whose signature was good. Only this module's channels can make one.
#[derive(Clone, Debug)]
pub struct Verified(Statement);

/// What a channel reads out of a signed message.
#[derive(Clone, Debug)]
pub struct Statement {
    pub channel: Tender,
    pub kind: Kind,
    pub source: Source,
    pub out_trade_no: String,
    pub trade_no: Option<String>,
    pub app_id: Option<String>,
    pub seller_id: Option<String>,
    /// Of the trade; of the refund, where it is about one.
    pub amount: Fen,
    /// Whether that is in yuan.
    pub cny: bool,
    /// Our number of the refund, where it is about one.
    pub refund_no: Option<String>,
    /// SHA-256 of the message as it came.
    pub digest: Vec<u8>,
}

impl Verified {
    /// To be called with what was read from a message whose signature was good, and nowhere else.
    #[must_use]
    pub const fn from_verified_signature(statement: Statement) -> Self {
        Self(statement)
    }

    #[must_use]
    pub const fn channel(&self) -> Tender {
        self.0.channel
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.0.kind
    }

    /// How we heard.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.0.source
    }

    /// Our number of the attempt.
    #[must_use]
    pub fn out_trade_no(&self) -> &str {
        &self.0.out_trade_no
    }

    /// The channel's number of the trade; every kind but [`Kind::Absent`] has one.
    #[must_use]
    pub fn trade_no(&self) -> Option<&str> {
        self.0.trade_no.as_deref()
    }

    /// For which application, where the message says it.
    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        self.0.app_id.as_deref()
    }

    /// For which merchant, where the message says it.
    #[must_use]
    pub fn seller_id(&self) -> Option<&str> {
        self.0.seller_id.as_deref()
    }

    /// The trade's amount.
    #[must_use]
    pub const fn amount(&self) -> Fen {
        self.0.amount
    }

    /// Whether the amount is in yuan.
    #[must_use]
    pub const fn is_cny(&self) -> bool {
        self.0.cny
    }

    /// Our number of the refund; [`Kind::Returned`] and [`Kind::NotReturned`] have one.
    #[must_use]
    pub fn refund_no(&self) -> Option<&str> {
        self.0.refund_no.as_deref()
    }

    /// SHA-256 of the message.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.0.digest
    }
}
