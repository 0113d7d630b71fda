//! Receipt printers, and receipts on their way to them.

use super::ReceiptNumber;
use crate::ids::{PrintJobId, PrinterId};
use crate::receipt_sheet::PrinterTrouble;
use crate::time::Timestamp;
use crate::word_enum;

/// A receipt printer in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printer {
    pub id: PrinterId,
    pub name: String,
    pub host: String,
    pub port: u16,
}

word_enum! {
    /// How far a print has come.
    pub enum PrintState {
        /// Nothing was sent yet.
        Queued = "queued",
        Sending = "sending",
        /// The printer confirmed it.
        Printed = "printed",
        /// It was sent and not confirmed: a person must look at the paper.
        Unknown = "unknown",
        /// A person saw it on paper.
        Seen = "seen",
        /// A person had it printed again, as a copy.
        Repeated = "repeated",
        /// The printer could not print for too long; nothing was sent.
        GivenUp = "given_up",
        Cancelled = "cancelled",
    }

    /// What a person decides about a print.
    pub enum PrintDecision {
        /// It came out as it should.
        Seen = "seen",
        /// Print it again; it is a copy then, for the first may be somewhere.
        Again = "again",
        /// It is not to be printed any more.
        Cancel = "cancel",
    }
}

impl PrintDecision {
    /// The states in which it can be decided.
    #[must_use]
    pub const fn is_open(self, state: PrintState) -> bool {
        match self {
            Self::Seen => matches!(state, PrintState::Unknown),
            Self::Again => matches!(state, PrintState::Unknown | PrintState::GivenUp),
            Self::Cancel => matches!(state, PrintState::Queued | PrintState::GivenUp),
        }
    }
}

/// A receipt on its way to a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintJob {
    pub id: PrintJobId,
    pub receipt: ReceiptNumber,
    /// Which print of the receipt it is; the first is the original.
    pub print: i64,
    pub printer: String,
    pub state: PrintState,
    /// What kept it from being printed, the last time.
    pub trouble: Option<PrinterTrouble>,
    pub by: String,
    pub asked_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_on_paper_is_decided_by_looking() {
        let open =
            |decision: PrintDecision| PrintState::ALL.into_iter().filter(|state| decision.is_open(*state)).collect::<Vec<_>>();
        assert_eq!(open(PrintDecision::Seen), [PrintState::Unknown]);
        assert_eq!(open(PrintDecision::Again), [PrintState::Unknown, PrintState::GivenUp]);
        assert_eq!(
            open(PrintDecision::Cancel),
            [PrintState::Queued, PrintState::GivenUp],
            "what is being sent cannot be stopped"
        );
    }
}
