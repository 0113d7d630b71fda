//! Several residents of one room: who they are, the links by which they invite, and how they split a month's cost.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, fits};
use super::{ApiError, answer, show_once};
use crate::i18n::lang;
use crate::i18n::roommates::texts;
use crate::link;
use crate::ports::{Visit, Who, ports, resident, visit};
use model::error::AppError;
use model::ids::UserId;
use model::money::Fen;
use model::person::{is_login_name, is_name};
use model::personal::{Roommate, RoommateInvitation};
use model::time::{Date, Timestamp};
use model::typed::typed;

/// Characters of a code, at most.
const CODE_MAX: usize = 64;
/// Characters of a password, at most.
const PASSWORD_MAX: usize = 200;
/// The most shares and days of one person in a split.
pub const SHARES_MAX: u32 = 100;
pub const DAYS_MAX: u32 = 31;

/// The residents of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roommates {
    /// Those who live there now.
    pub residents: Vec<Roommate>,
    /// The links that can still be used.
    pub links: Vec<OpenLink>,
    /// The site lets residents invite.
    pub is_allowed: bool,
    /// As many live there as may.
    pub is_full: bool,
}

/// A link that was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLink {
    /// To withdraw it by; not its code.
    pub id: String,
    /// Who made it.
    pub by_name: String,
    pub expires_at: Timestamp,
}

/// A month's cost to be split: what is left out is proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitRequest {
    /// A day of the month.
    pub month: Option<Date>,
    pub cost: Option<Fen>,
    /// Person, shares and days.
    pub parts: Vec<(UserId, u32, u32)>,
}

/// The cost of a month and what falls to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthSplit {
    pub first: Date,
    pub last: Date,
    /// What the readings or the books say; `None` where they do not.
    pub known_cost: Option<Fen>,
    /// What is split.
    pub cost: Fen,
    pub people: Vec<SplitPerson>,
    /// Paid at the office, by whomever.
    pub by_office: Fen,
    pub subsidy: Fen,
    /// Taken out of the credit again.
    pub returned: Fen,
    /// Since when it is theirs.
    pub since: Date,
}

/// Somebody who lived in the room in that month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPerson {
    pub user: UserId,
    pub name: String,
    pub shares: u32,
    pub days: u32,
    /// What they paid in that month.
    pub paid: Fen,
    /// `None` where nobody takes part.
    pub portion: Option<Fen>,
}

#[async_trait]
pub trait RoommatesPort: Send + Sync {
    async fn roommates(&self, who: &Who) -> Result<Roommates, AppError>;
    /// Makes a link for a roommate and gives its code; only its hash is stored.
    async fn invite(&self, who: &Who) -> Result<String, AppError>;
    async fn withdraw(&self, who: &Who, link: &str) -> Result<(), AppError>;
    /// Joins the room of a link, with the log-in that one has.
    async fn join(&self, who: &Who, code: &str) -> Result<(), AppError>;
    /// Ends the resident's own access to the room.
    async fn leave(&self, who: &Who) -> Result<(), AppError>;
    async fn split(&self, who: &Who, request: &SplitRequest) -> Result<MonthSplit, AppError>;
}

/// What strangers do with a link. Guesses at codes are slowed down as guesses at passwords are.
#[async_trait]
pub trait JoiningPort: Send + Sync {
    /// Where a link leads. Looking does not use it.
    async fn roommate_invitation(&self, code: &str, visit: &Visit) -> Result<RoommateInvitation, AppError>;
    /// Joins with a new log-in.
    async fn join_as_new(&self, code: &str, person: &NewRoommate, visit: &Visit) -> Result<(), AppError>;
    /// The QR code of a text: its size, and the path of its dark modules.
    fn qr(&self, text: &str) -> Option<(i32, String)>;
}

/// Somebody who joins without a log-in.
#[derive(Clone)]
pub struct NewRoommate {
    pub name: String,
    pub login: String,
    pub password: String,
}

const PAGE: &str = "/me/roommates";

/// The residents of the resident's room.
pub async fn roommates() -> Result<Roommates, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.roommates.roommates(&who).await
}

/// A month's cost among them.
pub async fn split(request: SplitRequest) -> Result<MonthSplit, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.roommates.split(&who, &request).await
}

/// Makes a link for a roommate, which the next page shows once.
#[server(name = InviteRoommate, prefix = "/api", endpoint = "resident/roommates/invite")]
pub async fn invite_roommate() -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    show_once(ports.roommates.invite(&who).await, PAGE)
}

/// Ends a link that was not used.
#[server(name = WithdrawRoommateLink, prefix = "/api", endpoint = "resident/roommates/withdraw")]
pub async fn withdraw_roommate_link(link: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let done = ports.roommates.withdraw(&who, link.trim()).await;
    answer(done.map(|()| link::with(PAGE, "done", "withdrawn")), PAGE)
}

/// Joins the room of a link, with the log-in of the session.
#[server(name = JoinRoom, prefix = "/api", endpoint = "resident/roommates/join")]
pub async fn join_room(code: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let code = short(&code);
    let joined = ports.roommates.join(&who, &code).await;
    answer(joined.map(|()| "/home".to_owned()), &format!("/join/{code}"))
}

/// Leaves the room. The box says that what was paid stays with the account.
#[server(name = LeaveRoom, prefix = "/api", endpoint = "resident/roommates/leave")]
pub async fn leave_room(#[server(default)] sure: Option<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let done = async {
        if sure.is_none() {
            let t = texts(lang());
            return fits("sure", (t.leave_sure, t.leave_sure_form), Err(AppError::Invalid));
        }
        ports.roommates.leave(&who).await
    };
    answer(done.await.map(|()| "/me".to_owned()), PAGE)
}

/// Joins the room of a link with a new log-in.
#[server(name = JoinAsNew, prefix = "/api", endpoint = "auth/join-room")]
pub async fn join_as_new(code: String, name: String, login: String, password: String) -> Result<(), ApiError> {
    let ports = ports()?;
    let code = short(&code);
    let done = async {
        let (name, login) = (name.trim().to_owned(), typed(&login));
        at("name", if is_name(&name) { Ok(()) } else { Err(AppError::Invalid) })?;
        at("login", if is_login_name(&login) { Ok(()) } else { Err(AppError::Invalid) })?;
        if password.chars().count() > PASSWORD_MAX {
            return Err(AppError::PasswordTooLong);
        }
        ports.joining.join_as_new(&code, &NewRoommate { name, login, password }, &visit()).await
    };
    let back = [("name", &name), ("login", &login)];
    let back = back
        .into_iter()
        .fold(format!("/join/{code}"), |back, (key, text)| link::with(&back, key, &text.chars().take(60).collect::<String>()));
    answer(done.await.map(|()| "/login?done=chosen".to_owned()), &back)
}

/// A code as it may be in an address.
fn short(code: &str) -> String {
    code.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(CODE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_only_characters_of_an_address() {
        assert_eq!(short(" rm_aB-9\r\n/x "), "rm_aB-9x");
        assert_eq!(short(&"a".repeat(99)).len(), CODE_MAX);
    }
}
