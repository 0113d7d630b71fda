//! View types of accounts that are opened or closed together.

use super::{AccountState, Page, RoomName};
use crate::error::AppError;
use crate::ids::{AccountBatchId, AccountId, ClosingId, MeterId, PlaceId, ReturnId};
use crate::money::Fen;
use crate::order::{ReturnState, Tender};
use crate::person::{is_login_name, is_name};
use crate::time::Timestamp;
use crate::typed;
use crate::word_enum;

/// Most rooms of a batch.
pub const BATCH_ROOMS_MAX: usize = 2_000;
/// Most that a room takes over from an older system.
pub const CARRIED_MAX: Fen = Fen(10_000_000);

word_enum! {
    pub enum AccountBatchKind {
        Open = "open",
        Close = "close",
    }

    /// How far a room of a batch is.
    pub enum BatchRoomState {
        /// Its turn has not come.
        Waiting = "waiting",
        /// Its account is being opened, or its closure has begun; the account says how far that is.
        Done = "done",
        Refused = "refused",
        /// It was withdrawn before its turn.
        Cancelled = "cancelled",
    }
}

/// A line of the list of rooms to open: `room, resident, login name, amount`; the last three may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningLine {
    pub room: String,
    /// Name and login name.
    pub resident: Option<(String, String)>,
    /// `None`: the amount of the form.
    pub amount: Option<Fen>,
}

impl OpeningLine {
    /// Separated by commas, semicolons or tabs, in either width.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a resident without a login name or the other way round, or too many parts;
    /// [`AppError::InvalidAmount`].
    pub fn parse(line: &str) -> Result<Self, AppError> {
        let parts: Vec<&str> = line.split([',', ';', '\t', '，', '；']).map(str::trim).collect();
        let part = |index: usize| parts.get(index).copied().unwrap_or_default();
        let bounded = |text: &str| text.chars().count() <= 60 && !text.chars().any(char::is_control);
        if parts.len() > 4 || !parts.iter().all(|text| bounded(text)) || part(0).is_empty() {
            return Err(AppError::Invalid);
        }
        let resident = match (part(1), part(2)) {
            ("", "") => None,
            (name, login) if is_name(name) && is_login_name(&typed::typed(login)) => Some((name.to_owned(), typed::typed(login))),
            _ => return Err(AppError::Invalid),
        };
        let amount = match part(3) {
            "" => None,
            text => Some(carried(text)?),
        };
        Ok(Self { room: typed::name(part(0)), resident, amount })
    }
}

/// An amount to take over, in yuan; empty for nothing.
///
/// # Errors
/// [`AppError::InvalidAmount`].
pub fn carried(text: &str) -> Result<Fen, AppError> {
    if text.trim().is_empty() {
        return Ok(Fen::ZERO);
    }
    typed::yuan(text).ok().filter(|fen| (Fen::ZERO..=CARRIED_MAX).contains(fen)).ok_or(AppError::InvalidAmount)
}

/// Why a room is left out of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomObstacle {
    AlreadyOpen,
    /// It has no meter that sells.
    NothingToSell,
    /// Its wallet is on the server, and no price plan applies.
    NoPrices,
    /// Its meter shows an account that the books do not know.
    ForeignAccount,
    /// Somebody has the login name.
    LoginTaken,
    /// Another line has the login name.
    LoginRepeated,
    /// Several lines name it.
    RoomRepeated,
    /// Its meter may not hold what it would take over.
    OverHoardingLimit,
    /// It has no account.
    NotOpen,
    /// Its account is being opened.
    Opening,
    /// Its account is being closed.
    Closing,
}

/// A room whose account would be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomToOpen {
    pub place: PlaceId,
    pub room: RoomName,
    pub meters: usize,
    /// Those of them that do not answer: they are opened when they do.
    pub lost: usize,
    /// Name and login name.
    pub resident: Option<(String, String)>,
    /// What is taken over.
    pub amount: Fen,
}

/// A room whose account would be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomToClose {
    pub place: PlaceId,
    pub account: AccountId,
    pub number: String,
    pub room: RoomName,
    pub residents: String,
    /// What its meters showed last; `None` if one was never read.
    pub balance: Option<Fen>,
    /// Meters that do not answer: they are closed when they do, or counted by a person.
    pub lost: usize,
}

/// Preview of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBatchPreview<T> {
    pub rooms: Vec<T>,
    pub left_out: Vec<(RoomName, RoomObstacle)>,
    /// Lines that match no room or several, or are not of the form.
    pub unknown: Vec<String>,
    /// Digest of exactly these rooms, so that the confirmation applies to what was shown.
    pub seal: String,
}

/// A batch in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBatchLine {
    pub id: AccountBatchId,
    pub kind: AccountBatchKind,
    pub reason: String,
    /// How balances are paid out; `None` for openings.
    pub tender: Option<Tender>,
    pub by: String,
    pub decided_at: Timestamp,
    pub rooms: i64,
    pub waiting: i64,
    pub refused: i64,
}

/// A room of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRoom {
    pub room: RoomName,
    /// A meter of its account, while it has one.
    pub meter: Option<MeterId>,
    pub state: BatchRoomState,
    pub refusal: Option<AppError>,
    /// The number and state of its account.
    pub account: Option<(String, AccountState)>,
    /// Name and login name of the resident who was named.
    pub resident: Option<(String, String)>,
    /// Whoever lives there by its account, or lived there when that was closed.
    pub residents: String,
    /// What was taken over.
    pub amount: Fen,
    pub closing: Option<ClosingId>,
    /// What its meters held at the end; `None` before all of them were read.
    pub left: Option<Fen>,
    /// The return that pays it out, and its state.
    pub returned: Option<(ReturnId, ReturnState)>,
    pub ended_at: Option<Timestamp>,
}

/// A batch and a page of its rooms.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountBatchView {
    pub batch: AccountBatchLine,
    pub rooms: Page<BatchRoom>,
    /// Rooms whose account is open, or whose closure has ended.
    pub finished: i64,
    /// Over all rooms: what was left, and what of it was paid out.
    pub left: Fen,
    pub paid: Fen,
    pub at: Timestamp,
}

impl AccountBatchView {
    /// Whether anything of it goes on by itself.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.batch.waiting > 0 || self.finished + self.batch.refused < self.batch.rooms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_room_and_perhaps_a_resident_and_an_amount() {
        let line = OpeningLine::parse(" 1号楼 101 ").unwrap();
        assert_eq!((line.room.as_str(), line.resident, line.amount), ("1号楼 101", None, None));
        let line = OpeningLine::parse("101，张三，ｚhangsan，12.5").unwrap();
        assert_eq!((line.resident.unwrap().1.as_str(), line.amount), ("zhangsan", Some(Fen(1_250))));
        assert_eq!(OpeningLine::parse("101,,,5").unwrap().amount, Some(Fen(500)));
        for bad in ["", ",a,b", "101,张三", "101,,zhangsan", "101,a,b c", "101,a,b/c", "101,a,b,1,2"] {
            assert_eq!(OpeningLine::parse(bad), Err(AppError::Invalid), "{bad}");
        }
        for bad in ["101,,,x", "101,,,-1", "101,,,100000.01"] {
            assert_eq!(OpeningLine::parse(bad), Err(AppError::InvalidAmount), "{bad}");
        }
    }
}
