//! Details of cases about money: what was expected and what was found.

use serde::{Deserialize, Serialize};

use super::reasons::{HoldReason, MoneyRecord, PaymentReason, PaymentSource, RefundReason};
use crate::ids::ClosingId;
use crate::money::Fen;
use crate::order::{OrderState, Tender};
use crate::reconciliation::DifferenceReason;
use crate::time::{Date, Timestamp};

/// Why a money command is held, and what the meter shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCase {
    #[serde(rename = "why")]
    pub reason: HoldReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<MeterPosition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<MeterPosition>,
    #[serde(default, rename = "remaining_fen", skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Fen>,
    #[serde(default, rename = "limit_fen", skip_serializing_if = "Option::is_none")]
    pub limit: Option<Fen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u16>,
    /// The meter's result code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<u8>,
}

impl DeliveryCase {
    /// With a reason and nothing else.
    #[must_use]
    pub const fn new(reason: HoldReason) -> Self {
        Self { reason, expected: None, found: None, remaining: None, limit: None, count: None, result: None }
    }
}

/// What a meter shows or should show; only the fields that were compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeterPosition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u16>,
    /// The last order's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(rename = "cumulative_fen", skip_serializing_if = "Option::is_none")]
    pub cumulative: Option<Fen>,
}

/// A verified message of a channel that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCase {
    pub reason: PaymentReason,
    pub channel: Tender,
    pub source: PaymentSource,
    pub out_trade_no: String,
    pub trade_no: Option<String>,
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
    #[serde(rename = "refunded_fen")]
    pub refunded: Option<Fen>,
    #[serde(rename = "expected_fen")]
    pub expected: Option<Fen>,
    /// The order's state before the message.
    pub order_was: Option<OrderState>,
}

/// A payment that no meter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeliverableCase {
    /// The closure of the account that it was paid for.
    pub closing: Option<ClosingId>,
    pub channel: Option<Tender>,
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
}

/// A refund that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundCase {
    /// `None` where the channel reports a refund with another amount or trade.
    pub reason: Option<RefundReason>,
    /// The refund's number.
    pub refund: Option<String>,
    pub channel: Option<Tender>,
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
}

/// A record of the meter's journal that no command explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalCase {
    pub record: MoneyRecord,
    /// By the meter's clock.
    pub at: Option<Timestamp>,
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
    pub count: Option<u16>,
}

/// A difference between a channel's statement and the ledger or a meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementCase {
    pub channel: Tender,
    pub day: Date,
    pub out_trade_no: String,
    pub trade_no: String,
    /// The refund's number; empty for a payment.
    pub refund_no: String,
    #[serde(rename = "statement_fen")]
    pub statement: Option<Fen>,
    #[serde(rename = "ledger_fen")]
    pub ledger: Option<Fen>,
    pub reason: DifferenceReason,
}
