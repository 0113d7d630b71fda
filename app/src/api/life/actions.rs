//! What the forms of account life do.

use leptos::prelude::*;

use super::{BalanceTarget, Counted, Device, Registry, ResidentToAdd, registry};
use crate::api::operator::{kwh, parse};
use crate::api::till::said;
use crate::api::{ApiError, answer};
use model::error::AppError;
use model::ids::ClosingId;
use model::money::Fen;
use model::order::Tender;

fn room(meter: &str) -> String {
    format!("/rooms/{meter}")
}

fn page(closing: &str) -> String {
    format!("/closings/{closing}")
}

/// Over the counter, or into the account of a number; where both are named the number counts.
fn goes(tender: &str, account: &str) -> Result<BalanceTarget, AppError> {
    match account.trim() {
        "" => Tender::parse(tender).map(BalanceTarget::Counter).ok_or(AppError::Invalid),
        number => Ok(BalanceTarget::Account(number.to_owned())),
    }
}

fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>, AppError> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some),
    }
}

fn device(serial: &str, gateway: &str, unit: &str, profile: &str) -> Result<Device, AppError> {
    let serial = serial.trim();
    if serial.len() != 12 || !serial.bytes().all(|byte| byte.is_ascii_digit()) || profile.len() > 60 {
        return Err(AppError::Invalid);
    }
    let profile = Some(profile.trim()).filter(|profile| !profile.is_empty()).map(str::to_owned);
    Ok(Device { serial: serial.to_owned(), gateway: optional(gateway)?, unit: optional(unit)?, profile })
}

/// Lets somebody log in for an account; without a password it is somebody who logs in by that name already.
#[server(name = AddResident, prefix = "/api", endpoint = "operator/add-resident")]
pub async fn add_resident(meter: String, name: String, login: String, password: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async {
        let (name, login) = (name.trim().to_owned(), login.trim().to_owned());
        let too_long = name.chars().count() > 60 || login.chars().count() > 60;
        if login.is_empty() || too_long || (name.is_empty() && !password.is_empty()) {
            return Err(AppError::Invalid);
        }
        let newcomer =
            if password.is_empty() { ResidentToAdd::Known(login) } else { ResidentToAdd::New { name, login, password } };
        port.add_resident(&who, parse(&meter)?, &newcomer).await
    };
    answer(done.await.map(|()| room(&meter)), &room(&meter))
}

/// Ends a resident's access to an account.
#[server(name = RemoveResident, prefix = "/api", endpoint = "operator/remove-resident")]
pub async fn remove_resident(meter: String, login: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.remove_resident(&who, parse(&meter)?, &login).await }.await;
    answer(done.map(|()| room(&meter)), &room(&meter))
}

/// Gives an account another meter of its room.
#[server(name = AddMeter, prefix = "/api", endpoint = "operator/add-meter")]
pub async fn add_meter(meter: String, other: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.add_meter(&who, parse(&meter)?, parse(&other)?).await }.await;
    answer(done.map(|()| room(&other)), &room(&meter))
}

/// Closes an account.
#[server(name = CloseAccount, prefix = "/api", endpoint = "operator/close-account")]
pub async fn close_account(meter: String, tender: String, account: String, reason: String, key: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async {
        let goes = goes(&tender, &account)?;
        port.close(&who, parse(&meter)?, &goes, &said(&reason)?, parse(&key)?).await
    };
    answer(done.await.map(|id| page(&id.to_string())), &room(&meter))
}

/// Moves an account to the room of another meter.
#[server(name = MoveAccount, prefix = "/api", endpoint = "operator/move-account")]
pub async fn move_account(meter: String, to: String, reason: String, key: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.relocate(&who, parse(&meter)?, parse(&to)?, &said(&reason)?, parse(&key)?).await }.await;
    answer(done.map(|id| page(&id.to_string())), &room(&meter))
}

/// Begins to replace a meter.
#[server(name = BeginReplacement, prefix = "/api", endpoint = "operator/replace-meter")]
pub async fn begin_replacement(meter: String, reason: String, key: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.replace(&who, parse(&meter)?, &said(&reason)?, parse(&key)?).await }.await;
    answer(done.map(|id| page(&id.to_string())), &room(&meter))
}

