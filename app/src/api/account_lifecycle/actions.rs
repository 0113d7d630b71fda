//! The forms of the account lifecycle.

use leptos::prelude::*;

use crate::api::form::{at, parse, reason_of, room_page, yuan};
use crate::api::{ApiError, answer};
use crate::link;
use crate::ports::{operator, ports, reply};
use model::console::{BalanceTarget, Counted, Device, ResidentToAdd, kwh};
use model::error::AppError;
use model::ids::ClosingId;
use model::money::Fen;
use model::order::Tender;
use model::person::{is_login_name, is_name};
use model::typed::typed;

fn page(closing: &str) -> String {
    format!("/closings/{closing}")
}

/// The account of that number, or the counter where no number is given.
fn balance_target(tender: &str, account: &str) -> Result<BalanceTarget, AppError> {
    match &*typed(account) {
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
    let serial = typed(serial);
    if serial.len() != 12 || !serial.bytes().all(|byte| byte.is_ascii_digit()) {
        return at("serial", Err(AppError::Invalid));
    }
    if profile.len() > 60 {
        return at("profile", Err(AppError::Invalid));
    }
    let profile = Some(profile.trim()).filter(|profile| !profile.is_empty()).map(str::to_owned);
    Ok(Device { serial, gateway: at("gateway", optional(gateway))?, unit: at("unit", optional(unit))?, profile })
}

/// Adds a resident to an account: somebody who has a log-in already, or with a name somebody new, who without a password chooses
/// one through a link.
#[server(name = AddResident, prefix = "/api", endpoint = "operator/add-resident")]
pub async fn add_resident(meter: String, name: String, login: String, password: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let (name, login) = (name.trim().to_owned(), typed(&login));
        let is_new = !password.is_empty() || !name.is_empty();
        if !is_login_name(&login) {
            return at("login", Err(AppError::Invalid));
        }
        if is_new && !is_name(&name) {
            return at("name", Err(AppError::Invalid));
        }
        let by_link = is_new && password.is_empty();
        let resident = if is_new {
            ResidentToAdd::New { name, login: login.clone(), password }
        } else {
            ResidentToAdd::Known(login.clone())
        };
        ports.account_lifecycle.add_resident(&who, parse(&meter)?, &resident).await?;
        if by_link { resident_link(&meter, &login).await } else { Ok(room_page(&meter)) }
    };
    answer(done.await, &room_page(&meter))
}

/// Makes a link by which a resident chooses a password, and gives the page that shows it once.
pub(crate) async fn resident_link(meter: &str, login: &str) -> Result<String, AppError> {
    let (ports, reply, who) = (ports()?, reply()?, operator()?);
    let code = ports.account_lifecycle.invite_resident(&who, parse(meter)?, login).await?;
    reply.once(&code);
    Ok(link::with(&format!("{}/resident-link", room_page(meter)), "login", login))
}

/// Makes a link by which a resident chooses a password, for the first time or again.
#[server(name = InviteResident, prefix = "/api", endpoint = "operator/invite-resident")]
pub async fn invite_resident(meter: String, login: String) -> Result<(), ApiError> {
    let made = resident_link(&meter, login.trim()).await;
    answer(made, &room_page(&meter))
}

#[server(name = RemoveResident, prefix = "/api", endpoint = "operator/remove-resident")]
pub async fn remove_resident(meter: String, login: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.account_lifecycle.remove_resident(&who, parse(&meter)?, &login).await }.await;
    answer(done.map(|()| room_page(&meter)), &room_page(&meter))
}

/// Adds another meter of the room to an account.
#[server(name = AddMeter, prefix = "/api", endpoint = "operator/add-meter")]
pub async fn add_meter(meter: String, other: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.account_lifecycle.add_meter(&who, parse(&meter)?, parse(&other)?).await }.await;
    answer(done.map(|()| room_page(&other)), &room_page(&meter))
}

/// Begins to close an account.
#[server(name = CloseAccount, prefix = "/api", endpoint = "operator/close-account")]
pub async fn close_account(meter: String, tender: String, account: String, reason: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let target = balance_target(&tender, &account)?;
        ports.account_lifecycle.close_account(&who, parse(&meter)?, &target, &reason_of(&reason)?, parse(&key)?).await
    };
    answer(done.await.map(|id| page(&id.to_string())), &room_page(&meter))
}

/// Begins to move an account to the room of another meter.
#[server(name = MoveAccount, prefix = "/api", endpoint = "operator/move-account")]
pub async fn move_account(meter: String, to: String, reason: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        ports.account_lifecycle.move_account(&who, parse(&meter)?, parse(&to)?, &reason_of(&reason)?, parse(&key)?).await
    }
    .await;
    answer(done.map(|id| page(&id.to_string())), &room_page(&meter))
}

