//! The cash desk: one file a page area, each of which implements the port of that area.

mod ledger;
mod receipts;
mod refunds;
mod sales;
mod shifts;

use super::Context;
use domain::order::Limits;
use domain::refund;
use domain::returns::Rules;

pub use ledger::by_kind;

pub struct CashDeskService {
    context: Context,
    limits: Limits,
    rules: Rules,
    refund_rules: refund::Rules,
}

impl CashDeskService {
    #[must_use]
    pub const fn new(context: Context, limits: Limits, rules: Rules, refund_rules: refund::Rules) -> Self {
        Self { context, limits, rules, refund_rules }
    }
}
