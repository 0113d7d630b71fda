//! The lists of the console.

use super::RoomName;
use crate::case::CaseDetail;
use crate::gateway::{GatewayHealth, SweepInterval, Trust};
use crate::ids::{AccountId, CaseId, ClosingId, GatewayId, MeterId, OrderId};
use crate::meter::Latest;
use crate::time::Timestamp;
use crate::word_enum;

/// What a list is asked for; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words to look for.
    pub text: String,
    /// The one state to show.
    pub state: Option<String>,
    /// Counted from 0.
    pub page: i64,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The lines of this page.
    pub lines: Vec<T>,
    /// Lines in all.
    pub total: i64,
}

/// Lines on a page.
pub const PAGE: i64 = 50;

impl<T> Page<T> {
    /// Lines on a page.
    pub const SIZE: i64 = PAGE;
}

word_enum! {
    /// State of an account.
    pub enum AccountState {
        /// The meter was told to open it.
        Opening = "opening",
        Open = "open",
        /// The meter was told to close it.
        Closing = "closing",
        Closed = "closed",
    }
}

/// A line of the accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountLine {
    pub id: AccountId,
    pub number: String,
    /// Where it stands.
    pub state: AccountState,
    /// Its meter, while it has one.
    pub meter: Option<MeterId>,
    pub room: RoomName,
    /// Names of its residents.
    pub residents: String,
    pub opened_at: Timestamp,
    /// What its meter was last seen to hold.
    pub latest: Option<Latest>,
    /// Its newest closing.
    pub closing: Option<ClosingId>,
}

/// A line of the meters, and what a search finds.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterLine {
    /// Where it is.
    pub room: RoomName,
    /// What it was last seen to hold; names the meter.
    pub latest: Latest,
    /// Its gateway's name.
    pub gateway: String,
    /// Its address on the bus.
    pub unit: i64,
    /// Its serial number.
    pub serial: String,
    /// Names of the residents of its account.
    pub residents: String,
}

/// How a gateway is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayLine {
    pub id: GatewayId,
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// How it carries frames, as the store names it.
    pub framing: String,
    /// Whom to trust there; `None` where it does not speak TLS.
    pub trust: Option<Trust>,
    /// How often its meters are read; `None`: as the site.
    pub sweep: Option<SweepInterval>,
    /// How it does itself, and since when; `None` where this server does not read it.
    pub health: Option<(GatewayHealth, Timestamp)>,
    /// Meters behind it that the operator may see.
    pub meters: i64,
    /// Of these, the ones that do not answer.
    pub lost: i64,
    /// The newest reading among them.
    pub newest: Option<Timestamp>,
    /// The oldest last reading among those that answer.
    pub oldest: Option<Timestamp>,
}

impl GatewayLine {
    /// It is lost itself, and not just meters behind it; where it is not read here, nothing behind it answers.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        match self.health {
            Some((health, _)) => health.is_lost(),
            None => self.meters > 0 && self.lost == self.meters,
        }
    }
}

/// What the cases are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseQuery {
    /// Closed ones instead of open ones.
    pub closed: bool,
    /// Counted from 0.
    pub page: i64,
}

/// Something a person must settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLine {
    pub id: CaseId,
    /// Whether a money command is held for it: it can be tried again, and not just closed.
    pub held: bool,
    pub detail: CaseDetail,
    /// The counter that it holds back; `None` where it counts again, or where it is about something else.
    pub counter: Option<super::HeldCounter>,
    /// At which meter.
    pub meter: Option<MeterId>,
    pub room: Option<RoomName>,
    /// Number of the order it is about.
    pub order: Option<i64>,
    /// The order whose money may have to go back.
    pub refunds: Option<OrderId>,
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<String>,
    /// What was done.
    pub resolution: Option<String>,
}

/// A line of the audit chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub seq: i64,
    pub at: Timestamp,
    /// Who: a person's name, or `system` or `channel:...` as stored.
    pub actor: String,
    pub ip: String,
    pub action: String,
    pub subject: String,
    /// Whose meter it is about, and where that is.
    pub place: Option<(MeterId, RoomName)>,
    /// More, as JSON.
    pub detail: String,
}
