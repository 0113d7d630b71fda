//! Reconciliation of the channels' bills: for those who may see the whole site.

use std::sync::Arc;

use async_trait::async_trait;
use leptos::prelude::*;

use crate::api::operator::parse;
use crate::api::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::money::{Fen, Money};
use model::order::Tender;
use model::time::{Date, Timestamp};

/// The longest reason that is taken.
const MOST_SAID: usize = 200;

/// How far a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayState {
    /// Its bill is not there.
    Waiting,
    /// Bill, ledger and meters agree.
    Equal,
    Differs,
    /// A person closed it.
    Closed,
}

/// A channel's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementDay {
    pub channel: Tender,
    pub day: Date,
    /// How far it is.
    pub state: DayState,
    /// What the bill covers, where it is there.
    pub window: Option<(Timestamp, Timestamp)>,
    /// When it was last asked for.
    pub tried_at: Option<Timestamp>,
    /// Why no bill came: `not-asked`, `not-ready`, `nothing`, or what is wrong with it.
    pub note: Option<String>,
    /// When it was last compared.
    pub compared_at: Option<Timestamp>,
    /// What came, less what went back, by the bill.
    pub bill: Fen,
    /// The same by the ledger.
    pub ledger: Fen,
    /// What is listed between the two.
    pub gaps: Fen,
    /// What the channel keeps.
    pub fees: Money,
    /// What the bank took in of it.
    pub received: Fen,
    /// Lines that are equal.
    pub equal: i64,
    pub differences: i64,
    /// And of that, nobody has decided about.
    pub undecided: i64,
    /// Orders paid by it; of these delivered; of these in the meters' own journals.
    pub meters: (i64, i64, i64),
    /// When and by whom it was closed, and why.
    pub closed: Option<(Timestamp, String, String)>,
}

impl SettlementDay {
    /// Whether the bill is the ledger and what is listed.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.bill == self.ledger + self.gaps
    }

    /// What the channel should pay to the bank.
    #[must_use]
    pub fn net(&self) -> Money {
        self.bill.money() - self.fees
    }
}

/// Something that is not equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceLine {
    /// `channel-only`, `ours-only`, `amount`, `state`, `edge` or `meter`.
    pub class: String,
    /// Whether it is a refund.
    pub refund: bool,
    pub out_trade_no: String,
    pub trade_no: String,
    pub refund_no: String,
    /// By the bill.
    pub bill: Option<Fen>,
    pub ours: Option<Fen>,
    /// What it adds to the bill beyond the ledger.
    pub gap: Fen,
    /// Why, in a word.
    pub why: String,
    /// The meter of its room.
    pub meter: Option<MeterId>,
    /// The order's number.
    pub order: Option<i64>,
    /// What a person decided, and who.
    pub decision: Option<(String, String)>,
}

/// The days of a span, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The channels that are configured, or have days here.
    pub channels: Vec<Tender>,
    /// First and last day.
    pub span: (Date, Date),
    /// The days whose bill a person may ask for.
    pub askable: (Date, Date),
    /// What is known of the days.
    pub days: Vec<SettlementDay>,
    /// What is open of the whole span: differences that nobody has decided about.
    pub undecided: i64,
}

/// One day of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayView {
    pub day: SettlementDay,
    /// What is not equal.
    pub lines: Vec<DifferenceLine>,
    /// Makes a form that is sent twice harmless.
    pub key: Uuid,
}

/// What the server does for the pages of reconciliation.
#[async_trait]
pub trait ReconcilePort: Send + Sync {
    /// The days up to one, or to the newest.
    async fn calendar(&self, who: &Who, until: Option<Date>) -> Result<Calendar, AppError>;
    /// One day of a channel.
    async fn day(&self, who: &Who, channel: Tender, day: Date) -> Result<DayView, AppError>;
    /// Fetches its bill and compares again.
    async fn run(&self, who: &Who, channel: Tender, day: Date) -> Result<(), AppError>;
    async fn close(&self, who: &Who, channel: Tender, day: Date, reason: &str) -> Result<(), AppError>;
    /// Notes what the bank took in.
    async fn receive(&self, who: &Who, channel: Tender, day: Date, key: Uuid, amount: Fen) -> Result<(), AppError>;
}

/// The operator of the session, and reconciliation.
///
/// # Errors
/// Where no operator is logged in.
pub fn books() -> Result<(Who, Arc<dyn ReconcilePort>), AppError> {
    Ok((operator()?, ports()?.reconcile))
}

/// A channel and a day as addresses name them.
///
/// # Errors
/// [`AppError::NotFound`].
pub fn day_of(channel: &str, day: &str) -> Result<(Tender, Date), AppError> {
    let channel = Tender::parse(channel).filter(|tender| tender.is_channel());
    channel.zip(day_in(day)).ok_or(AppError::NotFound)
}

/// `2026-11-23`.
#[must_use]
pub fn day_in(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-').map(str::parse::<u16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Date::from_ymd(year.into(), month.try_into().ok()?, day.try_into().ok()?)
}

/// The address of a day.
#[must_use]
pub fn page_of(channel: Tender, day: Date) -> String {
    format!("/reconcile/{}/{day}", channel.as_str())
}

fn back(channel: &str, day: &str) -> String {
    day_of(channel, day).map_or_else(|_| "/reconcile".to_owned(), |(channel, day)| page_of(channel, day))
}

/// Fetches a bill and compares again.
#[server(name = RunReconcile, prefix = "/api", endpoint = "operator/reconcile-run")]
pub async fn run_reconcile(channel: String, day: String) -> Result<(), ApiError> {
    let (who, port) = books()?;
    let page = back(&channel, &day);
    let done = async {
        let (channel, day) = day_of(&channel, &day)?;
        port.run(&who, channel, day).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}

/// Closes a day.
#[server(name = CloseSettlement, prefix = "/api", endpoint = "operator/reconcile-close")]
pub async fn close_settlement(channel: String, day: String, reason: String) -> Result<(), ApiError> {
    let (who, port) = books()?;
    let page = back(&channel, &day);
    let done = async {
        let ((channel, day), reason) = (day_of(&channel, &day)?, reason.trim());
        if reason.chars().count() > MOST_SAID {
            return Err(AppError::Invalid);
        }
        port.close(&who, channel, day, reason).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}

/// Notes what the bank took in of a day.
#[server(name = NoteReceipt, prefix = "/api", endpoint = "operator/reconcile-receipt")]
pub async fn note_receipt(channel: String, day: String, amount: String, key: String) -> Result<(), ApiError> {
    let (who, port) = books()?;
    let page = back(&channel, &day);
    let done = async {
        let (channel, day) = day_of(&channel, &day)?;
        let amount = Fen::parse_yuan(amount.trim()).map_err(|_| AppError::InvalidAmount)?;
        port.receive(&who, channel, day, parse(&key)?, amount).await
    };
    answer(done.await.map(|()| page.clone()), &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_by_channel_and_date() {
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        assert_eq!(day_of("alipay", "2026-11-23"), Ok((Tender::Alipay, day)));
        assert_eq!(page_of(Tender::WechatPay, day), "/reconcile/wechat/2026-11-23");
        for (channel, day) in [("cash", "2026-11-23"), ("", ""), ("alipay", "2026-02-30"), ("alipay", "x"), ("alipay", "-1-1-1")]
        {
            assert_eq!(day_of(channel, day), Err(AppError::NotFound), "{channel} {day}");
        }
    }
}
