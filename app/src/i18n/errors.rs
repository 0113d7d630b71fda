//! The message of each error.

use super::Lang;
use super::catalogue::errors::texts;
use model::error::AppError;

/// What is wrong and what to do.
#[must_use]
pub const fn message(error: AppError, lang: Lang) -> &'static str {
    let t = texts(lang);
    match error {
        AppError::NotLoggedIn => t.not_logged_in,
        AppError::BadCredentials => t.bad_credentials,
        AppError::RateLimited => t.rate_limited,
        AppError::Forbidden => t.forbidden,
        AppError::NotFound => t.not_found,
        AppError::Invalid => t.invalid,
        AppError::InvalidAmount => t.invalid_amount,
        AppError::AmountOutOfRange => t.amount_out_of_range,
        AppError::HoardingLimit => t.hoarding_limit,
        AppError::ExceedsRemaining => t.exceeds_remaining,
        AppError::NotCorrectable => t.not_correctable,
        AppError::ExceedsRefundable => t.exceeds_refundable,
        AppError::RefundTooOld => t.refund_too_old,
        AppError::RefundByChannel => t.refund_by_channel,
        AppError::InTheMeter => t.in_the_meter,
        AppError::ShiftClosed => t.shift_closed,
        AppError::DrawerDiffers => t.drawer_differs,
        AppError::DifferencesOpen => t.differences_open,
        AppError::MoneyOpen => t.money_open,
        AppError::AskedJustNow => t.asked_just_now,
        AppError::RefundsUnbooked => t.refunds_unbooked,
        AppError::TooLate => t.too_late,
        AppError::SecondPerson => t.second_person,
        AppError::StaleMeter => t.stale_meter,
        AppError::StaleSubsidy => t.stale_subsidy,
        AppError::StalePrices => t.stale_prices,
        AppError::StaleAmount => t.stale_amount,
        AppError::AccountNotOpen => t.account_not_open,
        AppError::MeterChanged => t.meter_changed,
        AppError::AccountAlreadyOpen => t.account_already_open,
        AppError::NoPrices => t.no_prices,
        AppError::LoginTaken => t.login_taken,
        AppError::HasAccount => t.has_account,
        AppError::WeakPassword => t.weak_password,
        AppError::WrongPassword => t.wrong_password,
        AppError::ChannelUnavailable => t.channel_unavailable,
        AppError::OrderClosed => t.order_closed,
        AppError::TooManyPending => t.too_many_pending,
        AppError::SwitchedTooOften => t.switched_too_often,
        AppError::ListTooLong => t.list_too_long,
        AppError::MeterLost => t.meter_lost,
        AppError::OffForArrears => t.off_for_arrears,
        AppError::OffByOperator => t.off_by_operator,
        AppError::OnByOperator => t.on_by_operator,
        AppError::OffForOverload => t.off_for_overload,
        AppError::TooManyRows => t.too_many_rows,
        AppError::NameTaken => t.name_taken,
        AppError::PlaceDoesNotFit => t.place_does_not_fit,
        AppError::PlaceNotEmpty => t.place_not_empty,
        AppError::PlaceAssigned => t.place_assigned,
        AppError::RoomHasAccount => t.room_has_account,
        AppError::Conflict => t.conflict,
        AppError::Unavailable => t.unavailable,
        AppError::Internal => t.internal,
    }
}
