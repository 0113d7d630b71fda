//! Sends signed notifications until the product acknowledges them.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use model::order::Tender;

use super::bank::Bank;
use super::books::{Status, Trade};
use super::faults::Faults;
use payments::alipay::sign::{SIGN_TYPE, notify_text};
use payments::form::{Fields, encode};

/// Delays before each attempt on the channel's schedule, seconds.
const fn pauses(tender: Tender) -> &'static [u64] {
    match tender {
        Tender::WechatPay => {
            &[0, 15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600]
        }
        Tender::UnionPay => &[0, 60, 60, 120, 60],
        _ => &[0, 240, 600, 600, 3_600, 7_200, 21_600, 54_000],
    }
}

#[derive(Clone)]
pub(super) struct NotificationRequest {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Bank {
    /// Starts notifying about a trade's current state; false if there is no such trade.
    pub fn notify(&self, out_trade_no: &str) -> bool {
        let Some(trade) = self.find(out_trade_no) else { return false };
        if self.faults().mute {
            return true;
        }
        let notify_id = hex::encode(self.0.rng.bytes::<17>());
        let sent = match self.faults().reorder.then(|| self.swap(&trade)) {
            None => vec![trade],
            Some(None) => return true,
            Some(Some(first)) => vec![trade, first],
        };
        let bank = self.clone();
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(async move {
            let all = async {
                for trade in &sent {
                    bank.send_until_acknowledged(trade, &notify_id).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = all => {}
            }
        });
        true
    }

    async fn send_until_acknowledged(&self, trade: &Trade, notify_id: &str) {
        for pause in pauses(trade.tender) {
            tokio::time::sleep(Duration::from_millis(pause * 1_000 / u64::from(self.0.speed))).await;
            let faults = self.faults();
            tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
            let Some(mut notification) = self.notification(trade, notify_id, &faults) else { return };
            if faults.half {
                let half = notification.body.len() / 2;
                notification.body.truncate(half);
            }
            let copies = (0..faults.copies.max(1)).map(|_| self.send(trade, notification.clone(), &faults));
            // With copies, one acknowledgement is enough.
            if futures::future::join_all(copies).await.contains(&true) {
                return;
            }
        }
        tracing::warn!(out_trade_no = trade.out_trade_no, "sandbox.notify.given_up");
    }

    async fn send(&self, trade: &Trade, notification: NotificationRequest, faults: &Faults) -> bool {
        self.count(trade, |trade| trade.notified += 1);
        if faults.lose {
            return false;
        }
        let address = faults.notify_url.as_ref().unwrap_or(&trade.notify_url);
        let request = self.0.client.post(address).headers(notification.headers).body(notification.body);
        let (status, answer) = match request.send().await {
            Ok(response) => (response.status(), response.text().await.unwrap_or_default()),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "sandbox.notify.unreachable");
                return false;
            }
        };
        let success = match trade.tender {
            Tender::Alipay => answer == "success",
            _ => status.is_success(),
        };
        if success {
            self.count(trade, |trade| trade.acknowledged += 1);
        }
        tracing::info!(out_trade_no = trade.out_trade_no, success, "sandbox.notified");
        success
    }

    fn count(&self, trade: &Trade, change: impl FnOnce(&mut Trade)) {
        if let Some(trade) = self.trades().get_mut(&trade.out_trade_no) {
            change(trade);
        }
    }

    fn notification(&self, trade: &Trade, notify_id: &str, faults: &Faults) -> Option<NotificationRequest> {
        let body = match trade.tender {
            Tender::WechatPay => return self.wechat_notification(trade, faults),
            Tender::UnionPay => self.unionpay_notification(trade, faults)?,
            _ => self.form(trade, notify_id, faults)?,
        };
        let body = body.into_bytes();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        Some(NotificationRequest { headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]), body })
    }

    fn form(&self, trade: &Trade, notify_id: &str, faults: &Faults) -> Option<String> {
        let now = self.now().to_string();
        let amount = faults.amount.clone().unwrap_or_else(|| trade.amount.to_string());
        let mut fields: Fields = [
            ("app_id", faults.app_id.as_ref().unwrap_or(&self.0.app_id)),
            ("buyer_id", &"2088000000000999".to_owned()),
            ("charset", &"utf-8".to_owned()),
            ("notify_id", &notify_id.to_owned()),
            ("notify_time", &now),
            ("notify_type", &"trade_status_sync".to_owned()),
            ("out_trade_no", &trade.out_trade_no),
            ("seller_id", faults.seller_id.as_ref().unwrap_or(&self.0.seller_id)),
            ("subject", &trade.subject),
            ("total_amount", &amount),
            ("trade_no", &trade.trade_no),
            ("trade_status", &faults.trade_status(trade.status).to_owned()),
            ("version", &"1.0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into();
        if let Some(paid_at) = trade.paid_at.filter(|_| trade.status != Status::WaitBuyerPay) {
            fields.insert("gmt_payment".into(), paid_at.to_string());
        }
        if !trade.refunds.is_empty() && !faults.hide_refunds {
            let sum = faults.refund_amount.clone().unwrap_or_else(|| trade.refunded().to_string());
            fields.insert("refund_fee".into(), sum);
            fields.insert("gmt_refund".into(), now);
        }
        let key = if faults.falsify { &self.0.forger_key } else { &self.0.gateway_key };
        let sign = key.sign(notify_text(&fields).as_bytes()).ok()?;
        fields.insert("sign".into(), sign);
        fields.insert("sign_type".into(), SIGN_TYPE.into());
        Some(encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}
