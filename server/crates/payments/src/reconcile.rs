//! Fetches the bill of a channel's day, imports it and compares. Whoever asks, the task or a person, asks the same way.

use std::error::Error as StdError;

use model::error::AppError;
use model::order::Tender;
use model::person::Who;
use model::time::{Date, HOUR, Timestamp};
use serde::Deserialize;

use super::bill::{BillAnswer, BillError};
use super::channel::ChannelError;
use super::unpack::UnpackError;
use super::{ConfigError, Payments};
use store::reconcile::{self as reconciliation, Compared, Imported};
use store::{Result, StoreError};

/// `[pay.reconcile]`: when bills are ready, and how far back they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReconcileConfig {
    /// From which hour of the next day on Alipay's bill is asked for.
    pub alipay_hour: u8,
    /// The same for WeChat Pay's.
    pub wechat_hour: u8,
    /// The same for UnionPay's.
    pub unionpay_hour: u8,
    /// How many days back a bill that was missed is asked for.
    pub days_back: u8,
}

impl Default for ReconcileConfig {
    fn default() -> Self {
        Self { alipay_hour: 10, wechat_hour: 10, unionpay_hour: 10, days_back: 30 }
    }
}

impl ReconcileConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ConfigError`] names the key.
    pub fn validate(&self) -> std::result::Result<(), ConfigError> {
        let fault = |key: &str, problem: &str| ConfigError { key: format!("pay.reconcile.{key}"), problem: problem.into() };
        for (key, hour) in
            [("alipay_hour", self.alipay_hour), ("wechat_hour", self.wechat_hour), ("unionpay_hour", self.unionpay_hour)]
        {
            if hour > 23 {
                return Err(fault(key, "must be 0 to 23"));
            }
        }
        if !(1..=80).contains(&self.days_back) {
            return Err(fault("days_back", "must be 1 to 80: channels keep bills for three months"));
        }
        Ok(())
    }

    /// The newest day whose bill should be there.
    #[must_use]
    pub fn newest(&self, channel: Tender, now: Timestamp) -> Date {
        let hour = match channel {
            Tender::WechatPay => self.wechat_hour,
            Tender::UnionPay => self.unionpay_hour,
            _ => self.alipay_hour,
        };
        now.plus(-i64::from(hour) * HOUR).date().plus(-1)
    }
}

/// How asking for a bill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It is imported, and this is what the comparison found.
    Compared(Imported, Compared),
    /// It is not made yet.
    NotYet,
    /// The channel says that nothing happened, and is not yet believed.
    Nothing,
    /// It did not come, or cannot be believed; the day says why.
    Failed,
}

impl Payments {
    /// Asks for the bill of a day that is over, and compares that day and its neighbours. `by` is the person who asked, if one did.
    ///
    /// # Errors
    /// [`AppError::ChannelUnavailable`] where the channel is not configured; where the database fails.
    pub async fn reconcile(&self, channel: Tender, day: Date, by: Option<&Who>) -> Result<Fetched> {
        let (db, clock, rng) = self.parts();
        let asked = self.channel(channel).ok_or(StoreError::Refused(AppError::ChannelUnavailable))?;
        let answer = asked.bill(day).await;
        let now = clock.now();
        let bill = match answer {
            Ok(BillAnswer::Ready(bill)) if bill.day == day => bill,
            Ok(BillAnswer::NotYet) => {
                reconciliation::unavailable(db, now, channel, day, "not-ready").await?;
                return Ok(Fetched::NotYet);
            }
            Ok(BillAnswer::Ready(_)) => return self.failed(channel, day, word(&BillError::Day.into())).await,
            Err(error) => {
                tracing::warn!(channel = channel.as_str(), %day, error = &error as &dyn StdError, "bill.failed");
                return self.failed(channel, day, word(&error)).await;
            }
        };
        if bill.digest.is_empty() && !reconciliation::says_nothing(db, now, channel, &bill).await? {
            return Ok(Fetched::Nothing);
        }
        let imported = reconciliation::import(db, rng, now, channel, &bill, by).await?;
        let compared = reconciliation::compare(db, rng, now, channel, day, by).await?.unwrap_or_default();
        if imported == Imported::New {
            // What lay across the edge may have found its bill.
            for neighbour in [day.plus(-1), day.plus(1)] {
                reconciliation::compare(db, rng, now, channel, neighbour, by).await?;
            }
        }
        tracing::info!(
            channel = channel.as_str(), %day, equal = compared.equal, differences = compared.differences, edge = compared.edge,
            "bill.compared"
        );
        Ok(Fetched::Compared(imported, compared))
    }

    async fn failed(&self, channel: Tender, day: Date, why: &str) -> Result<Fetched> {
        let (db, clock, _) = self.parts();
        reconciliation::unavailable(db, clock.now(), channel, day, why).await?;
        Ok(Fetched::Failed)
    }
}

/// Why no bill came, in a word that the page has words for; the log has the rest.
const fn word(error: &ChannelError) -> &'static str {
    match error {
        ChannelError::Unreachable(_) => "unreachable",
        ChannelError::Answer(_) => "answer",
        ChannelError::Refused(_) => "refused",
        ChannelError::Key(_) => "key",
        ChannelError::Bill(error) => match error {
            BillError::Packed(UnpackError::TooMuch) => "too-much",
            BillError::Packed(UnpackError::Encoding) => "encoding",
            BillError::Packed(UnpackError::Form) => "packed",
            BillError::Form(_) | BillError::Field { .. } => "form",
            BillError::Column(_) => "column",
            BillError::Owner => "owner",
            BillError::Day => "day",
            BillError::Twice(_) => "twice",
            BillError::Totals(_) => "totals",
            BillError::Digest => "digest",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_asked_for_from_its_hour_on() {
        let config = ReconcileConfig { alipay_hour: 10, wechat_hour: 11, ..ReconcileConfig::default() };
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        let at = |hour: i64| day.plus(1).start().plus(hour * HOUR);
        assert_eq!(config.newest(Tender::Alipay, at(10).plus(-1)), day.plus(-1));
        assert_eq!(config.newest(Tender::Alipay, at(10)), day);
        assert_eq!(config.newest(Tender::WechatPay, at(10)), day.plus(-1));
        assert_eq!(config.newest(Tender::WechatPay, at(11)), day);
    }

    #[test]
    fn settings_are_checked() {
        assert_eq!(ReconcileConfig::default().validate(), Ok(()));
        for (config, key) in [
            (ReconcileConfig { alipay_hour: 24, ..ReconcileConfig::default() }, "pay.reconcile.alipay_hour"),
            (ReconcileConfig { days_back: 0, ..ReconcileConfig::default() }, "pay.reconcile.days_back"),
            (ReconcileConfig { days_back: 81, ..ReconcileConfig::default() }, "pay.reconcile.days_back"),
        ] {
            assert_eq!(config.validate().unwrap_err().key, key);
        }
    }
}
