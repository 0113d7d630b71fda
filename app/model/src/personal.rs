//! What residents keep themselves: tokens for their programs, and whom they share a room with.

use crate::ids::{ApiTokenId, UserId};
use crate::money::Fen;
use crate::time::Timestamp;
use crate::word_enum;

word_enum! {
    /// What a token may read.
    pub enum ApiScope {
        /// Balance, power, and energy by day.
        Use = "use",
        /// Top-ups.
        Records = "records",
    }
}

/// What tokens begin with, so that people and scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "dw_";
/// What the codes in links for roommates begin with.
pub const ROOMMATE_PREFIX: &str = "rm_";
/// The most tokens of one person that can be used.
pub const TOKENS_MAX: usize = 10;
/// For how many days a token can be made.
pub const TOKEN_DAYS: [u16; 4] = [30, 90, 180, 365];

/// A token by which a program reads the figures of a resident's room. Only its hash is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct ApiToken {
    pub id: ApiTokenId,
    /// As its owner called it.
    pub name: String,
    pub reads_use: bool,
    pub reads_records: bool,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Written at most every ten minutes.
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    #[must_use]
    pub const fn may(&self, scope: ApiScope) -> bool {
        match scope {
            ApiScope::Use => self.reads_use,
            ApiScope::Records => self.reads_records,
        }
    }
}

/// The most residents of an account to which a roommate can be invited by one of them.
pub const ROOMMATES_MAX: usize = 8;
/// The most invitations of an account that can still be used.
pub const ROOMMATE_LINKS_MAX: usize = 5;

/// Somebody who has, or had, access to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Roommate {
    pub user: UserId,
    pub name: String,
    pub from_at: Timestamp,
    pub to_at: Option<Timestamp>,
}

/// A link that a roommate can still use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct RoommateLink {
    /// The SHA-256 of its code.
    pub hash: Vec<u8>,
    /// Who made it.
    pub by_name: String,
    pub expires_at: Timestamp,
}

/// What the link of a roommate leads into.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct RoommateInvitation {
    pub by_name: String,
    /// The place of the room, from the building inwards.
    pub place: String,
    pub expires_at: Timestamp,
}

/// Who paid how much into an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct PaidBy {
    /// `None`: through the office.
    pub user: Option<UserId>,
    pub name: Option<String>,
    /// Given by the site.
    pub is_subsidy: bool,
    #[cfg_attr(feature = "sqlx", sqlx(rename = "sum_fen"))]
    pub sum: Fen,
}

/// Whether somebody's personal data can be removed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasable {
    Now,
    /// They have a room.
    HasRoom,
    /// A payment, a refund or the balance of their last account is not settled.
    NotSettled,
}
