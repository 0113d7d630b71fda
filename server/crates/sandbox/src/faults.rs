//! How the sandbox fails; settable while it runs.

use serde::{Deserialize, Serialize};

use super::statements::StatementFaults;

/// What goes wrong. The default is nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Notifications are lost on their way.
    pub lose: bool,
    /// How many copies of each notification are sent, all at once.
    pub copies: u32,
    /// Notifications are late by so much, ms.
    pub delay_ms: u64,
    /// Notifications are signed with a key that is not the gateway's.
    pub falsify: bool,
    /// Notifications name another amount, yuan.
    pub amount: Option<String>,
    /// Notifications name another merchant.
    pub seller_id: Option<String>,
    /// Notifications are cut off after half of their body.
    pub half: bool,
    /// Notifications name another application.
    pub app_id: Option<String>,
    /// The gateway will not give back.
    pub refund_refused: bool,
    /// The gateway takes refunds, and is at them for as long as this holds.
    pub refund_slow: bool,
    /// Notifications of refunds name another amount, yuan.
    pub refund_amount: Option<String>,
    /// Notifications name another currency, where the channel's name one.
    pub currency: Option<String>,
    /// UnionPay says this of trades in the place of 00.
    pub code: Option<String>,
    /// Of two notifications the first is sent after the second.
    pub reorder: bool,
    /// The gateway answers the product's calls with this HTTP status.
    pub status: Option<u16>,
    /// The gateway does what these methods ask for, and never says so.
    pub silent_on: Vec<String>,
    /// What is wrong with statements.
    pub statement: StatementFaults,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            lose: false,
            copies: 1,
            delay_ms: 0,
            falsify: false,
            half: false,
            amount: None,
            seller_id: None,
            app_id: None,
            refund_refused: false,
            refund_slow: false,
            refund_amount: None,
            currency: None,
            code: None,
            reorder: false,
            status: None,
            silent_on: Vec::new(),
            statement: StatementFaults::default(),
        }
    }
}
