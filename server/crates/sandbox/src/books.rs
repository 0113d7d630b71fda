//! What the sandbox knows of trades; its own truth, against which the product's books are held.

use std::collections::BTreeMap;

use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a trade stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The payer is at the cashier.
    WaitBuyerPay,
    TradeSuccess,
    /// Ended unpaid, or all of it went back.
    TradeClosed,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitBuyerPay => "WAIT_BUYER_PAY",
            Self::TradeSuccess => "TRADE_SUCCESS",
            Self::TradeClosed => "TRADE_CLOSED",
        }
    }
}

/// A trade. It exists from the moment the payer reached the cashier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trade {
    /// The channel whose trade it is.
    pub tender: Tender,
    /// The merchant's number.
    pub out_trade_no: String,
    pub trade_no: String,
    /// The secret part of the cashier's address.
    pub token: String,
    pub amount: Fen,
    pub subject: String,
    /// Where to notify.
    pub notify_url: String,
    /// Where the payer returns to.
    pub return_url: String,
    /// Where the payer goes who gives up.
    pub quit_url: String,
    /// Where it stands.
    pub status: Status,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// What went back, by the refund's number.
    pub refunds: BTreeMap<String, Fen>,
    /// What is to go back and takes its time.
    pub pending: BTreeMap<String, Fen>,
    /// How many notifications were sent.
    pub notified: u32,
    /// How many of them were answered with success.
    pub acknowledged: u32,
}

impl Trade {
    /// All that went back.
    #[must_use]
    pub fn refunded(&self) -> Fen {
        self.refunds.values().copied().sum()
    }

    /// Closes it if its time is over.
    pub(super) fn expire(&mut self, now: Timestamp) {
        if self.status == Status::WaitBuyerPay && now >= self.expires_at {
            self.status = Status::TradeClosed;
        }
    }

    /// Pays it, if it can be paid.
    pub(super) fn pay(&mut self, now: Timestamp) -> bool {
        self.expire(now);
        if self.status != Status::WaitBuyerPay {
            return false;
        }
        self.status = Status::TradeSuccess;
        self.paid_at = Some(now);
        true
    }

    /// Gives a part back; the same number again gives nothing more.
    pub(super) fn refund(&mut self, request: &str, amount: Fen, at_once: bool) -> bool {
        if let Some(before) = self.refunds.get(request).or_else(|| self.pending.get(request)) {
            return *before == amount;
        }
        let under_way: Fen = self.pending.values().copied().sum();
        let much = self.refunded() + under_way + amount > self.amount;
        if self.status != Status::TradeSuccess || amount <= Fen::ZERO || much {
            return false;
        }
        self.pending.insert(request.to_owned(), amount);
        if at_once {
            self.end_refunds();
        }
        true
    }

    /// What took its time is with the payer. Says whether there was anything.
    pub(super) fn end_refunds(&mut self) -> bool {
        let any = !self.pending.is_empty();
        self.refunds.append(&mut self.pending);
        if self.refunded() == self.amount {
            self.status = Status::TradeClosed;
        }
        any
    }
}
