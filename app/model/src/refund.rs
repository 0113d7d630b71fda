//! A refund's way from its decision back to the payer.

use serde::{Deserialize, Serialize};

use super::order::words;

/// Where a refund stands. `Done`, `Failed`, `Rejected`, `Cancelled` and `Expired` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// A second person must approve.
    Waiting,
    /// The channel is asked, under one number, until it gives its final word.
    Sending,
    /// To be paid over the counter.
    Payable,
    /// With the payer.
    Done,
    /// The channel said, finally, that it will not; a case names the next step.
    Failed,
    /// The second person said no.
    Rejected,
    /// Taken back before anything was sent or paid.
    Cancelled,
    /// Nobody approved in time.
    Expired,
}

/// What a refund gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundSource {
    /// Money that credits nothing: paid twice, or not of the amount asked.
    Suspense,
    /// An order that was paid and is not to be delivered.
    Order,
    /// A return or correction that was taken out of a wallet.
    Return,
}

words! {
    RefundState {
        Waiting = "waiting", Sending = "sending", Payable = "payable", Done = "done", Failed = "failed", Rejected = "rejected",
        Cancelled = "cancelled", Expired = "expired",
    }
    RefundSource { Suspense = "suspense", Order = "order", Return = "return" }
}

impl RefundState {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Waiting, Self::Sending, Self::Payable, Self::Done, Self::Failed, Self::Rejected, Self::Cancelled, Self::Expired];

    /// Whether its amount counts against what was paid: it went back, or may.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending | Self::Payable | Self::Done)
    }
}
