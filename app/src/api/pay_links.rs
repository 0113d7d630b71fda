//! Paying by the link of a reminder, without a log-in.

use async_trait::async_trait;
use leptos::prelude::*;

use super::resident::{Cashier, CashierStep, PayOffer, top_up_fields};
use super::{ApiError, answer};
use crate::ports::{Visit, ports, reply, visit};
use model::error::AppError;
use model::ids::{OrderId, Uuid};
use model::money::Fen;
use model::order::{OrderState, Tender};

/// Characters of a link, at most.
const LONGEST: usize = 64;

/// How a room can be paid for by a link.
#[derive(Clone, Debug)]
pub struct PayLinkOffer {
    /// From the building inwards.
    pub place: String,
    pub pay: PayOffer,
    /// Inside WeChat nobody can pay without a session.
    pub in_wechat: bool,
}

/// An order that was made by a link.
#[derive(Clone, Debug)]
pub struct LinkOrder {
    pub place: String,
    pub amount: Fen,
    pub tender: Tender,
    pub state: OrderState,
    /// How to pay it, while it can be paid.
    pub step: Option<CashierStep>,
}

/// Every method refuses a link that is not genuine, too old or withdrawn with [`AppError::LinkEnded`].
#[async_trait]
pub trait PayLinksPort: Send + Sync {
    async fn pay_link_offer(&self, link: &str, visit: &Visit) -> Result<PayLinkOffer, AppError>;
    /// Creates an order; the same key gives the same order.
    async fn pay_by_link(&self, link: &str, key: Uuid, paid: (Fen, Tender), visit: &Visit) -> Result<OrderId, AppError>;
    /// Starts paying an order of the link with this browser.
    async fn pay_link_order(&self, link: &str, order: OrderId, visit: &Visit) -> Result<Cashier, AppError>;
    /// What became of an order of the link.
    async fn link_order(&self, link: &str, order: OrderId, visit: &Visit) -> Result<LinkOrder, AppError>;
}

/// The page of an order of a link.
fn order_page(link: &str, order: OrderId) -> String {
    format!("/p/{link}/{order}")
}

/// A link as it may be in an address.
fn short(link: &str) -> String {
    link.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(LONGEST).collect()
}

pub async fn pay_link_offer(link: &str) -> Result<PayLinkOffer, AppError> {
    ports()?.pay_links.pay_link_offer(link, &visit()).await
}

pub async fn link_order(link: &str, order: OrderId) -> Result<LinkOrder, AppError> {
    ports()?.pay_links.link_order(link, order, &visit()).await
}

/// Creates an order by a link and redirects to the cashier.
#[server(name = PayByLink, prefix = "/api", endpoint = "pay/by-link")]
pub async fn pay_by_link(
    link: String,
    key: Uuid,
    amount: Option<String>,
    own: Option<String>,
    channel: String,
) -> Result<(), ApiError> {
    let (ports, link) = (ports()?, short(&link));
    let ordered = match top_up_fields(amount.as_deref(), own.as_deref(), &channel) {
        Ok(paid) => ports.pay_links.pay_by_link(&link, key, paid, &visit()).await,
        Err(error) => Err(error),
    };
    match ordered {
        Ok(order) => to_cashier(&link, order).await,
        Err(error) => answer(Err(error), &format!("/p/{link}")),
    }
}

/// Redirects to the cashier of an order of a link that was not paid yet.
#[server(name = ResumeByLink, prefix = "/api", endpoint = "pay/resume")]
pub async fn resume_by_link(link: String, order: OrderId) -> Result<(), ApiError> {
    to_cashier(&short(&link), order).await
}

async fn to_cashier(link: &str, order: OrderId) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let page = order_page(link, order);
    match ports.pay_links.pay_link_order(link, order, &visit()).await {
        Ok(Cashier::Address(cashier)) => {
            reply.paying(&page);
            reply.leave(&cashier);
            Ok(())
        }
        Ok(Cashier::Page) => {
            reply.paying(&page);
            answer(Ok(page), "/")
        }
        Err(AppError::OrderClosed) => answer(Ok(page), "/"),
        Err(error) => answer(Err(error), &page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_only_characters_of_an_address() {
        assert_eq!(short("aB-9_\r\n/../x?y"), "aB-9_xy");
        assert_eq!(short(&"a".repeat(99)).len(), LONGEST);
    }
}
