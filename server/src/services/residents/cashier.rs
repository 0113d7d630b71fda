//! Brings the payer from an order to the channel's cashier.

use app::api::resident::{Cashier, CashierStep, CashierView};
use app::ports::{Visit, Who};
use model::error::AppError;
use model::ids::OrderId;

use super::ResidentService;
use crate::services::qr::qr;
use payments::{Device, Payer};

impl ResidentService {
    /// Redirects to the channel where an address leads there, otherwise to the cashier page of this site.
    pub(super) async fn pay(&self, who: &Who, id: OrderId, visit: &Visit) -> Result<Cashier, AppError> {
        let room = self.room(who).await?;
        let order = self.own(&room, id).await?.order;
        let device = Device::of(&visit.agent);
        if device == Device::InWechat {
            let Some(inside) = self.inside(order.tender) else { return Ok(Cashier::Page) };
            let Some(payer) = self.payer(inside.0, visit).await? else { return self.begin_sign_in(inside, id, visit).await };
            self.payments.resume(id, &Payer { ip: &who.ip, device, id: Some(&payer) }).await?;
            return Ok(Cashier::Page);
        }
        Ok(match self.payments.resume(id, &Payer { ip: &who.ip, device, id: None }).await?.cashier {
            payments::Cashier::Address(address) => Cashier::Address(address),
            payments::Cashier::Form(_) | payments::Cashier::Scan(_) | payments::Cashier::Invoke(_) => Cashier::Page,
        })
    }

    pub(super) async fn returned(&self, who: &Who, out_trade_no: &str) -> Result<OrderId, AppError> {
        let room = self.room(who).await?;
        let attempt = self.payments.attempt(out_trade_no).await?.ok_or(AppError::NotFound)?;
        let order = attempt.order_id;
        self.own(&room, order).await?;
        self.payments.request_query(order).await;
        Ok(order)
    }

    pub(super) async fn cashier(&self, who: &Who, id: OrderId, visit: &Visit) -> Result<CashierView, AppError> {
        let room = self.room(who).await?;
        let order = self.own(&room, id).await?.order;
        let (device, tender) = (Device::of(&visit.agent), order.tender);
        let step = if device == Device::InWechat {
            match self.inside(tender) {
                None => CashierStep::OpenBrowser,
                Some((channel, _)) => match self.payer(channel, visit).await? {
                    None => CashierStep::SignIn,
                    Some(payer) => {
                        step(self.payments.reopen_cashier(id, &Payer { ip: &who.ip, device, id: Some(&payer) }).await?)?
                    }
                },
            }
        } else {
            step(self.payments.reopen_cashier(id, &Payer { ip: &who.ip, device, id: None }).await?)?
        };
        Ok(CashierView { amount: order.amount, tender, step })
    }
}

/// Without a cashier a form asks for a new attempt: a page must not make one by being looked at.
fn step(cashier: Option<payments::Cashier>) -> Result<CashierStep, AppError> {
    let Some(cashier) = cashier else { return Ok(CashierStep::SignIn) };
    Ok(match cashier {
        payments::Cashier::Address(address) => CashierStep::Follow(address),
        payments::Cashier::Form(form) => CashierStep::Post(form.action, form.fields),
        payments::Cashier::Scan(text) => {
            let (size, path) = qr(&text).ok_or(AppError::ChannelUnavailable)?;
            CashierStep::Scan(size, path)
        }
        payments::Cashier::Invoke(request) => {
            let request: serde_json::Map<_, _> = request.into_iter().map(|(name, value)| (name, value.into())).collect();
            CashierStep::Invoke(serde_json::Value::Object(request).to_string())
        }
    })
}
