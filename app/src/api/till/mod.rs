//! The till: returns, corrections and their approval, receipts. Everything is bound to the buildings that the operator may see.

mod actions;
mod ledger;
mod refunds;
mod shifts;

use std::sync::Arc;

use async_trait::async_trait;

use crate::api::operator::Page;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::{MeterId, OrderId, PlaceId, RefundId, ReturnId, ShiftId, Uuid};
use model::money::Fen;
use model::subsidy::{Month, Per};
use model::time::Timestamp;

pub use actions::{
    ApproveReturn, AskReturn, CancelReturn, Correct, PayOut, PrintReceipt, RejectReturn, approve_return, ask_return,
    cancel_return, correct, pay_out, print_receipt, reject_return,
};
pub use ledger::{SetSubsidy, Subsidies, SubsidyRule, TrialBalance, TrialLine, set_subsidy};
pub use model::console::{
    ChannelSale, ConsoleRefund, MOST_SAID, OrderMoney, Original, Receipt, ReceiptNumber, ReceiptOf, RecordLine, RecordQuery,
    RecordState, Records, RefundLine, RefundOf, RefundQuery, RefundRequest, Refundable, ReturnLine, ReturnRequest, ReturnTarget,
    parts, said,
};
pub use refunds::{
    ApproveRefund, AskRefund, CancelRefund, ClearRefund, DeliverOrder, PayRefund, RejectRefund, WriteOffRefund, approve_refund,
    ask_refund, cancel_refund, clear_refund, deliver_order, pay_refund, reject_refund, write_off_refund,
};
pub use shifts::{CloseShift, OpenShift, Shift, ShiftEnd, Shifts, Takings, close_shift, open_shift};

/// What the server does for the pages of the till.
#[async_trait]
pub trait TillPort: Send + Sync {
    /// Asks for a return or a correction.
    async fn ask(&self, who: &Who, wish: &ReturnRequest) -> Result<ReturnId, AppError>;
    /// The second person says yes.
    async fn approve(&self, who: &Who, id: ReturnId) -> Result<(), AppError>;
    /// The second person says no, and why.
    async fn reject(&self, who: &Who, id: ReturnId, why: &str) -> Result<(), AppError>;
    /// Takes a wish back of which nothing was sent.
    async fn cancel(&self, who: &Who, id: ReturnId) -> Result<(), AppError>;
    /// The money leaves the counter.
    async fn pay_out(&self, who: &Who, id: ReturnId) -> Result<(), AppError>;
    /// A return or correction, and how far it is.
    async fn a_return(&self, who: &Who, id: ReturnId) -> Result<ReturnLine, AppError>;
    /// What waits for a second person, oldest first; and whether this operator may be one.
    async fn approvals(&self, who: &Who, page: i64) -> Result<(Page<ReturnLine>, bool), AppError>;
    /// Refunds, newest first.
    async fn refunds(&self, who: &Who, query: &RefundQuery) -> Result<Page<RefundLine>, AppError>;
    /// A refund, and how far it is.
    async fn refund(&self, who: &Who, id: RefundId) -> Result<RefundLine, AppError>;
    /// What of an order may go back, and what did.
    async fn order_money(&self, who: &Who, order: OrderId) -> Result<OrderMoney, AppError>;
    /// Asks for a refund.
    async fn ask_refund(&self, who: &Who, wish: &RefundRequest) -> Result<RefundId, AppError>;
    /// The second person says yes.
    async fn approve_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError>;
    /// The second person says no, and why.
    async fn reject_refund(&self, who: &Who, id: RefundId, why: &str) -> Result<(), AppError>;
    /// Takes a refund back of which nothing went.
    async fn cancel_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError>;
    /// A refund leaves the counter.
    async fn pay_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError>;
    /// What went back at the channel's console has paid what waits to go back.
    async fn clear_refund(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError>;
    /// What went back at the channel's console is lost.
    async fn write_off_refund(&self, who: &Who, order: OrderId, reason: &str) -> Result<(), AppError>;
    /// An order is delivered after all that was not given back.
    async fn deliver(&self, who: &Who, order: OrderId) -> Result<(), AppError>;
    /// Sales of a meter that may go back through their channel, newest first.
    async fn by_channel(&self, who: &Who, meter: MeterId) -> Result<Vec<ChannelSale>, AppError>;
    /// A sale or return that may be corrected.
    async fn original(&self, who: &Who, id: Uuid) -> Result<Original, AppError>;
    async fn receipt(&self, who: &Who, number: ReceiptNumber) -> Result<Receipt, AppError>;
    /// Counts a print of it.
    async fn print(&self, who: &Who, number: ReceiptNumber) -> Result<(), AppError>;
    /// The register, with the totals of the whole filter.
    async fn records(&self, who: &Who, query: &RecordQuery) -> Result<Records, AppError>;
    /// What every kind of account took and gave up to an instant; now, where none is named.
    async fn trial_balance(&self, who: &Who, at: Option<Timestamp>) -> Result<TrialBalance, AppError>;
    /// What was decided about subsidies.
    async fn subsidies(&self, who: &Who) -> Result<Subsidies, AppError>;
    /// Decides what rooms below a place get from a month on.
    async fn set_subsidy(&self, who: &Who, place: PlaceId, from: Month, per: Per, amount: Fen) -> Result<(), AppError>;
    /// The operator's drawer, and the newest shifts.
    async fn shifts(&self, who: &Who) -> Result<Shifts, AppError>;
    /// One shift: the own, or for an administrator any.
    async fn shift(&self, who: &Who, id: ShiftId) -> Result<Shift, AppError>;
    /// Opens the own drawer.
    async fn open_shift(&self, who: &Who, float: Fen) -> Result<(), AppError>;
    /// Closes a shift with what was counted.
    async fn close_shift(&self, who: &Who, id: ShiftId, counted: Fen, reason: &str) -> Result<(), AppError>;
}

/// The operator of the session, and the till.
#[derive(Clone)]
pub struct Till {
    pub who: Who,
    /// Whom they ask.
    pub port: Arc<dyn TillPort>,
}

/// The operator of the session, and the till.
///
/// # Errors
/// Where no operator is logged in.
pub fn till() -> Result<Till, AppError> {
    Ok(Till { who: operator()?, port: ports()?.till })
}
