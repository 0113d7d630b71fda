//! From an order to the channel's cashier.

use app::api::resident::{Cashier, CashierStep, CashierView};
use app::error::AppError;
use app::model::ids::OrderId;
use app::ports::Who;
use qrcodegen::{QrCode, QrCodeEcc};

use super::Residents;
use crate::pay;
use crate::pay::{Device, Payer};

impl Residents {
    /// Straight to the channel where an address leads there, otherwise to our page before it.
    pub(super) async fn to_cashier(&self, who: &Who, order: OrderId, agent: &str) -> Result<Cashier, AppError> {
        let room = self.room(who).await?;
        self.own(&room, order).await?;
        let payer = Payer { ip: &who.ip, device: Device::of(agent) };
        if payer.device == Device::InWechat {
            return Ok(Cashier::Page);
        }
        Ok(match self.payments.resume(order, &payer).await?.cashier {
            pay::Cashier::Address(address) => Cashier::Address(address),
            pay::Cashier::Form(_) | pay::Cashier::Scan(_) => Cashier::Page,
        })
    }

    pub(super) async fn cashier_page(&self, who: &Who, id: OrderId, agent: &str) -> Result<CashierView, AppError> {
        let room = self.room(who).await?;
        let order = self.own(&room, id).await?.order;
        let payer = Payer { ip: &who.ip, device: Device::of(agent) };
        let step = if payer.device == Device::InWechat {
            CashierStep::OpenBrowser
        } else {
            match self.payments.again(id, &payer).await? {
                pay::Cashier::Address(address) => CashierStep::Follow(address),
                pay::Cashier::Form(form) => CashierStep::Post(form.action, form.fields),
                pay::Cashier::Scan(text) => scan(&text)?,
            }
        };
        Ok(CashierView { amount: order.amount(), tender: order.tender()?, step })
    }
}

/// The QR code with the quiet zone of four modules that scanners need.
fn scan(text: &str) -> Result<CashierStep, AppError> {
    const QUIET: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| AppError::ChannelUnavailable)?;
    let mut path = String::new();
    for (x, y) in (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y))) {
        if code.get_module(x, y) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    Ok(CashierStep::Scan(code.size() + 2 * QUIET, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_zone() {
        let CashierStep::Scan(size, path) = scan("weixin://wxpay/bizpayurl?pr=p4lpSuKzz").unwrap() else { panic!("no code") };
        assert_eq!(size, 37, "version 3 and four modules on either side");
        for corner in ["M4 4h1", "M32 4h1", "M4 32h1"] {
            assert!(path.contains(corner), "{corner}");
        }
        assert!(!path.contains("M3 ") && !path.contains("M33 "));
    }
}
