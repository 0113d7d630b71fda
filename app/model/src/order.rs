//! An order's way from decision to credit, and a command's way from decision to read back.

use serde::{Deserialize, Serialize};

/// Where a sale stands. `Credited`, `Closed` and `Refunded` are final; `Case` waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Waiting for the payment channel.
    Pending,
    /// Paid; on its way into the meter.
    Paid,
    /// In the meter: read back with its purchase count.
    Credited,
    /// Ended without payment.
    Closed,
    /// The money goes back to the payer.
    Refunding,
    /// The money is back with the payer.
    Refunded,
    /// A person decides; the case names the next step.
    Case,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tender {
    /// Cash at the counter.
    Cash,
    /// Card terminal at the counter.
    Card,
    Transfer,
    /// Alipay mobile web.
    Alipay,
    /// WeChat Pay: in the browser of a phone, or by a QR code.
    WechatPay,
    /// UnionPay online gateway.
    UnionPay,
    /// Nobody pays: a subsidy of the site.
    Subsidy,
    /// Nobody pays: it was left in another meter that was closed.
    Carried,
}

/// What a return is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnKind {
    /// The resident gets money back.
    Return,
    /// A wrong sale is taken back.
    UndoSale,
    /// A wrong return is taken back: the money comes in and goes into the meter again.
    UndoReturn,
}

/// Where a return or correction stands. `Done`, `Refused`, `Rejected`, `Cancelled` and `Expired` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnState {
    /// A second person must approve.
    Waiting,
    /// The meter was told; nothing is paid out before it was read back.
    Taking,
    /// Out of the meter: to be paid out.
    Taken,
    /// A person decides; the case names the next step.
    Case,
    Done,
    /// The meter would not: it holds less. Nothing was paid.
    Refused,
    /// The second person said no.
    Rejected,
    /// Taken back before anything was sent.
    Cancelled,
    /// Nobody approved in time.
    Expired,
}

impl ReturnState {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Taking,
        Self::Taken,
        Self::Case,
        Self::Done,
        Self::Refused,
        Self::Rejected,
        Self::Cancelled,
        Self::Expired,
    ];
}

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Decided and stored; not sent yet.
    Queued,
    /// Sent, or about to be; its effect is unknown until the meter is read back.
    Sending,
    /// Read back from the meter.
    Done,
    /// The meter refused it; nothing changed.
    Failed,
    /// Neither delivered nor undelivered by the rule; a person decides.
    Case,
    /// A newer wish for the same meter took its place before it was sent.
    Superseded,
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl $type {
            /// The word that the database and the wire use.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }

            /// From that word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> { match word { $($word => Some(Self::$variant),)* _ => None } }
        }
    )*};
}
pub(super) use words;

words! {
    OrderState {
        Pending = "pending", Paid = "paid", Credited = "credited", Closed = "closed",
        Refunding = "refunding", Refunded = "refunded", Case = "case",
    }
    Tender {
        Cash = "cash", Card = "card", Transfer = "transfer", Alipay = "alipay", WechatPay = "wechat", UnionPay = "unionpay",
        Subsidy = "subsidy", Carried = "carried",
    }
    ReturnKind { Return = "return", UndoSale = "undo_sale", UndoReturn = "undo_return" }
    ReturnState {
        Waiting = "waiting", Taking = "taking", Taken = "taken", Case = "case", Done = "done", Refused = "refused",
        Rejected = "rejected", Cancelled = "cancelled", Expired = "expired",
    }
    CommandState {
        Queued = "queued", Sending = "sending", Done = "done", Failed = "failed", Case = "case", Superseded = "superseded",
    }
}

impl Tender {
    /// All ways to pay.
    pub const ALL: [Self; 8] =
        [Self::Cash, Self::Card, Self::Transfer, Self::Alipay, Self::WechatPay, Self::UnionPay, Self::Subsidy, Self::Carried];

    /// Whether a payment channel collects it, rather than somebody at the counter.
    #[must_use]
    pub const fn is_channel(self) -> bool {
        matches!(self, Self::Alipay | Self::WechatPay | Self::UnionPay)
    }

    /// What the counter takes and pays out.
    pub const COUNTER: [Self; 3] = [Self::Cash, Self::Card, Self::Transfer];

    /// Whether somebody at the counter takes it.
    #[must_use]
    pub const fn is_counter(self) -> bool {
        matches!(self, Self::Cash | Self::Card | Self::Transfer)
    }
}

impl OrderState {
    /// Nothing more will happen by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Credited | Self::Closed | Self::Refunded)
    }
}

impl CommandState {
    /// Nothing more will happen by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Case | Self::Superseded)
    }
}
