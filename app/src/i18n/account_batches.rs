//! Texts of accounts that are opened or closed together.

use super::Lang;
pub use super::catalogue::account_batches::*;
use super::errors;
use model::console::{AccountBatchKind, AccountState, BatchRoom, BatchRoomState, RoomObstacle};
use model::error::AppError;
use model::order::ReturnState;

#[must_use]
pub const fn kind(kind: AccountBatchKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        AccountBatchKind::Open => t.open_many,
        AccountBatchKind::Close => t.close_many,
    }
}

/// Why a room is left out.
#[must_use]
pub const fn obstacle(obstacle: RoomObstacle, lang: Lang) -> &'static str {
    let t = texts(lang).obstacle;
    match obstacle {
        RoomObstacle::AlreadyOpen => t.already_open,
        RoomObstacle::NothingToSell => t.nothing_to_sell,
        RoomObstacle::NoPrices => t.no_prices,
        RoomObstacle::ForeignAccount => t.foreign_account,
        RoomObstacle::LoginTaken => t.login_taken,
        RoomObstacle::LoginRepeated => t.login_repeated,
        RoomObstacle::RoomRepeated => t.room_repeated,
        RoomObstacle::OverHoardingLimit => t.over_hoarding_limit,
        RoomObstacle::NotOpen => t.not_open,
        RoomObstacle::Opening => t.opening,
        RoomObstacle::Closing => t.closing,
    }
}

/// How far a room is.
#[must_use]
pub const fn room_state(room: &BatchRoom, lang: Lang) -> &'static str {
    let t = texts(lang).progress;
    match room.state {
        BatchRoomState::Waiting => t.waiting,
        BatchRoomState::Refused => t.refused,
        BatchRoomState::Cancelled => t.cancelled,
        BatchRoomState::Done if room.closing.is_some() => match (room.ended_at, &room.returned, room.left) {
            (Some(_), ..) => t.closed,
            (None, Some((_, ReturnState::Waiting)), _) => t.to_approve,
            (None, Some(_), _) => t.to_pay,
            (None, None, Some(_)) => t.settling,
            (None, None, None) => t.reading,
        },
        BatchRoomState::Done => match room.account {
            Some((_, AccountState::Opening)) => t.opening,
            _ => t.open,
        },
    }
}

/// Why a room was refused, and what to do.
#[must_use]
pub fn refusal_of(error: AppError, lang: Lang) -> String {
    errors::message(error, lang).to_owned()
}
