//! States of orders, returns and commands, and tenders.

use serde::{Deserialize, Serialize};

use crate::money::Fen;
use crate::word_enum;

word_enum! {
    /// State of a sale. `Credited`, `Closed` and `Refunded` are final; `Case` waits for a person.
    pub enum OrderState {
        /// Waiting for the payment channel.
        Pending = "pending",
        /// Paid; delivery in progress.
        Paid = "paid",
        /// In the meter: read back with its purchase count.
        Credited = "credited",
        /// Ended without payment.
        Closed = "closed",
        Refunding = "refunding",
        Refunded = "refunded",
        /// An operator decides; the case names the next step.
        Case = "case",
    }

    /// How an order is paid.
    pub enum Tender {
        /// Cash at the cash desk.
        Cash = "cash",
        /// Card terminal at the cash desk.
        Card = "card",
        Transfer = "transfer",
        /// Alipay mobile web.
        Alipay = "alipay",
        /// WeChat Pay: in the browser of a phone, or by a QR code.
        WechatPay = "wechat",
        /// UnionPay online gateway.
        UnionPay = "unionpay",
        /// A subsidy of the site.
        Subsidy = "subsidy",
        /// The balance of another meter that was closed.
        Carried = "carried",
        /// The balance in an older system, when the site was taken over from it.
        TakenOver = "taken_over",
    }

    /// How a payer reaches a channel's cashier. A channel may refuse one number by two ways.
    pub enum PaymentWay {
        /// By a form or address of the browser's own.
        Form = "form",
        /// WeChat Pay in the browser of a phone.
        H5 = "h5",
        /// WeChat Pay by a QR code.
        Native = "native",
        /// WeChat Pay inside WeChat, for one payer.
        Jsapi = "jsapi",
    }

    /// Kind of a return.
    pub enum ReturnKind {
        /// The resident is paid out.
        Return = "return",
        /// Correction of a wrong sale.
        UndoSale = "undo_sale",
        /// Correction of a wrong return: the amount is paid in and credited again.
        UndoReturn = "undo_return",
    }

    /// State of a return or correction. `Done`, `Refused`, `Rejected`, `Cancelled` and `Expired` are final.
    pub enum ReturnState {
        /// A second person must approve.
        Waiting = "waiting",
        /// The debit is being delivered; nothing is paid out before it is read back.
        Taking = "taking",
        /// Debited from the meter; to be paid out.
        Taken = "taken",
        /// An operator decides; the case names the next step.
        Case = "case",
        Done = "done",
        /// Refused by the meter, which holds less. Nothing was paid out.
        Refused = "refused",
        /// Rejected by the second person.
        Rejected = "rejected",
        /// Cancelled before anything was sent.
        Cancelled = "cancelled",
        /// Not approved in time.
        Expired = "expired",
    }

    /// State of a command.
    pub enum CommandState {
        /// Stored, not sent yet.
        Queued = "queued",
        /// Sent, or about to be; its effect is unknown until the meter is read back.
        Sending = "sending",
        /// Read back from the meter.
        Done = "done",
        /// The meter refused it; nothing changed.
        Failed = "failed",
        /// The outcome cannot be decided by the purchase count; an operator decides.
        Case = "case",
        /// Replaced by a newer command for the same meter before it was sent.
        Superseded = "superseded",
    }
}

impl Tender {
    /// Whether a payment channel collects it.
    #[must_use]
    pub const fn is_channel(self) -> bool {
        matches!(self, Self::Alipay | Self::WechatPay | Self::UnionPay)
    }

    /// Whether a sale by it can be corrected: somebody paid for it here.
    #[must_use]
    pub const fn is_correctable(self) -> bool {
        !matches!(self, Self::Subsidy | Self::Carried | Self::TakenOver)
    }

    /// What can still be corrected of a delivered sale by it, where corrections have taken or reserved `corrected`. A sale at the
    /// cash desk is corrected once; one through a channel may be in parts, which go back through it.
    #[must_use]
    pub fn left_to_correct(self, amount: Fen, corrected: Fen) -> Fen {
        let is_over = corrected > Fen::ZERO && !self.is_channel();
        if is_over || !self.is_correctable() { Fen::ZERO } else { (amount - corrected).max(Fen::ZERO) }
    }

    /// Tenders of the cash desk.
    pub const COUNTER: [Self; 3] = [Self::Cash, Self::Card, Self::Transfer];

    /// Whether it is taken at the cash desk.
    #[must_use]
    pub const fn is_counter(self) -> bool {
        matches!(self, Self::Cash | Self::Card | Self::Transfer)
    }
}

impl OrderState {
    /// Whether the state is final.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Credited | Self::Closed | Self::Refunded)
    }
}

impl ReturnState {
    /// Whether it has changed or is changing the balance; before, a person must approve, and otherwise it came to nothing.
    #[must_use]
    pub const fn is_carried_out(self) -> bool {
        matches!(self, Self::Taking | Self::Taken | Self::Case | Self::Done)
    }

    /// Whether its amount is out of the meter.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Taken | Self::Done)
    }
}

impl CommandState {
    /// Whether the state is final.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Case | Self::Superseded)
    }
}

/// What corrections, and returns through the channel of the payment, took back of a delivered sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// Out of the meter.
    pub done: Fen,
    /// What is being debited from the meter now.
    pub coming: Fen,
}

/// Why a request to a payment channel failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelFailure {
    Unreachable,
    /// It answered with an HTTP error status and nothing signed.
    Status,
    /// The response is unsigned, malformed or about something else.
    Response,
    /// The channel answered with an error code.
    Refused,
    /// The request could not be signed.
    Signing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sales_at_the_desk_are_corrected_once() {
        let left = |tender: Tender, corrected| tender.left_to_correct(Fen(10_000), Fen(corrected));
        for tender in Tender::ALL {
            let whole = if tender.is_correctable() { Fen(10_000) } else { Fen::ZERO };
            let rest = if tender.is_channel() { Fen(7_000) } else { Fen::ZERO };
            assert_eq!((left(tender, 0), left(tender, 3_000), left(tender, 10_000)), (whole, rest, Fen::ZERO), "{tender:?}");
        }
    }
}
