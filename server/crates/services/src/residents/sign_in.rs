//! Inside WeChat: the payer signs in to WeChat once a session and returns to the order.

use app::api::resident::{Cashier, SignInState};
use app::ports::{Visit, Who};
use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;

use super::ResidentService;
use crate::auth::hash;
use ::residents::payers;
use payments::{Channel, Device, Payer, PayerId, SignIn};

impl ResidentService {
    /// The channel of an order, where it can be paid inside its own app, which this browser is.
    pub(super) fn inside(&self, tender: Tender) -> Option<(&dyn Channel, &dyn SignIn)> {
        let channel = self.payments.channel(tender).filter(|_| tender == Tender::WechatPay)?;
        Some((channel, channel.sign_in()?))
    }

    /// The session's payer, if they have signed in to the channel.
    pub(super) async fn payer(&self, channel: &dyn Channel, visit: &Visit) -> Result<Option<PayerId>, AppError> {
        let payer = payers::payer_id(&self.context.db, &hash(&visit.session), channel.terms().app_id).await?;
        Ok(payer.and_then(PayerId::parse))
    }

    /// The address of the channel's sign-in, with a state that is valid once and only for this session.
    pub(super) async fn begin_sign_in(
        &self,
        (channel, sign_in): (&dyn Channel, &dyn SignIn),
        order: OrderId,
        visit: &Visit,
    ) -> Result<Cashier, AppError> {
        self.payments.open_attempt(order, &Payer { ip: "", device: Device::InWechat, id: None }).await?;
        let state = hex::encode(self.context.rng.bytes::<16>());
        let (session, app_id) = (hash(&visit.session), channel.terms().app_id);
        payers::ask(&self.context.db, self.context.now(), &session, app_id, order, &hash(&state)).await?;
        Ok(Cashier::Address(sign_in.address(&state)))
    }

    pub(super) async fn signed_in(&self, who: &Who, visit: &Visit, state: &SignInState, code: &str) -> Result<OrderId, AppError> {
        let (channel, sign_in) = self.inside(Tender::WechatPay).ok_or(AppError::NotFound)?;
        let session = hash(&visit.session);
        // Before the code is used: a forged state must not cause a request to the channel.
        let order =
            payers::returned(&self.context.db, self.context.now(), &session, &hash(&state.0)).await?.ok_or(AppError::NotFound)?;
        self.payable(who, order).await?;
        if code.is_empty() || code.len() > 512 {
            return Err(AppError::ChannelUnavailable);
        }
        let payer = sign_in.payer(code).await.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, %order, "payment.sign_in.failed");
            AppError::ChannelUnavailable
        })?;
        payers::learn(&self.context.db, &session, channel.terms().app_id, payer.expose()).await?;
        // The attempt that was opened before is this payer's from now on.
        match self.payments.open_attempt(order, &Payer { ip: "", device: Device::InWechat, id: Some(&payer) }).await {
            // It may be over by now; the order's page says so.
            Ok(()) | Err(AppError::OrderClosed) => {}
            Err(error) => return Err(error),
        }
        Ok(order)
    }
}
