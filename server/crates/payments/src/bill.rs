//! What a channel's bill says of one of its settlement days. It is untrusted input like any other, and moves nothing: it is compared.

pub mod read;

use domain::statement::Bill;

pub use read::BillError;

/// What the channel answers when asked for a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillAnswer {
    /// Here it is, its own totals checked; without lines where the channel says that nothing happened.
    Ready(Bill),
    /// Not yet; ask again later.
    NotYet,
}
