//! What settling a verified event did.

use domain::payment::Mismatch;
use model::audit::AuditAction;
use model::word_enum;

/// What settling an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order is paid and its credit command stored.
    Credited {
        /// It had been closed.
        late: bool,
    },
    /// The order was paid before; the money is kept apart and a case is open.
    Twice,
    /// Something does not fit: stored, held, a case is open.
    Held(Mismatch),
    /// Heard before; nothing changed.
    Duplicate,
    /// The attempt ended unpaid.
    Closed,
    /// Paid for a meter that takes nothing any more; a case is open.
    Undeliverable,
    /// Our refund is with the payer.
    Returned,
    /// Our refund came to nothing; a case is open.
    NotReturned,
    /// Money went back that may be ours: the channel is asked.
    Noted,
    /// Money went back to the payer without us; a case is open.
    Refunded,
    /// It changes nothing (now).
    Ignored,
}

word_enum! {
    /// [`Outcome`] as the event row and the log hold it.
    pub enum RecordedOutcome {
        Credited = "credited",
        CreditedLate = "credited-late",
        PaidTwice = "paid-twice",
        Held = "held",
        Duplicate = "duplicate",
        Closed = "closed",
        Undeliverable = "undeliverable",
        Returned = "returned",
        NotReturned = "not-returned",
        Noted = "noted",
        Refunded = "refunded",
        Ignored = "ignored",
    }
}

impl Outcome {
    #[must_use]
    pub const fn recorded(self) -> RecordedOutcome {
        match self {
            Self::Credited { late: false } => RecordedOutcome::Credited,
            Self::Credited { late: true } => RecordedOutcome::CreditedLate,
            Self::Twice => RecordedOutcome::PaidTwice,
            Self::Held(_) => RecordedOutcome::Held,
            Self::Duplicate => RecordedOutcome::Duplicate,
            Self::Closed => RecordedOutcome::Closed,
            Self::Undeliverable => RecordedOutcome::Undeliverable,
            Self::Returned => RecordedOutcome::Returned,
            Self::NotReturned => RecordedOutcome::NotReturned,
            Self::Noted => RecordedOutcome::Noted,
            Self::Refunded => RecordedOutcome::Refunded,
            Self::Ignored => RecordedOutcome::Ignored,
        }
    }

    /// What the audit chain calls it.
    #[must_use]
    pub const fn action(self) -> AuditAction {
        match self.recorded() {
            RecordedOutcome::Credited => AuditAction::PaymentCredited,
            RecordedOutcome::CreditedLate => AuditAction::PaymentCreditedLate,
            RecordedOutcome::PaidTwice => AuditAction::PaymentPaidTwice,
            RecordedOutcome::Held => AuditAction::PaymentHeld,
            RecordedOutcome::Duplicate => AuditAction::PaymentDuplicate,
            RecordedOutcome::Closed => AuditAction::PaymentClosed,
            RecordedOutcome::Undeliverable => AuditAction::PaymentUndeliverable,
            RecordedOutcome::Returned => AuditAction::PaymentReturned,
            RecordedOutcome::NotReturned => AuditAction::PaymentNotReturned,
            RecordedOutcome::Noted => AuditAction::PaymentNoted,
            RecordedOutcome::Refunded => AuditAction::PaymentRefunded,
            RecordedOutcome::Ignored => AuditAction::PaymentIgnored,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.recorded().as_str()
    }
}
