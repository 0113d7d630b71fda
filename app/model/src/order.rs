//! An order's way from decision to credit, and a command's way from decision to read back.

use crate::word_enum;

word_enum! {
    /// Where a sale stands. `Credited`, `Closed` and `Refunded` are final; `Case` waits for a person.
    pub enum OrderState {
        /// Waiting for the payment channel.
        Pending = "pending",
        /// Paid; on its way into the meter.
        Paid = "paid",
        /// In the meter: read back with its purchase count.
        Credited = "credited",
        /// Ended without payment.
        Closed = "closed",
        /// The money goes back to the payer.
        Refunding = "refunding",
        /// The money is back with the payer.
        Refunded = "refunded",
        /// A person decides; the case names the next step.
        Case = "case",
    }

    /// How an order is paid.
    pub enum Tender {
        /// Cash at the counter.
        Cash = "cash",
        /// Card terminal at the counter.
        Card = "card",
        Transfer = "transfer",
        /// Alipay mobile web.
        Alipay = "alipay",
        /// WeChat Pay: in the browser of a phone, or by a QR code.
        WechatPay = "wechat",
        /// UnionPay online gateway.
        UnionPay = "unionpay",
        /// Nobody pays: a subsidy of the site.
        Subsidy = "subsidy",
        /// Nobody pays: it was left in another meter that was closed.
        Carried = "carried",
    }

    /// What a return is.
    pub enum ReturnKind {
        /// The resident gets money back.
        Return = "return",
        /// A wrong sale is taken back.
        UndoSale = "undo_sale",
        /// A wrong return is taken back: the money comes in and goes into the meter again.
        UndoReturn = "undo_return",
    }

    /// Where a return or correction stands. `Done`, `Refused`, `Rejected`, `Cancelled` and `Expired` are final.
    pub enum ReturnState {
        /// A second person must approve.
        Waiting = "waiting",
        /// The meter was told; nothing is paid out before it was read back.
        Taking = "taking",
        /// Out of the meter: to be paid out.
        Taken = "taken",
        /// A person decides; the case names the next step.
        Case = "case",
        Done = "done",
        /// The meter would not: it holds less. Nothing was paid.
        Refused = "refused",
        /// The second person said no.
        Rejected = "rejected",
        /// Taken back before anything was sent.
        Cancelled = "cancelled",
        /// Nobody approved in time.
        Expired = "expired",
    }

    /// Where a command stands.
    pub enum CommandState {
        /// Decided and stored; not sent yet.
        Queued = "queued",
        /// Sent, or about to be; its effect is unknown until the meter is read back.
        Sending = "sending",
        /// Read back from the meter.
        Done = "done",
        /// The meter refused it; nothing changed.
        Failed = "failed",
        /// Neither delivered nor undelivered by the rule; a person decides.
        Case = "case",
        /// A newer wish for the same meter took its place before it was sent.
        Superseded = "superseded",
    }
}

impl Tender {
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
