//! What a resident's browser may call.

use leptos::prelude::*;

use super::Cashier;
use crate::api::{ApiError, answer};
use crate::ports::{ports, resident, visit};
use model::error::AppError;
use model::ids::{OrderId, Uuid};
use model::money::{Fen, ParseMoneyError};
use model::order::Tender;

/// Makes an order and goes to the cashier; what was typed into `own` counts before the button that was chosen.
#[server(name = TopUp, prefix = "/api", endpoint = "resident/top-up")]
pub async fn top_up(key: Uuid, amount: Option<String>, own: Option<String>, channel: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let ordered = match wanted(amount.as_deref(), own.as_deref(), &channel) {
        Ok((amount, tender)) => ports.resident.top_up(&who, key, amount, tender).await,
        Err(error) => Err(error),
    };
    match ordered {
        Ok(order) => to_cashier(order).await,
        Err(error) => answer(Err(error), "/topup"),
    }
}

/// Goes to the cashier of an order that was not paid yet.
#[server(name = Pay, prefix = "/api", endpoint = "resident/pay")]
pub async fn pay(order: OrderId) -> Result<(), ApiError> {
    to_cashier(order).await
}

/// Decides to switch the room.
#[server(name = Switch, prefix = "/api", endpoint = "resident/switch")]
pub async fn switch(key: Uuid, on: bool) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let decided = ports.resident.switch(&who, key, on).await;
    answer(decided.map(|command| format!("/switch/{command}")), "/switch")
}

/// The order is stored by now: whatever the channel says, its page is where to go on.
async fn to_cashier(order: OrderId) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    match ports.resident.pay(&who, order, &visit()).await {
        Ok(Cashier::Address(cashier)) => {
            ports.reply.leave(&cashier);
            Ok(())
        }
        Ok(Cashier::Page) => answer(Ok(format!("/orders/{order}/pay")), "/records"),
        Err(AppError::OrderClosed) => answer(Ok(format!("/orders/{order}")), "/records"),
        Err(error) => answer(Err(error), &format!("/orders/{order}")),
    }
}

fn wanted(amount: Option<&str>, own: Option<&str>, channel: &str) -> Result<(Fen, Tender), AppError> {
    let own = own.map(str::trim).filter(|own| !own.is_empty());
    let text = own.or(amount).ok_or(AppError::InvalidAmount)?;
    let amount = Fen::parse_yuan(text).map_err(|error| match error {
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
    fn what_is_typed_counts_before_the_button() {
        let wanted = |amount, own| wanted(amount, own, "alipay").map(|(amount, _)| amount);
        assert_eq!(wanted(Some("50"), None), Ok(Fen(5_000)));
        assert_eq!(wanted(Some("50"), Some(" ")), Ok(Fen(5_000)));
        assert_eq!(wanted(Some("50"), Some("37.5")), Ok(Fen(3_750)));
        assert_eq!(wanted(Some("50"), Some("three")), Err(AppError::InvalidAmount));
        assert_eq!(wanted(None, Some("99999999999")), Err(AppError::AmountOutOfRange));
        assert_eq!(wanted(None, None), Err(AppError::InvalidAmount));
    }

    #[test]
    fn a_resident_pays_by_a_channel_only() {
        for channel in ["cash", "card", "transfer", "", "bitcoin"] {
            assert_eq!(wanted(Some("50"), None, channel), Err(AppError::ChannelUnavailable), "{channel}");
        }
    }
}