/// Puts a new meter in the place of one without an account.
#[server(name = SwapMeter, prefix = "/api", endpoint = "operator/swap-meter")]
pub async fn swap_meter(
    meter: String,
    serial: String,
    gateway: String,
    unit: String,
    profile: String,
    reason: String,
) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async {
        let device = device(&serial, &gateway, &unit, &profile)?;
        port.swap(&who, parse(&meter)?, &device, &said(&reason)?).await
    };
    answer(done.await.map(|new| room(&new.to_string())), &room(&meter))
}

/// Puts the new meter in the place of the one that was read.
#[server(name = InstallMeter, prefix = "/api", endpoint = "operator/install-meter")]
pub async fn install_meter(
    closing: String,
    serial: String,
    gateway: String,
    unit: String,
    profile: String,
) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async {
        let device = device(&serial, &gateway, &unit, &profile)?;
        port.install(&who, parse::<ClosingId>(&closing)?, &device).await
    };
    answer(done.await.map(|_| page(&closing)), &page(&closing))
}

/// Ends a meter by what a person counted.
#[server(name = CountMeter, prefix = "/api", endpoint = "operator/count-meter")]
pub async fn count_meter(
    closing: String,
    meter: String,
    remaining: String,
    total: String,
    reason: String,
) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async {
        let remaining = match remaining.trim() {
            "" => None,
            text => Some(signed(text)?),
        };
        let total = if total.trim().is_empty() { None } else { Some(kwh(&total)?) };
        let counted = Counted { remaining, total, reason: said(&reason)? };
        port.count(&who, parse(&closing)?, parse(&meter)?, &counted).await
    };
    answer(done.await.map(|()| page(&closing)), &page(&closing))
}

/// Yuan, negative in overdraft.
fn signed(text: &str) -> Result<Fen, AppError> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    Fen::parse_yuan(digits.trim()).map(|fen| Fen(fen.0 * sign)).map_err(|_| AppError::InvalidAmount)
}

/// Decides anew where the money of a closing goes.
#[server(name = DecideClosing, prefix = "/api", endpoint = "operator/decide-closing")]
pub async fn decide_closing(closing: String, tender: String, account: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.decide(&who, parse(&closing)?, &goes(&tender, &account)?).await };
    answer(done.await.map(|()| page(&closing)), &page(&closing))
}

/// Takes back a closing that was begun.
#[server(name = WithdrawClosing, prefix = "/api", endpoint = "operator/withdraw-closing")]
pub async fn withdraw_closing(closing: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.withdraw(&who, parse(&closing)?).await }.await;
    answer(done.map(|()| page(&closing)), &page(&closing))
}

/// Sends a purchase that could not reach its meter to another account.
#[server(name = Readdress, prefix = "/api", endpoint = "operator/readdress")]
pub async fn readdress(closing: String, order: String, account: String) -> Result<(), ApiError> {
    let Registry { who, port } = registry()?;
    let done = async { port.readdress(&who, parse(&order)?, account.trim()).await }.await;
    answer(done.map(|()| page(&closing)), &page(&closing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_goes_over_the_counter_or_into_an_account() {
        assert_eq!(goes("cash", " "), Ok(BalanceTarget::Counter(Tender::Cash)));
        assert_eq!(goes("cash", " 2611230000000001"), Ok(BalanceTarget::Account("2611230000000001".into())));
        assert_eq!(goes("gold", ""), Err(AppError::Invalid));
    }

    #[test]
    fn a_new_meter_has_twelve_digits_and_the_rest_is_as_before() {
        assert_eq!(device("990000000001", "", " ", ""), Ok(Device { serial: "990000000001".into(), ..Device::default() }));
        for (serial, unit) in [("99000000001", ""), ("99000000000a", ""), ("990000000001", "300"), ("990000000001", "x")] {
            assert_eq!(device(serial, "", unit, ""), Err(AppError::Invalid), "{serial} {unit}");
        }
    }

    #[test]
    fn what_is_left_may_be_overdrawn() {
        assert_eq!((signed("12.30"), signed("-0.5")), (Ok(Fen(1_230)), Ok(Fen(-50))));
        assert_eq!(signed("--1"), Err(AppError::InvalidAmount));
    }
}
