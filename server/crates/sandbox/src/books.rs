//! The sandbox's trades, with which tests compare the product's ledger.

use std::collections::BTreeMap;

use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    WaitBuyerPay,
    TradeSuccess,
    /// Expired or closed unpaid, or refunded in full.
    TradeClosed,
}

impl Status {
    /// Alipay's name of the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitBuyerPay => "WAIT_BUYER_PAY",
            Self::TradeSuccess => "TRADE_SUCCESS",
            Self::TradeClosed => "TRADE_CLOSED",
        }
    }
}

/// An order that is paid without a browser.
#[derive(Clone, Copy, Debug)]
pub struct PaidOrder<'a> {
    pub tender: Tender,
    pub out_trade_no: &'a str,
    pub amount: Fen,
    /// What is bought.
    pub subject: &'a str,
    /// The time in the request; UnionPay's queries repeat it.
    pub ordered_at: Timestamp,
}

/// Created when the payer reaches the cashier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trade {
    pub tender: Tender,
    pub out_trade_no: String,
    pub trade_no: String,
    /// Secret part of the cashier URL.
    pub token: String,
    pub amount: Fen,
    pub subject: String,
    /// WeChat Pay: the way by which it was created, and the payer where that is one.
    #[serde(default)]
    pub way: String,
    pub notify_url: String,
    /// Return URL after payment.
    pub return_url: String,
    /// Return URL after cancelling.
    pub quit_url: String,
    pub status: Status,
    pub expires_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    /// Completed refunds by number.
    pub refunds: BTreeMap<String, Fen>,
    /// Refunds in progress by number.
    pub pending: BTreeMap<String, Fen>,
    /// Number of notifications sent.
    pub notified: u32,
    /// Number of notifications acknowledged.
    pub acknowledged: u32,
}

impl Trade {
    /// Total of completed refunds.
    #[must_use]
    pub fn refunded(&self) -> Fen {
        self.refunds.values().copied().sum()
    }

    /// Closes the trade if it is unpaid and has expired.
    pub(super) fn expire(&mut self, now: Timestamp) {
        if self.status == Status::WaitBuyerPay && now >= self.expires_at {
            self.status = Status::TradeClosed;
        }
    }

    /// Pays the trade; false if that is not possible.
    pub(super) fn pay(&mut self, now: Timestamp) -> bool {
        self.expire(now);
        if self.status != Status::WaitBuyerPay {
            return false;
        }
        self.status = Status::TradeSuccess;
        self.paid_at = Some(now);
        true
    }

    /// Refunds a part; repeating a number refunds once. False if that is not possible.
    pub(super) fn refund(&mut self, request: &str, amount: Fen, at_once: bool) -> bool {
        if let Some(before) = self.refunds.get(request).or_else(|| self.pending.get(request)) {
            return *before == amount;
        }
        let under_way: Fen = self.pending.values().copied().sum();
        let exceeds_amount = self.refunded() + under_way + amount > self.amount;
        if self.status != Status::TradeSuccess || amount <= Fen::ZERO || exceeds_amount {
            return false;
        }
        self.pending.insert(request.to_owned(), amount);
        if at_once {
            self.end_refunds();
        }
        true
    }

    /// Completes the refunds in progress; returns whether there were any.
    pub(super) fn end_refunds(&mut self) -> bool {
        let any = !self.pending.is_empty();
        self.refunds.append(&mut self.pending);
        if self.refunded() == self.amount {
            self.status = Status::TradeClosed;
        }
        any
    }
}
