//! Downloads a channel's statement of a settlement day, imports it, and compares it with the ledger.

use std::error::Error as StdError;

use model::error::AppError;
use model::order::Tender;
use model::person::Who;
use model::reconciliation::StatementProblem;
use model::time::{Date, HOUR, Timestamp};
use serde::Deserialize;

use super::channel::{Channel, ChannelError};
use super::merchant::Merchant;
use super::statement::{StatementError, StatementResponse};
use super::unpack::UnpackError;
use super::{ConfigError, Payments, verified};
use domain::statement::Statement;
use reconciliation::{Compared, DayProblem, Imported};
use store::{Result, StoreError};

/// `[pay.reconcile]`: when statements are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReconcileConfig {
    /// Hour of the next day from which Alipay's statement is fetched, 0 to 23, Beijing time.
    pub alipay_hour: u8,
    /// The same for WeChat Pay.
    pub wechat_hour: u8,
    /// The same for UnionPay.
    pub unionpay_hour: u8,
    /// For how many days a missing statement is retried.
    pub days_back: u8,
}

impl Default for ReconcileConfig {
    fn default() -> Self {
        Self { alipay_hour: 10, wechat_hour: 10, unionpay_hour: 10, days_back: 30 }
    }
}

impl ReconcileConfig {
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
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
            return Err(fault("days_back", "must be 1 to 80: channels keep statements for three months"));
        }
        Ok(())
    }

    /// The latest day whose statement should be available.
    #[must_use]
    pub fn newest_due_day(&self, channel: Tender, now: Timestamp) -> Date {
        let hour = match channel {
            Tender::WechatPay => self.wechat_hour,
            Tender::UnionPay => self.unionpay_hour,
            _ => self.alipay_hour,
        };
        now.plus(-i64::from(hour) * HOUR).date().plus(-1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    Compared(Imported, Compared),
    NotYet,
    /// The channel reports a day without transactions, which must be confirmed by a later download.
    EmptyUnconfirmed,
    /// The download failed or the statement was rejected; the reason is stored with the day.
    Failed,
}

impl Payments {
    /// Fetches the statement of a past day and compares that day; a new statement also re-compares the days before and after.
    /// `by` is the operator who requested it, `None` for the scheduled task.
    ///
    /// # Errors
    /// [`AppError::ChannelUnavailable`] if the channel is not configured; [`StoreError`] if the database fails.
    pub async fn reconcile(&self, channel: Tender, day: Date, by: Option<&Who>) -> Result<FetchOutcome> {
        let (db, clock, rng) = self.parts();
        let merchants = self.statement_merchants(channel, day).await?;
        if merchants.is_empty() {
            return Err(StoreError::Refused(AppError::ChannelUnavailable));
        }
        let response = statement_of(&merchants, day).await;
        let now = clock.now();
        let statement = match response {
            // Before the channel's hour its bill is not made, so that it cannot say that nothing happened.
            Ok(StatementResponse::Ready(statement))
                if statement.digest.is_empty() && day > self.reconcile_config().newest_due_day(channel, now) =>
            {
                return self.record_not_ready(channel, day).await;
            }
            Ok(StatementResponse::Ready(statement)) if statement.day == day => statement,
            Ok(StatementResponse::NotYet) => return self.record_not_ready(channel, day).await,
            Ok(StatementResponse::Ready(_)) => return self.record_failure(channel, day, &StatementError::Day.into()).await,
            Err(error) => {
                tracing::warn!(channel = channel.as_str(), %day, error = &error as &dyn StdError, "statement.failed");
                return self.record_failure(channel, day, &error).await;
            }
        };
        if statement.digest.is_empty() && !reconciliation::confirm_empty(db, now, channel, &statement).await? {
            return Ok(FetchOutcome::EmptyUnconfirmed);
        }
        let imported = reconciliation::import(db, rng, now, channel, &statement, by).await?;
        let compared = reconciliation::compare(db, rng, now, channel, day, by).await?.unwrap_or_default();
        if imported == Imported::New {
            // Transactions near midnight may belong to the neighbouring day.
            for neighbour in [day.plus(-1), day.plus(1)] {
                reconciliation::compare(db, rng, now, channel, neighbour, by).await?;
            }
        }
        tracing::info!(
            channel = channel.as_str(), %day, equal = compared.equal, differences = compared.differences, edge = compared.edge,
            "statement.compared"
        );
        Ok(FetchOutcome::Compared(imported, compared))
    }

    /// The merchants whose statements a day is made of: the current one, and former ones that were paid or refunded around that
    /// day. Applications of one merchant number share a statement.
    async fn statement_merchants(&self, channel: Tender, day: Date) -> Result<Vec<&Merchant>> {
        let active = reconciliation::active_sellers(self.parts().0, channel, day).await?;
        let mut merchants: Vec<&Merchant> = Vec::new();
        for merchant in self.merchants().iter().filter(|merchant| merchant.tender() == channel) {
            let seller = merchant.terms().seller_id;
            let is_known = merchants.iter().any(|one| one.terms().seller_id == seller);
            if !is_known && (merchant.is_current() || active.iter().any(|one| one == seller)) {
                merchants.push(merchant);
            }
        }
        Ok(merchants)
    }

    async fn record_not_ready(&self, channel: Tender, day: Date) -> Result<FetchOutcome> {
        let (db, clock, _) = self.parts();
        reconciliation::note_problem(db, clock.now(), channel, day, &DayProblem::of(StatementProblem::NotReady)).await?;
        Ok(FetchOutcome::NotYet)
    }

    async fn record_failure(&self, channel: Tender, day: Date, error: &ChannelError) -> Result<FetchOutcome> {
        let (db, clock, _) = self.parts();
        reconciliation::note_problem(db, clock.now(), channel, day, &problem_of(error)).await?;
        Ok(FetchOutcome::Failed)
    }
}

/// One statement of all merchants' statements of a day. It is there when all of them are.
async fn statement_of(merchants: &[&Merchant], day: Date) -> std::result::Result<StatementResponse, ChannelError> {
    let mut all: Option<Statement> = None;
    for merchant in merchants {
        let StatementResponse::Ready(statement) = merchant.statement(day).await? else { return Ok(StatementResponse::NotYet) };
        all = Some(match all {
            None => statement,
            Some(before) if before.day == statement.day && before.window == statement.window => join(before, statement),
            Some(_) => return Err(StatementError::Day.into()),
        });
    }
    Ok(all.map_or(StatementResponse::NotYet, StatementResponse::Ready))
}

fn join(mut one: Statement, other: Statement) -> Statement {
    one.lines.extend(other.lines);
    one.foreign.extend(other.foreign);
    // A merchant without transactions has no file.
    one.digest = match (one.digest.is_empty(), other.digest.is_empty()) {
        (_, true) => one.digest,
        (true, false) => other.digest,
        (false, false) => verified::sha256(&[one.digest, other.digest].concat()),
    };
    one
}

/// The problem that is stored with the day and translated on the page, with the row and column of the file where it has one.
fn problem_of(error: &ChannelError) -> DayProblem<'static> {
    let row = |line: usize| i64::try_from(line).ok();
    let (problem, row, column) = match *error {
        ChannelError::Unreachable(_) => (StatementProblem::Unreachable, None, None),
        ChannelError::Status(_) => (StatementProblem::Status, None, None),
        ChannelError::InvalidResponse(_) => (StatementProblem::Response, None, None),
        ChannelError::Refused(_) => (StatementProblem::Refused, None, None),
        ChannelError::Signing(_) => (StatementProblem::Key, None, None),
        ChannelError::Statement(error) => match error {
            StatementError::Packed(UnpackError::TooMuch) => (StatementProblem::TooLarge, None, None),
            StatementError::Packed(UnpackError::Encoding) => (StatementProblem::Encoding, None, None),
            StatementError::Packed(UnpackError::Form) => (StatementProblem::Packed, None, None),
            StatementError::Form(_) => (StatementProblem::Form, None, None),
            StatementError::Field { line, what } => (StatementProblem::Field, row(line), Some(what)),
            StatementError::Column(name) => (StatementProblem::Column, Some(1), Some(name)),
            StatementError::Owner => (StatementProblem::Owner, None, None),
            StatementError::Day => (StatementProblem::Day, None, None),
            StatementError::Twice(line) => (StatementProblem::Twice, row(line), None),
            StatementError::Totals(_) => (StatementProblem::Totals, None, None),
            StatementError::Digest => (StatementProblem::Digest, None, None),
        },
    };
    DayProblem { problem, row, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_is_due_from_its_configured_hour() {
        let config = ReconcileConfig { alipay_hour: 10, wechat_hour: 11, ..ReconcileConfig::default() };
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        let at = |hour: i64| day.plus(1).start().plus(hour * HOUR);
        assert_eq!(config.newest_due_day(Tender::Alipay, at(10).plus(-1)), day.plus(-1));
        assert_eq!(config.newest_due_day(Tender::Alipay, at(10)), day);
        assert_eq!(config.newest_due_day(Tender::WechatPay, at(10)), day.plus(-1));
        assert_eq!(config.newest_due_day(Tender::WechatPay, at(11)), day);
    }

    #[test]
    fn reconcile_settings_are_validated() {
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
