//! Statements of settlement days. They are untrusted input and move no money; reconciliation compares them with the ledger.

pub mod fields;

use domain::statement::Statement;

pub use fields::StatementError;

/// A channel's response to a request for a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementResponse {
    /// The statement, its own totals verified. It has no lines if the channel reports a day without transactions.
    Ready(Statement),
    /// The channel has not produced it yet.
    NotYet,
}
