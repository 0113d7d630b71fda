//! Injected faults, changeable at run time.

use serde::{Deserialize, Serialize};

use super::books::Status;
use super::statements::StatementFaults;

/// No faults by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Notifications are not sent.
    pub lose: bool,
    /// Notifications are neither sent nor repeated later.
    pub mute: bool,
    /// Number of copies of each notification, sent concurrently.
    pub copies: u32,
    /// Notifications go to this address, as after a move of the product.
    pub notify_url: Option<String>,
    /// Delay of notifications, ms.
    pub delay_ms: u64,
    /// Messages are signed with a key that is not the gateway's.
    pub falsify: bool,
    /// WeChat Pay's messages have invalid signatures of the form of its own tests.
    pub probe: bool,
    /// Notifications name another amount, yuan.
    pub amount: Option<String>,
    /// Notifications name another merchant.
    pub seller_id: Option<String>,
    /// Notifications are cut off after half of their body.
    pub half: bool,
    /// Notifications name another application.
    pub app_id: Option<String>,
    /// Refunds are refused.
    pub refund_refused: bool,
    /// The merchant's balance covers no refund.
    pub refund_not_enough: bool,
    /// Paid trades can no longer be refunded (`TRADE_FINISHED` at Alipay).
    pub finished: bool,
    /// Alipay's notifications do not tell of refunds.
    pub hide_refunds: bool,
    /// Refunds stay in progress.
    pub refund_slow: bool,
    /// Notifications of refunds name another amount, yuan.
    pub refund_amount: Option<String>,
    /// Notifications name another currency, for channels that name one.
    pub currency: Option<String>,
    /// UnionPay's result code of trades, instead of `00`.
    pub code: Option<String>,
    /// Each second notification is sent before the first.
    pub reorder: bool,
    /// HTTP status of all responses to the product.
    pub status: Option<u16>,
    /// Requests of these methods are executed but not answered.
    pub silent_on: Vec<String>,
    /// Delay of WeChat Pay's answers, ms.
    pub answer_delay_ms: u64,
    pub statement: StatementFaults,
}

impl Faults {
    /// Alipay's name of a trade's status.
    pub(super) const fn trade_status(&self, status: Status) -> &'static str {
        match status {
            Status::TradeSuccess if self.finished => "TRADE_FINISHED",
            status => status.as_str(),
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            lose: false,
            mute: false,
            copies: 1,
            notify_url: None,
            delay_ms: 0,
            falsify: false,
            probe: false,
            half: false,
            amount: None,
            seller_id: None,
            app_id: None,
            refund_refused: false,
            refund_not_enough: false,
            hide_refunds: false,
            finished: false,
            refund_slow: false,
            refund_amount: None,
            currency: None,
            code: None,
            reorder: false,
            status: None,
            silent_on: Vec::new(),
            answer_delay_ms: 0,
            statement: StatementFaults::default(),
        }
    }
}
