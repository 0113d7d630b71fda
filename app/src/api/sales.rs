//! Sales over the counter, returns from meters, and corrections of both.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, reason_of, room_page, some_yuan, yuan};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{DoneBefore, Once, Original, Page, ReturnLine, ReturnRequest, ReturnTarget, Sale};
use model::error::AppError;
use model::ids::{MeterId, OrderId, ReturnId, Uuid};
use model::money::Fen;
use model::order::Tender;

/// A correction is a [`ReturnRequest`] too: of a whole sale or return.
#[async_trait]
pub trait SalesPort: Send + Sync {
    /// The smallest and the largest amount of one sale.
    fn sale_range(&self) -> (Fen, Fen);
    async fn sell(&self, who: &Who, sale: &Sale) -> Result<Once<OrderId>, AppError>;
    /// Whether [`Self::sell`] would refuse it now, for the confirmation: what it promises must be kept.
    async fn check_sale(&self, who: &Who, sale: &Sale) -> Result<(), AppError>;
    /// Requests a return or a correction.
    async fn ask_return(&self, who: &Who, request: &ReturnRequest) -> Result<Once<ReturnId>, AppError>;
    /// Whether [`Self::ask_return`] would refuse it now.
    async fn check_return(&self, who: &Who, request: &ReturnRequest) -> Result<(), AppError>;
    /// What this person has done with a form of that key.
    async fn done_with(&self, who: &Who, key: Uuid) -> Result<Option<DoneBefore>, AppError>;
    /// Approves as the second person.
    async fn approve_return(&self, who: &Who, id: ReturnId) -> Result<(), AppError>;
    /// Refuses as the second person.
    async fn reject_return(&self, who: &Who, id: ReturnId, reason: &str) -> Result<(), AppError>;
    /// Withdraws a request of which nothing was sent to the meter.
    async fn cancel_return(&self, who: &Who, id: ReturnId) -> Result<(), AppError>;
    /// Records that the money was handed over the counter.
    async fn pay_out(&self, who: &Who, id: ReturnId) -> Result<(), AppError>;
    async fn return_line(&self, who: &Who, id: ReturnId) -> Result<ReturnLine, AppError>;
    /// What waits for a second person, oldest first, and whether this operator may be one.
    async fn approvals(&self, who: &Who, page: i64) -> Result<(Page<ReturnLine>, bool), AppError>;
    /// A sale or return that may be corrected.
    async fn original(&self, who: &Who, id: Uuid) -> Result<Original, AppError>;
}

fn page(id: &str) -> String {
    format!("/returns/{id}")
}

/// The page, which says where nothing was done because it had been done before.
fn once<T>(done: Once<T>, page: String) -> String {
    if done.is_repeated { link::with(&page, "done", "before") } else { page }
}

/// A sale from the fields of its form.
pub(super) fn sale(meter: MeterId, amount: &str, tender: &str, key: &str) -> Result<Sale, AppError> {
    let amount = yuan(amount)?;
    let tender = Tender::parse(tender).filter(|tender| tender.is_counter()).ok_or(AppError::Invalid)?;
    Ok(Sale { meter, amount, tender, key: parse::<Uuid>(key)?, seen: None })
}

/// The number of money operations in a form's field.
fn count_of(seen: Option<String>) -> Result<Option<i64>, AppError> {
    seen.map(|seen| parse(&seen)).transpose()
}

/// The page of a confirmation, asked again.
fn confirmation(meter: &str, fields: &[(&str, &str)]) -> String {
    fields.iter().fold(room_page(meter), |page, (name, value)| link::with(&page, name, value))
}

/// Sells what was confirmed. `seen` is how many money operations the meter had then ([`Sale::seen`]); after another one the
/// confirmation is shown again, with the new amount. So it is with returns and corrections.
#[server(name = Sell, prefix = "/api", endpoint = "operator/sell")]
pub async fn sell(
    meter: String,
    amount: String,
    tender: String,
    key: String,
    #[server(default)] seen: Option<String>,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done =
        async { ports.sales.sell(&who, &Sale { seen: count_of(seen)?, ..sale(parse(&meter)?, &amount, &tender, &key)? }).await };
    match done.await {
        Err(AppError::MoneyMoved) => {
            let asked = [("do", "sale"), ("amount", &*amount), ("tender", &*tender), ("key", &*key)];
            let again = confirmation(&meter, &asked);
            answer(Err(AppError::MoneyMoved), &again)
        }
        done => answer(done.map(|sold| once(sold, room_page(&meter))), &room_page(&meter)),
    }
}

/// Requests a return of remaining credit.
#[server(name = AskReturn, prefix = "/api", endpoint = "operator/return")]
pub async fn ask_return(
    meter: String,
    amount: String,
    tender: String,
    reason: String,
    key: String,
    #[server(default)] seen: Option<String>,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let paid = Tender::parse(&tender).ok_or(AppError::Invalid)?;
        let of = ReturnTarget::Remaining { meter: parse(&meter)?, tender: paid, amount: some_yuan(&amount)? };
        let request = ReturnRequest { of, reason: reason_of(&reason)?, key: parse(&key)?, seen: count_of(seen)? };
        ports.sales.ask_return(&who, &request).await
    };
    let done = done.await;
    let back = match &done {
        Err(AppError::MoneyMoved) => {
            let asked = [("do", "return"), ("amount", &*amount), ("tender", &*tender), ("reason", &*reason), ("key", &*key)];
            confirmation(&meter, &asked)
        }
        _ => room_page(&meter),
    };
    answer(done.map(|asked| once(asked, page(&asked.id.to_string()))), &back)
}

/// Requests the correction of a wrong sale or return.
#[server(name = Correct, prefix = "/api", endpoint = "operator/correct")]
pub async fn correct(
    original: String,
    sale: bool,
    amount: String,
    reason: String,
    key: String,
    #[server(default)] seen: Option<String>,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let of = if sale {
            ReturnTarget::Sale(parse::<OrderId>(&original)?, some_yuan(&amount)?)
        } else {
            ReturnTarget::Return(parse::<ReturnId>(&original)?)
        };
        let request = ReturnRequest { of, reason: reason_of(&reason)?, key: parse(&key)?, seen: count_of(seen)? };
        ports.sales.ask_return(&who, &request).await
    };
    let back = link::with(&format!("/corrections/{original}"), "key", &key);
    answer(done.await.map(|asked| once(asked, page(&asked.id.to_string()))), &back)
}

/// Approves a return or correction as the second person.
#[server(name = ApproveReturn, prefix = "/api", endpoint = "operator/approve-return")]
pub async fn approve_return(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.sales.approve_return(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Refuses a return or correction as the second person.
#[server(name = RejectReturn, prefix = "/api", endpoint = "operator/reject-return")]
pub async fn reject_return(id: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.sales.reject_return(&who, parse(&id)?, &reason_of(&reason)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Withdraws a request of which nothing was sent to the meter.
#[server(name = CancelReturn, prefix = "/api", endpoint = "operator/cancel-return")]
pub async fn cancel_return(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.sales.cancel_return(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Records that the money was handed over the counter.
#[server(name = PayOut, prefix = "/api", endpoint = "operator/pay-out")]
pub async fn pay_out(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.sales.pay_out(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}
