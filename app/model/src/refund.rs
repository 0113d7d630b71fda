//! A refund's way from its decision back to the payer.

use crate::word_enum;

word_enum! {
    /// Where a refund stands. `Done`, `Failed`, `Rejected`, `Cancelled` and `Expired` are final.
    pub enum RefundState {
        /// A second person must approve.
        Waiting = "waiting",
        /// The channel is asked, under one number, until it gives its final word.
        Sending = "sending",
        /// To be paid over the counter.
        Payable = "payable",
        /// With the payer.
        Done = "done",
        /// The channel said, finally, that it will not; a case names the next step.
        Failed = "failed",
        /// The second person said no.
        Rejected = "rejected",
        /// Taken back before anything was sent or paid.
        Cancelled = "cancelled",
        /// Nobody approved in time.
        Expired = "expired",
    }

    /// What a refund gives back.
    pub enum RefundSource {
        /// Money that credits nothing: paid twice, or not of the amount asked.
        Suspense = "suspense",
        /// An order that was paid and is not to be delivered.
        Order = "order",
        /// A return or correction that was taken out of a wallet.
        Return = "return",
    }
}

impl RefundState {
    /// Whether its amount counts against what was paid: it went back, or may.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending | Self::Payable | Self::Done)
    }
}
