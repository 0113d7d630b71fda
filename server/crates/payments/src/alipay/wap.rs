//! `alipay.trade.wap.pay`: a form for the payer's browser. Alipay creates the trade when the payer reaches the cashier.

use model::time::Timestamp;

use super::Alipay;
use crate::channel::{ChannelError, Form};
use store::payments::Attempt;

impl Alipay {
    /// `time_expire` is absolute, so that the trade cannot outlive the attempt when the form is submitted late.
    pub(super) fn wap_form(&self, attempt: &Attempt, now: Timestamp) -> Result<Form, ChannelError> {
        let biz_content = serde_json::json!({
            "out_trade_no": attempt.out_trade_no,
            "total_amount": attempt.amount.to_string(),
            "subject": self.subject,
            "product_code": "QUICK_WAP_WAY",
            "quit_url": format!("{}?out_trade_no={}", self.return_url, attempt.out_trade_no),
            "time_expire": attempt.expires_at.to_string(),
        });
        let extra = [("notify_url", self.notify_url.as_str()), ("return_url", self.return_url.as_str())];
        self.caller(now).sign("alipay.trade.wap.pay", &biz_content, &extra)
    }
}
