//! Brings the payer from an order to the channel's cashier.

use app::api::resident::{Cashier, CashierStep, CashierView};
use app::ports::{Visit, Who};
use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;

use super::ResidentService;
use crate::qr::qr;
use payments::{Device, Payer};

impl ResidentService {
    /// Redirects to the channel where an address leads there, otherwise to the cashier page of this site.
    pub(super) async fn pay(&self, who: &Who, id: OrderId, visit: &Visit) -> Result<Cashier, AppError> {
        let order = self.payable(who, id).await?.progress.order;
        let device = device_for(visit, order.tender);
        if device == Device::InWechat {
            let Some(inside) = self.inside(order.tender) else { return Ok(Cashier::Page) };
            let Some(payer) = self.payer(inside.0, visit).await? else { return self.begin_sign_in(inside, id, visit).await };
            self.payments.resume(id, &Payer { ip: &who.ip, device, id: Some(&payer) }).await?;
            return Ok(Cashier::Page);
        }
        Ok(match self.payments.resume(id, &Payer { ip: &who.ip, device, id: None }).await?.cashier {
            payments::Cashier::Address(address) if !visit.at_kiosk => Cashier::Address(address),
            payments::Cashier::Address(_) => Cashier::Page,
            payments::Cashier::Form(_) | payments::Cashier::Scan(_) | payments::Cashier::Invoke(_) => Cashier::Page,
        })
    }

    pub(super) async fn returned(&self, who: &Who, out_trade_no: &str) -> Result<OrderId, AppError> {
        let attempt = self.payments.attempt(out_trade_no).await?.ok_or(AppError::NotFound)?;
        let order = attempt.order_id;
        self.seen(who, order).await?;
        self.payments.request_query(order).await;
        Ok(order)
    }

    pub(super) async fn cashier(&self, who: &Who, id: OrderId, visit: &Visit) -> Result<CashierView, AppError> {
        let order = self.payable(who, id).await?.progress.order;
        let (device, tender) = (device_for(visit, order.tender), order.tender);
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
        let step = if visit.at_kiosk { scanned(step)? } else { step };
        Ok(CashierView { amount: order.amount, tender, step })
    }
}

/// The device that pays. At a query machine that is the phone which scans a code: of Alipay the address for phones, of others the
/// code that they make for desks.
pub(super) fn device_for(visit: &Visit, tender: Tender) -> Device {
    match (visit.at_kiosk, Device::of(&visit.agent)) {
        (true, _) if tender == Tender::Alipay => Device::Phone,
        (true, _) => Device::Desk,
        // WeChat is on the phone beside it, which scans; the others have pages that work by touch.
        (false, Device::Desk) if visit.is_tablet && tender != Tender::WechatPay => Device::Phone,
        (false, device) => device,
    }
}

/// At a query machine nobody leaves for the cashier: the phone does, by a code.
fn scanned(step: CashierStep) -> Result<CashierStep, AppError> {
    Ok(match step {
        CashierStep::Follow(address) => {
            let (size, path) = qr(&address).ok_or(AppError::ChannelUnavailable)?;
            CashierStep::Scan(size, path)
        }
        CashierStep::Post(..) => return Err(AppError::ChannelUnavailable),
        step => step,
    })
}

/// Without a cashier a form asks for a new attempt: a page must not make one by being looked at.
pub(super) fn step(cashier: Option<payments::Cashier>) -> Result<CashierStep, AppError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_browser_gets_the_way_to_pay_that_works_there() {
        const IPAD: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15";
        let visit = |is_tablet, at_kiosk| Visit { agent: IPAD.into(), is_tablet, at_kiosk, ..Visit::default() };
        for (is_tablet, at_kiosk, tender, device) in [
            (false, false, Tender::Alipay, Device::Desk),
            (true, false, Tender::Alipay, Device::Phone),
            (true, false, Tender::UnionPay, Device::Phone),
            (true, false, Tender::WechatPay, Device::Desk),
            (false, true, Tender::Alipay, Device::Phone),
            (true, true, Tender::WechatPay, Device::Desk),
        ] {
            assert_eq!(device_for(&visit(is_tablet, at_kiosk), tender), device, "{is_tablet} {at_kiosk} {tender:?}");
        }
    }
}
