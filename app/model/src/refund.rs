//! States and sources of refunds.

use crate::word_enum;

word_enum! {
    /// State of a refund. `Done`, `Failed`, `Rejected`, `Cancelled` and `Expired` are final.
    pub enum RefundState {
        /// A second person must approve.
        Waiting = "waiting",
        /// Requested from the channel under one number until its final answer.
        Sending = "sending",
        /// To be paid at the cash desk.
        Payable = "payable",
        /// With the payer.
        Done = "done",
        /// The channel refused it finally; a case names the next step.
        Failed = "failed",
        /// Rejected by the second person.
        Rejected = "rejected",
        /// Cancelled before anything was sent or paid.
        Cancelled = "cancelled",
        /// Not approved in time.
        Expired = "expired",
    }

    /// What holds up a refund that its channel is asked for. It is asked for again meanwhile.
    pub enum RefundObstacle {
        /// The merchant's balance at the channel does not cover it.
        NoFunds = "no-funds",
        /// The credentials of the merchant that was paid are not configured.
        NoMerchant = "no-merchant",
    }

    /// Source of a refund.
    pub enum RefundSource {
        /// A payment that credited no order: paid twice, or of another amount.
        Suspense = "suspense",
        /// A paid order that will not be delivered.
        Order = "order",
        /// A return or correction already debited from a wallet.
        Return = "return",
    }
}

impl RefundState {
    /// Whether its amount reduces what can still be refunded.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending | Self::Payable | Self::Done)
    }
}
