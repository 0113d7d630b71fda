//! The lists of the console.

use super::RoomName;
use crate::case::{CaseDetail, CaseKind};
use crate::gateway::{Framing, GatewayHealth, SweepInterval, Trust};
use crate::ids::{AccountId, CaseId, ClosingId, GatewayId, MeterId, OrderId, UserId};
use crate::meter::Latest;
use crate::time::Timestamp;
use crate::word_enum;

/// The filter of a list; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words to search for.
    pub text: String,
    /// Counted from 0.
    pub page: i64,
}

/// The filter of the accounts; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// Words to search for.
    pub text: String,
    pub state: Option<AccountState>,
    /// Counted from 0.
    pub page: i64,
}

/// The filter of the meters; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterQuery {
    /// Words to search for.
    pub text: String,
    /// Only meters that do not answer.
    pub lost: bool,
    /// Counted from 0.
    pub page: i64,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The lines of this page.
    pub lines: Vec<T>,
    /// Lines on all pages.
    pub total: i64,
}

pub const PAGE: i64 = 50;

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), total: 0 }
    }
}

impl<T> Page<T> {
    pub const SIZE: i64 = PAGE;
}

word_enum! {
    /// The state of an account.
    pub enum AccountState {
        /// The `open` command has not been confirmed yet.
        Opening = "opening",
        Open = "open",
        /// The `close` command has not been confirmed yet.
        Closing = "closing",
        Closed = "closed",
    }
}

/// A line of the accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountLine {
    pub id: AccountId,
    pub number: String,
    pub state: AccountState,
    /// Its meter, while it has one.
    pub meter: Option<MeterId>,
    pub room: RoomName,
    pub residents: String,
    pub opened_at: Timestamp,
    /// Last known state of its meter.
    pub latest: Option<Latest>,
    /// Its newest account closure.
    pub closing: Option<ClosingId>,
}

/// A line of the meters, and what a search finds.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterLine {
    pub room: RoomName,
    /// Last known state, with the meter's id.
    pub latest: Latest,
    pub gateway: String,
    pub unit: i64,
    pub serial: String,
    /// Names of the residents of its account.
    pub residents: String,
}

/// State of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayLine {
    pub id: GatewayId,
    pub name: String,
    /// Its number in the site's own lists.
    pub code: Option<String>,
    /// `host:port`, or the registration of one that dials in.
    pub address: String,
    pub is_dial_in: bool,
    pub framing: Framing,
    /// Trusted certificate; `None` without TLS.
    pub trust: Option<Trust>,
    /// Reading interval; `None` for the site's default.
    pub sweep: Option<SweepInterval>,
    /// Connection state and since when; `None` if this server does not poll it.
    pub health: Option<(GatewayHealth, Timestamp)>,
    /// How often stray bytes were on its line since the server started, and when the last time; `None` where there were none.
    pub noise: Option<(u64, Timestamp)>,
    /// How long a round over all its meters takes, ms; `None` before the first.
    pub round_ms: Option<u64>,
    /// Meters behind it that the operator may see.
    pub meters: i64,
    /// Number of lost meters among them.
    pub lost: i64,
    /// Time of their newest reading.
    pub newest: Option<Timestamp>,
    /// Oldest last reading of a meter that is not lost.
    pub oldest: Option<Timestamp>,
}

impl GatewayLine {
    /// Whether the gateway itself is lost; if it is not polled here, whether all its meters are.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        match self.health {
            Some((health, _)) => health.is_lost(),
            None => self.meters > 0 && self.lost == self.meters,
        }
    }
}

word_enum! {
    /// Whose cases a list shows.
    pub enum CaseOwner {
        Mine = "mine",
        Nobody = "nobody",
    }
}

/// Filter of the case list; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseQuery {
    /// Closed cases instead of open ones.
    pub closed: bool,
    pub kind: Option<CaseKind>,
    pub owner: Option<CaseOwner>,
    /// Only open cases that should be closed by now.
    pub overdue: bool,
    /// Words of the place to search for.
    pub text: String,
    /// Page, from 0.
    pub page: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLine {
    pub id: CaseId,
    /// Whether it holds a money command, which can be tried again.
    pub held: bool,
    pub detail: CaseDetail,
    /// The counter that it holds; `None` if it holds none.
    pub counter: Option<super::HeldCounter>,
    pub meter: Option<MeterId>,
    pub room: Option<RoomName>,
    /// Its order, and that one's number.
    pub order: Option<(OrderId, i64)>,
    /// The order that may have to be refunded.
    pub refunds: Option<OrderId>,
    /// Whether it is about a refund in a statement that can be booked.
    pub bookable: bool,
    /// Whether a person may close it: no money depends on it.
    pub closable: bool,
    pub opened_at: Timestamp,
    /// By when it should be closed.
    pub due_at: Timestamp,
    /// Who works on it.
    pub owner: Option<(UserId, String)>,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<String>,
    pub resolution: Option<String>,
    /// How many steps people have taken about it: [`SeenCase::steps`].
    pub steps: i64,
}

/// A case as a person saw it who decides about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenCase {
    pub case: CaseId,
    /// [`CaseLine::steps`] on their page: another number means that somebody did something meanwhile. `None`: whatever was done.
    pub steps: Option<i64>,
}

impl SeenCase {
    /// From `<case>` or `<case>:<steps>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (case, steps) = text.split_once(':').map_or((text, None), |(case, steps)| (case, Some(steps)));
        Some(Self { case: case.parse().ok()?, steps: steps.map(str::parse).transpose().ok()? })
    }
}

impl From<CaseId> for SeenCase {
    fn from(case: CaseId) -> Self {
        Self { case, steps: None }
    }
}

/// A case with what people did about it, and who may take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    pub line: CaseLine,
    /// Notes by time, the oldest first.
    pub notes: Vec<CaseNote>,
    pub operators: Vec<(UserId, String)>,
}

/// Something that somebody did about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseNote {
    pub at: Timestamp,
    /// Name of the person; `None`: on the server's command line.
    pub by: Option<String>,
    pub step: CaseStep,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseStep {
    Comment(String),
    /// The name of who works on it from now on; `None`: nobody.
    Owner(Option<String>),
    Due(Timestamp),
}