/// Begins to replace a meter with its final reading.
#[server(name = BeginReplacement, prefix = "/api", endpoint = "operator/replace-meter")]
pub async fn begin_replacement(meter: String, reason: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done =
        async { ports.account_lifecycle.begin_replacement(&who, parse(&meter)?, &reason_of(&reason)?, parse(&key)?).await }.await;
    answer(done.map(|id| page(&id.to_string())), &room_page(&meter))
}

/// Replaces a meter that has no account.
#[server(name = SwapMeter, prefix = "/api", endpoint = "operator/swap-meter")]
pub async fn swap_meter(
    meter: String,
    serial: String,
    gateway: String,
    unit: String,
    profile: String,
    reason: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let device = device(&serial, &gateway, &unit, &profile)?;
        ports.account_lifecycle.swap_meter(&who, parse(&meter)?, &device, &reason_of(&reason)?).await
    };
    answer(done.await.map(|new| room_page(&new.to_string())), &room_page(&meter))
}

/// Installs the new meter of a replacement.
#[server(name = InstallMeter, prefix = "/api", endpoint = "operator/install-meter")]
pub async fn install_meter(
    closing: String,
    serial: String,
    gateway: String,
    unit: String,
    profile: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let device = device(&serial, &gateway, &unit, &profile)?;
        ports.account_lifecycle.install_meter(&who, parse::<ClosingId>(&closing)?, &device).await
    };
    answer(done.await.map(|_| page(&closing)), &page(&closing))
}

/// Ends a meter that cannot be read, with what a person read off it.
#[server(name = CountMeter, prefix = "/api", endpoint = "operator/count-meter")]
pub async fn count_meter(
    closing: String,
    meter: String,
    remaining: String,
    total: String,
    reason: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let remaining = match remaining.trim() {
            "" => None,
            text => Some(at("remaining", signed_yuan(text))?),
        };
        let total = if total.trim().is_empty() { None } else { Some(at("total", kwh(&total))?) };
        let counted = Counted { remaining, total, reason: reason_of(&reason)? };
        ports.account_lifecycle.count_meter(&who, parse(&closing)?, parse(&meter)?, &counted).await
    };
    answer(done.await.map(|()| page(&closing)), &page(&closing))
}

/// Yuan; negative in overdraft.
fn signed_yuan(text: &str) -> Result<Fen, AppError> {
    let text = typed(text);
    let (sign, digits) = text.strip_prefix('-').map_or((1, &*text), |digits| (-1, digits));
    Ok(Fen(yuan(digits)?.0 * sign))
}

/// Changes where the balance of a closing goes.
#[server(name = DecideClosing, prefix = "/api", endpoint = "operator/decide-closing")]
pub async fn decide_closing(closing: String, tender: String, account: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done =
        async { ports.account_lifecycle.decide_closing(&who, parse(&closing)?, &balance_target(&tender, &account)?).await };
    answer(done.await.map(|()| page(&closing)), &page(&closing))
}

/// Withdraws a closing that has had no effect yet.
#[server(name = WithdrawClosing, prefix = "/api", endpoint = "operator/withdraw-closing")]
pub async fn withdraw_closing(closing: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.account_lifecycle.withdraw_closing(&who, parse(&closing)?).await }.await;
    answer(done.map(|()| page(&closing)), &page(&closing))
}

/// Assigns an undeliverable purchase to another account.
#[server(name = ReassignOrder, prefix = "/api", endpoint = "operator/reassign-order")]
pub async fn reassign_order(closing: String, order: String, account: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.account_lifecycle.reassign_order(&who, parse(&order)?, &typed(&account)).await }.await;
    answer(done.map(|()| page(&closing)), &page(&closing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_goes_over_the_counter_or_to_an_account() {
        assert_eq!(balance_target("cash", " "), Ok(BalanceTarget::Counter(Tender::Cash)));
        assert_eq!(balance_target("cash", " 2611230000000001"), Ok(BalanceTarget::Account("2611230000000001".into())));
        assert_eq!(balance_target("gold", ""), Err(AppError::Invalid));
    }

    #[test]
    fn new_meter_serial_has_twelve_digits() {
        assert_eq!(device("990000000001", "", " ", ""), Ok(Device { serial: "990000000001".into(), ..Device::default() }));
        for (serial, unit) in [("99000000001", ""), ("99000000000a", ""), ("990000000001", "300"), ("990000000001", "x")] {
            assert_eq!(device(serial, "", unit, ""), Err(AppError::Invalid), "{serial} {unit}");
        }
    }

    #[test]
    fn remaining_amount_may_be_negative() {
        assert_eq!((signed_yuan("12.30"), signed_yuan("-0.5")), (Ok(Fen(1_230)), Ok(Fen(-50))));
        assert_eq!(signed_yuan("--1"), Err(AppError::InvalidAmount));
    }
}
