//! Reconciliation of the channels' statements with the ledger, for operators of the whole site.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse, some_yuan, wrong};
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::console::REASON_MAX;
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::money::{Fen, Money};
use model::order::Tender;
use model::reconciliation::{DifferenceClass, DifferenceReason, StatementProblem};
use model::time::{Date, Timestamp};

/// The state of a settlement day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayState {
    /// Has no statement yet.
    Waiting,
    /// Statement, ledger and meters agree.
    Equal,
    Differs,
    /// Closed by a person.
    Closed,
}

/// A channel's settlement day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementDay {
    pub channel: Tender,
    pub day: Date,
    pub state: DayState,
    /// The period that the statement covers.
    pub window: Option<(Timestamp, Timestamp)>,
    /// When the statement was last requested.
    pub tried_at: Option<Timestamp>,
    /// Why there is no statement.
    pub problem: Option<StatementProblem>,
    /// The row of the file, from 1, and the column that could not be read.
    pub problem_row: Option<i64>,
    pub problem_column: Option<String>,
    pub compared_at: Option<Timestamp>,
    /// Payments less refunds by the statement.
    pub statement: Fen,
    /// Payments less refunds by the ledger.
    pub ledger: Fen,
    /// The sum of the listed differences.
    pub gaps: Fen,
    /// Kept by the channel.
    pub fees: Money,
    /// Received at the bank.
    pub received: Fen,
    /// Lines of other systems under the same merchant number, and their total.
    pub foreign: (i64, Fen),
    /// Number of equal lines.
    pub equal: i64,
    pub differences: i64,
    /// Differences that nobody has decided about.
    pub undecided: i64,
    /// Orders paid by the channel; of these delivered; of these confirmed in the meters' own journals.
    pub meters: (i64, i64, i64),
    /// When and by whom the day was closed, and why.
    pub closed: Option<(Timestamp, String, String)>,
}

impl SettlementDay {
    /// Whether the statement equals the ledger plus the listed differences.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.statement == self.ledger + self.gaps
    }

    /// What the channel should pay out to the bank.
    #[must_use]
    pub fn net(&self) -> Money {
        self.statement.money() - self.fees
    }
}

/// A difference between statement, ledger and meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceLine {
    pub class: DifferenceClass,
    /// A refund rather than a payment.
    pub refund: bool,
    pub out_trade_no: String,
    pub trade_no: String,
    pub refund_no: String,
    /// The amount in the statement.
    pub statement: Option<Fen>,
    /// The amount in the ledger.
    pub ledger: Option<Fen>,
    /// By how much it raises the statement's total above the ledger's.
    pub gap: Fen,
    pub reason: DifferenceReason,
    pub meter: Option<MeterId>,
    pub order: Option<i64>,
    /// A person's decision, and their name.
    pub decision: Option<(String, String)>,
}

/// A line of the statement that is of another system under the same merchant number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignLine {
    pub refund: bool,
    pub out_trade_no: String,
    pub trade_no: String,
    pub amount: Fen,
    pub at: Timestamp,
}

/// The settlement days of a span, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Channels that are configured or have days in the span.
    pub channels: Vec<Tender>,
    /// First and last day, inclusive.
    pub span: (Date, Date),
    /// First and last day whose statement a person may request.
    pub askable: (Date, Date),
    pub days: Vec<SettlementDay>,
    /// Differences of the whole span that nobody has decided about.
    pub undecided: i64,
}

/// A settlement day and its differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayView {
    pub day: SettlementDay,
    pub lines: Vec<DifferenceLine>,
    /// The first of the lines that are not ours.
    pub foreign: Vec<ForeignLine>,
    /// The form's idempotency key.
    pub key: Uuid,
}

#[async_trait]
pub trait ReconciliationPort: Send + Sync {
    /// The days up to `until`; `None`: up to the newest.
    async fn calendar(&self, who: &Who, until: Option<Date>) -> Result<Calendar, AppError>;
    async fn settlement_day(&self, who: &Who, channel: Tender, day: Date) -> Result<DayView, AppError>;
    /// Requests a day's statement and compares the day again.
    async fn reconcile_day(&self, who: &Who, channel: Tender, day: Date) -> Result<(), AppError>;
    async fn close_day(&self, who: &Who, channel: Tender, day: Date, reason: &str) -> Result<(), AppError>;
    /// Records what was received at the bank for a day.
    async fn note_receipt(&self, who: &Who, channel: Tender, day: Date, key: Uuid, amount: Fen) -> Result<(), AppError>;
}

/// Parses a channel and a day from an address.
///
/// # Errors
/// [`AppError::NotFound`].
pub fn day_of(channel: &str, day: &str) -> Result<(Tender, Date), AppError> {
    let channel = Tender::parse(channel).filter(|tender| tender.is_channel());
    channel.zip(day_in(day)).ok_or(AppError::NotFound)
}

/// Parses `2026-11-23`.
#[must_use]
pub fn day_in(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-').map(str::parse::<u16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Date::from_ymd(year.into(), month.try_into().ok()?, day.try_into().ok()?)
}

/// The address of a settlement day.
#[must_use]
pub fn page_of(channel: Tender, day: Date) -> String {
    format!("/reconcile/{}/{day}", channel.as_str())
}

fn back(channel: &str, day: &str) -> String {
    day_of(channel, day).map_or_else(|_| "/reconcile".to_owned(), |(channel, day)| page_of(channel, day))
}

/// Requests a day's statement and compares the day again.
#[server(name = ReconcileDay, prefix = "/api", endpoint = "operator/reconcile-run")]
pub async fn reconcile_day(channel: String, day: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = back(&channel, &day);
    let done = async {
        let (channel, day) = day_of(&channel, &day)?;
        ports.reconciliation.reconcile_day(&who, channel, day).await
    };
    let done = done.await;
    // A day that has no statement yet has no page either.
    let back = if done == Err(AppError::Invalid) {
        wrong("day");
        "/reconcile"
    } else {
        page.as_str()
    };
    answer(done.map(|()| page.clone()), back)
}

#[server(name = CloseDay, prefix = "/api", endpoint = "operator/reconcile-close")]
pub async fn close_day(channel: String, day: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = back(&channel, &day);
    let done = async {
        let ((channel, day), reason) = (day_of(&channel, &day)?, reason.trim());
        if reason.chars().count() > REASON_MAX {
            return at("reason", Err(AppError::Invalid));
        }
        ports.reconciliation.close_day(&who, channel, day, reason).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}

/// Records what was received at the bank for a day.
#[server(name = NoteReceipt, prefix = "/api", endpoint = "operator/reconcile-receipt")]
pub async fn note_receipt(channel: String, day: String, amount: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = back(&channel, &day);
    let done = async {
        let (channel, day) = day_of(&channel, &day)?;
        ports.reconciliation.note_receipt(&who, channel, day, parse(&key)?, some_yuan(&amount)?).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlement_day_is_parsed_from_channel_and_date() {
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        assert_eq!(day_of("alipay", "2026-11-23"), Ok((Tender::Alipay, day)));
        assert_eq!(page_of(Tender::WechatPay, day), "/reconcile/wechat/2026-11-23");
        for (channel, day) in [("cash", "2026-11-23"), ("", ""), ("alipay", "2026-02-30"), ("alipay", "x"), ("alipay", "-1-1-1")]
        {
            assert_eq!(day_of(channel, day), Err(AppError::NotFound), "{channel} {day}");
        }
    }
}
