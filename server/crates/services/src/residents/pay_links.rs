//! Paying by the link of a reminder, without a log-in: for the account of the resident who got it, and nothing else.

use app::api::pay_links::{LinkOrder, PayLinkOffer, PayLinksPort};
use app::api::resident::{Cashier, CashierStep};
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::ids::{AccountId, OrderId, UserId, Uuid};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::time::{DAY, Timestamp};

use super::ResidentService;
use super::cashier::{device_for, step};
use super::signed::Claim;
use ::residents::other_rooms::{self, PayableRoom};
use ::residents::reminders;
use payments::{Device, Payer};
use store::orders::{self, NewOrder, Order};

/// How long a link can be used.
const VALID: i64 = 3 * DAY;

impl ResidentService {
    /// The path of a link to pay for the account, valid for [`VALID`] and until the resident chooses another balance; `None` if
    /// the end does not fit into a link.
    pub(super) fn pay_link(&self, user: UserId, account: AccountId, chosen_at: Timestamp) -> Option<String> {
        let bound = [account.0.as_bytes().as_slice(), &chosen_at.0.to_be_bytes()];
        let link = self.pay_links.sign(user, self.context.now().plus(VALID), &bound)?;
        Some(format!("/p/{link}"))
    }

    async fn linked_room(&self, link: &str) -> Result<PayableRoom, AppError> {
        let (db, claim) = (&self.context.db, Claim::read(link).ok_or(AppError::LinkEnded)?);
        let chosen = reminders::chosen(db, claim.user).await?.ok_or(AppError::LinkEnded)?;
        let room = other_rooms::of_resident(db, claim.user).await?.ok_or(AppError::LinkEnded)?;
        let bound = [room.account_id.0.as_bytes().as_slice(), &chosen.chosen_at.0.to_be_bytes()];
        if self.pay_links.is_genuine(&claim, self.context.now(), &bound) { Ok(room) } else { Err(AppError::LinkEnded) }
    }

    /// An order that was made by such a link of the same resident; any other is [`AppError::NotFound`].
    async fn linked_order(&self, link: &str, id: OrderId) -> Result<(PayableRoom, Order), AppError> {
        let room = self.linked_room(link).await?;
        let order = orders::find(&self.context.db, id).await?;
        let is_theirs = |order: &Order| {
            (order.account_id, order.created_by) == (room.account_id, room.resident_id) && order.tender.is_channel()
        };
        Ok((room.clone(), order.filter(is_theirs).ok_or(AppError::NotFound)?))
    }
}

#[async_trait]
impl PayLinksPort for ResidentService {
    async fn pay_link_offer(&self, link: &str, visit: &Visit) -> Result<PayLinkOffer, AppError> {
        let room = self.linked_room(link).await?;
        let in_wechat = Device::of(&visit.agent) == Device::InWechat;
        Ok(PayLinkOffer { place: room.place, pay: self.usual_offer(), in_wechat })
    }

    async fn pay_by_link(
        &self,
        link: &str,
        key: Uuid,
        (amount, tender): (Fen, Tender),
        visit: &Visit,
    ) -> Result<OrderId, AppError> {
        let room = self.linked_room(link).await?;
        if let Some(made) = self.made_with(room.resident_id, key, (amount, tender)).await? {
            return Ok(made);
        }
        self.link_orders.take(Some(room.resident_id), &visit.ip, self.context.now())?;
        let (account, meter, by) = (room.account_id, room.meter_id, room.resident_id);
        let new = NewOrder { key, account, meter, tender, amount, by, ip: visit.ip.clone() };
        let order = self.payments.create_order(&new).await?.id;
        tracing::info!(%order, address = visit.ip, "payment.by_link");
        Ok(order)
    }

    async fn pay_link_order(&self, link: &str, id: OrderId, visit: &Visit) -> Result<Cashier, AppError> {
        let (_, order) = self.linked_order(link, id).await?;
        let device = device_for(visit, order.tender);
        if device == Device::InWechat {
            return Ok(Cashier::Page);
        }
        Ok(match self.payments.resume(id, &Payer { ip: &visit.ip, device, id: None }).await?.cashier {
            payments::Cashier::Address(address) => Cashier::Address(address),
            payments::Cashier::Form(_) | payments::Cashier::Scan(_) | payments::Cashier::Invoke(_) => Cashier::Page,
        })
    }

    async fn link_order(&self, link: &str, id: OrderId, visit: &Visit) -> Result<LinkOrder, AppError> {
        let (room, order) = self.linked_order(link, id).await?;
        let device = device_for(visit, order.tender);
        let step = match (order.state, device) {
            (OrderState::Pending, Device::InWechat) => Some(CashierStep::OpenBrowser),
            (OrderState::Pending, _) => {
                // The payer may be back from the cashier: query the channel before its turn.
                self.payments.request_query(id).await;
                match self.payments.reopen_cashier(id, &Payer { ip: &visit.ip, device, id: None }).await {
                    Ok(cashier) => Some(step(cashier)?),
                    Err(AppError::OrderClosed) => None,
                    Err(error) => return Err(error),
                }
            }
            _ => None,
        };
        Ok(LinkOrder { place: room.place, amount: order.amount, tender: order.tender, state: order.state, step })
    }
}
