//! The resident's forms.

use leptos::prelude::*;

use super::Cashier;
use crate::api::{ApiError, answer};
use crate::ports::{ports, reply, resident, visit};
use model::error::AppError;
use model::ids::{OrderId, Uuid};
use model::money::{Fen, ParseMoneyError};
use model::order::Tender;
use model::typed;

/// Creates an order and redirects to the cashier. An amount typed into `own` overrides the chosen button.
#[server(name = TopUp, prefix = "/api", endpoint = "resident/top-up")]
pub async fn top_up(key: Uuid, amount: Option<String>, own: Option<String>, channel: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let ordered = match top_up_fields(amount.as_deref(), own.as_deref(), &channel) {
        Ok((amount, tender)) => ports.resident.top_up(&who, key, amount, tender).await,
        Err(error) => Err(error),
    };
    match ordered {
        Ok(order) => to_cashier(order).await,
        Err(error) => answer(Err(error), "/topup"),
    }
}

/// Redirects to the cashier of an order that was not paid yet.
#[server(name = Pay, prefix = "/api", endpoint = "resident/pay")]
pub async fn pay(order: OrderId) -> Result<(), ApiError> {
    to_cashier(order).await
}

/// Pays through another channel: a new order of the same amount takes the place of an unpaid one.
#[server(name = ChangeChannel, prefix = "/api", endpoint = "resident/change-channel")]
pub async fn change_channel(order: OrderId, channel: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let changed = async {
        let tender = Tender::parse(&channel).filter(|tender| tender.is_channel()).ok_or(AppError::Invalid)?;
        ports.resident.change_channel(&who, order, tender).await
    };
    match changed.await {
        Ok(order) => to_cashier(order).await,
        Err(error) => answer(Err(error), &format!("/orders/{order}")),
    }
}

/// Requests to switch the room on or off.
#[server(name = Switch, prefix = "/api", endpoint = "resident/switch")]
pub async fn switch(key: Uuid, on: bool) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let decided = ports.resident.switch(&who, key, on).await;
    answer(decided.map(|command| format!("/switch/{command}")), "/switch")
}

/// Takes the emergency credit of the resident's account.
#[server(name = TakeEmergencyCredit, prefix = "/api", endpoint = "resident/emergency-credit")]
pub async fn take_emergency_credit() -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let taken = ports.resident.take_emergency_credit(&who).await;
    answer(taken.map(|()| "/emergency-credit".to_owned()), "/emergency-credit")
}

/// The order is stored by now: if the channel fails, the payer continues on the order's page.
pub(in crate::api) async fn to_cashier(order: OrderId) -> Result<(), ApiError> {
    let (ports, who, reply) = (ports()?, resident()?, reply()?);
    match ports.resident.pay(&who, order, &visit()).await {
        Ok(Cashier::Address(cashier)) => {
            reply.leave(&cashier);
            Ok(())
        }
        Ok(Cashier::Page) => answer(Ok(format!("/orders/{order}/pay")), "/records"),
        Err(AppError::OrderClosed) => answer(Ok(format!("/orders/{order}")), "/records"),
        Err(error) => answer(Err(error), &format!("/orders/{order}")),
    }
}

pub(in crate::api) fn top_up_fields(amount: Option<&str>, own: Option<&str>, channel: &str) -> Result<(Fen, Tender), AppError> {
    let own = own.map(str::trim).filter(|own| !own.is_empty());
    let text = own.or(amount).ok_or(AppError::InvalidAmount)?;
    let amount = typed::yuan(text).map_err(|error| match error {
        ParseMoneyError::Format => AppError::InvalidAmount,
        ParseMoneyError::TooLarge => AppError::AmountOutOfRange,
    })?;
    match Tender::parse(channel) {
        Some(tender) if tender.is_channel() => Ok((amount, tender)),
        _ => Err(AppError::ChannelUnavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_amount_overrides_the_button() {
        let wanted = |amount, own| top_up_fields(amount, own, "alipay").map(|(amount, _)| amount);
        assert_eq!(wanted(Some("50"), None), Ok(Fen(5_000)));
        assert_eq!(wanted(Some("50"), Some(" ")), Ok(Fen(5_000)));
        assert_eq!(wanted(Some("50"), Some("37.5")), Ok(Fen(3_750)));
        assert_eq!(wanted(Some("50"), Some("１００．５０")), Ok(Fen(10_050)));
        assert_eq!(wanted(Some("50"), Some("three")), Err(AppError::InvalidAmount));
        assert_eq!(wanted(None, Some("99999999999")), Err(AppError::AmountOutOfRange));
        assert_eq!(wanted(None, None), Err(AppError::InvalidAmount));
    }

    #[test]
    fn resident_pays_by_channel_only() {
        for channel in ["cash", "card", "transfer", "", "bitcoin"] {
            assert_eq!(top_up_fields(Some("50"), None, channel), Err(AppError::ChannelUnavailable), "{channel}");
        }
    }
}
