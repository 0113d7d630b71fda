//! The simulated bank: trades, faults and keys shared by all channels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alipay;
use super::books::{PaidOrder, Status, Trade};
use super::faults::Faults;
use super::oauth::OAuth;
use super::unionpay::{TransactionRequest, Unionpay};
use super::wechat::Wechat;
use super::{Config, SandboxError};
use crate::state_file::SavedState;
use domain::clock::SharedClock;
use domain::rng::Rng;
use payments::rsa::{PrivateKey, PublicKey};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Bank(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub app_id: String,
    pub seller_id: String,
    pub wechat: Wechat,
    pub unionpay: Unionpay,
    pub oauth: OAuth,
    pub gateway_key: PrivateKey,
    /// Signs falsified notifications.
    pub forger_key: PrivateKey,
    pub app_key: PublicKey,
    pub speed: u32,
    pub clock: SharedClock,
    pub rng: Rng,
    pub client: reqwest::Client,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    trades: Mutex<BTreeMap<String, Trade>>,
    faults: Mutex<Faults>,
    /// Time of each refund, by trade and refund number.
    refunded_at: Mutex<BTreeMap<(String, String), Timestamp>>,
    /// A notification held back until the next one, for out-of-order delivery.
    held: Mutex<Option<Trade>>,
}

impl Bank {
    pub fn new(config: Config, stop: CancellationToken, tasks: TaskTracker) -> Result<Self, SandboxError> {
        let client = reqwest::Client::builder()
            .user_agent("dormwatt-sandbox")
            .timeout(Duration::from_secs(15))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(SandboxError::Client)?;
        let forger_key = config.keys.forger()?;
        Ok(Self(Arc::new(Inner {
            app_id: config.keys.app_id.clone(),
            seller_id: config.keys.seller_id.clone(),
            wechat: Wechat::of(&config.keys)?,
            oauth: OAuth::default(),
            unionpay: Unionpay::of(&config.keys, &forger_key)?,
            gateway_key: config.keys.gateway()?,
            forger_key,
            app_key: config.keys.app()?,
            speed: config.speed.max(1),
            clock: config.clock,
            rng: config.rng,
            client,
            stop,
            tasks,
            trades: Mutex::default(),
            faults: Mutex::default(),
            refunded_at: Mutex::default(),
            held: Mutex::default(),
        })))
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn faults(&self) -> Faults {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_faults(&self, faults: Faults) {
        *self.0.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Holds back this notification and returns `None`, or returns the one held back before.
    pub fn swap(&self, trade: &Trade) -> Option<Trade> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.take();
        if before.is_none() {
            *held = Some(trade.clone());
        }
        before
    }

    pub fn trades(&self) -> MutexGuard<'_, BTreeMap<String, Trade>> {
        self.0.trades.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn books(&self) -> Vec<Trade> {
        self.trades().values().cloned().collect()
    }

    /// The state that survives a restart.
    pub fn saved_state(&self) -> SavedState {
        let times = self.0.refunded_at.lock().unwrap_or_else(PoisonError::into_inner);
        let refunded = times.iter().map(|((trade, refund), at)| (trade.clone(), refund.clone(), *at)).collect();
        SavedState { trades: self.books(), refunded, asked: self.0.unionpay.transaction_requests().clone() }
    }

    pub fn restore(&self, state: SavedState) {
        self.trades().extend(state.trades.into_iter().map(|trade| (trade.out_trade_no.clone(), trade)));
        let mut times = self.0.refunded_at.lock().unwrap_or_else(PoisonError::into_inner);
        times.extend(state.refunded.into_iter().map(|(trade, refund, at)| ((trade, refund), at)));
        self.0.unionpay.transaction_requests().extend(state.asked);
    }

    /// A trade in its current state, closed if it has expired.
    pub fn find(&self, out_trade_no: &str) -> Option<Trade> {
        let now = self.now();
        let mut trades = self.trades();
        let trade = trades.get_mut(out_trade_no)?;
        trade.expire(now);
        Some(trade.clone())
    }

    /// Finds a trade by the secret token of its cashier URL.
    pub fn by_token(&self, token: &str) -> Option<Trade> {
        let number = self.trades().values().find(|trade| trade.token == token)?.out_trade_no.clone();
        self.find(&number)
    }

    pub fn pay(&self, out_trade_no: &str) -> bool {
        let now = self.now();
        let paid = self.trades().get_mut(out_trade_no).is_some_and(|trade| trade.pay(now));
        if paid {
            tracing::info!(out_trade_no, "sandbox.paid");
            self.notify(out_trade_no);
        }
        paid
    }

    /// Books a paid trade.
    pub fn take(&self, order: &PaidOrder<'_>) {
        let (now, rng) = (self.now(), &self.0.rng);
        let trade_no = match order.tender {
            Tender::WechatPay => format!("42{:026}", rng.next_u64()),
            Tender::UnionPay => format!("95{:019}", rng.below(10_u64.pow(18))),
            _ => alipay::trade_no(self, now),
        };
        if order.tender == Tender::UnionPay {
            let (number, request) = (order.out_trade_no.to_owned(), TransactionRequest::at(order.ordered_at));
            self.0.unionpay.transaction_requests().insert(number, request);
        }
        let trade = Trade {
            tender: order.tender,
            out_trade_no: order.out_trade_no.to_owned(),
            trade_no,
            token: hex::encode(rng.bytes::<16>()),
            amount: order.amount,
            subject: order.subject.to_owned(),
            way: String::new(),
            notify_url: String::new(),
            return_url: String::new(),
            quit_url: String::new(),
            status: Status::TradeSuccess,
            expires_at: now,
            paid_at: Some(now),
            refunds: BTreeMap::new(),
            pending: BTreeMap::new(),
            notified: 0,
            acknowledged: 0,
        };
        self.trades().insert(trade.out_trade_no.clone(), trade);
    }

    pub fn refunded_at(&self, out_trade_no: &str, request: &str) -> Option<Timestamp> {
        let times = self.0.refunded_at.lock().unwrap_or_else(PoisonError::into_inner);
        times.get(&(out_trade_no.to_owned(), request.to_owned())).copied()
    }

    pub fn refund(&self, out_trade_no: &str, request: &str, amount: Fen) -> bool {
        let at_once = !self.faults().refund_slow;
        let refunded = self.trades().get_mut(out_trade_no).is_some_and(|trade| trade.refund(request, amount, at_once));
        if refunded {
            let mut times = self.0.refunded_at.lock().unwrap_or_else(PoisonError::into_inner);
            times.entry((out_trade_no.to_owned(), request.to_owned())).or_insert_with(|| self.now());
        }
        if refunded && at_once {
            tracing::info!(out_trade_no, %amount, "sandbox.refunded");
            self.notify(out_trade_no);
        }
        refunded
    }

    /// Completes pending refunds unless the fault `refund_slow` is set.
    pub fn end_refunds(&self, out_trade_no: &str) {
        let ended = !self.faults().refund_slow && self.trades().get_mut(out_trade_no).is_some_and(Trade::end_refunds);
        if ended {
            self.notify(out_trade_no);
        }
    }
}
