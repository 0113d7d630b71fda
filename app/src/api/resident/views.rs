//! What the resident's pages show.

use serde::{Deserialize, Serialize};

use model::energy::Energy;
use model::error::AppError;
use model::event::DayMark;
use model::forecast::Forecast;
use model::ids::{CommandId, OrderId, Uuid};
use model::meter::Latest;
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, Tender};
use model::time::{Date, Timestamp};

/// The resident's room.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// The room's name: `1-203`.
    pub name: String,
    /// Where it is, from the building inwards: `1号楼 2单元`.
    pub place: String,
    /// The account's number.
    pub account: String,
    /// Whether the meter has confirmed the opening.
    pub opened: bool,
    /// Whether it takes no money: the account is being closed, or its meter replaced.
    pub leaving: bool,
    /// The meter as last observed.
    pub latest: Latest,
}

/// What is left of a resident's last account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAccount {
    /// Where the room is, from the building inwards, with its name.
    pub room: String,
    /// The account's number.
    pub account: String,
    /// When it was closed; `None` while it is being closed, or its meter replaced.
    pub closed_at: Option<Timestamp>,
    /// Whether its meter is being replaced: the account goes on.
    pub replacing: bool,
    /// What was left, and whether it was paid out or carried already; `None` where nobody knows yet.
    pub left: Option<(Fen, bool)>,
}

/// Energy of a day or an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used<T> {
    pub of: T,
    /// How much; `None` where nothing was read.
    pub energy: Option<Energy>,
    /// How sure it is.
    pub mark: DayMark,
    /// What it cost, where the wallet is on the ledger.
    pub cost: Option<Money>,
}

/// The room at a glance.
#[derive(Clone, Debug)]
pub struct Home {
    pub room: Room,
    /// How long the credit lasts.
    pub forecast: Option<Forecast>,
    /// Since when the power is off, as far as it was observed.
    pub off_since: Option<Timestamp>,
    /// The last seven days and today, oldest first.
    pub days: Vec<Used<Date>>,
    /// A purchase that is paid and not in the meter yet.
    pub coming: Option<Record>,
    /// A switching under way.
    pub switching: Option<(CommandId, bool)>,
    /// The newest purchases.
    pub records: Vec<Record>,
}

/// The last 30 days, and the hours of one of them.
#[derive(Clone, Debug)]
pub struct Usage {
    pub days: Vec<Used<Date>>,
    /// The chosen day.
    pub day: Date,
    /// Its 24 hours.
    pub hours: Vec<Used<u8>>,
}

/// What a top-up may be.
#[derive(Clone, Debug)]
pub struct TopUpOffer {
    /// For the form, so that sending it twice makes one order.
    pub key: Uuid,
    pub room: Room,
    /// The smallest amount.
    pub min: Fen,
    /// The largest amount, what the meter may still take included; below `min` where it is full.
    pub max: Fen,
    /// Ways to pay that are configured.
    pub channels: Vec<Tender>,
}

/// A purchase in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: OrderId,
    /// When it was asked.
    pub at: Timestamp,
    pub amount: Fen,
    /// How it is paid.
    pub tender: Tender,
    /// Where it stands.
    pub state: OrderState,
    /// The purchase count that it became.
    pub count: Option<i64>,
}

/// A page of purchases.
#[derive(Clone, Debug)]
pub struct Records {
    pub records: Vec<Record>,
    pub page: u32,
    /// Whether there are older ones.
    pub more: bool,
}

/// How far an order is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    pub id: OrderId,
    /// What people quote.
    pub number: i64,
    pub amount: Fen,
    /// How it is paid.
    pub tender: Tender,
    /// Where it stands.
    pub state: OrderState,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Until when it can be paid.
    pub expires_at: Option<Timestamp>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When the meter was first told.
    pub sent_at: Option<Timestamp>,
    pub attempts: i64,
    /// When the meter will be told again.
    pub next_at: Option<Timestamp>,
    /// When it was read back from the meter.
    pub credited_at: Option<Timestamp>,
    /// The purchase count that it became.
    pub count: Option<i64>,
    /// What the meter held after it.
    pub remaining: Option<Fen>,
    /// Since when the meter has been silent.
    pub lost_since: Option<Timestamp>,
    /// The meter holds too much to take it; a person decides.
    #[serde(default)]
    pub full: bool,
    /// Something was told of its payment that does not fit: the channel is asked, then a person decides.
    #[serde(default)]
    pub held: bool,
    /// Money of it that goes back, oldest first.
    #[serde(default)]
    pub refunds: Vec<RefundView>,
    /// Whether power flows, where the credit is on the ledger and so never has to reach the meter.
    pub power: Option<Power>,
    /// The server's time of this answer.
    pub now: Timestamp,
}

impl OrderView {
    /// Nothing more will happen by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.is_final() && self.power != Some(Power::Coming) && self.refunds.iter().all(|refund| refund.done_at.is_some())
    }
}

/// Money that goes back to whoever paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundView {
    pub amount: Fen,
    /// By which way.
    pub tender: Tender,
    /// Since when it is to go back.
    pub at: Timestamp,
    /// When it was there.
    pub done_at: Option<Timestamp>,
    /// Somebody must still approve it or pay it out.
    pub by_person: bool,
}

/// How the payer comes to the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cashier {
    /// By an address of the channel.
    Address(String),
    /// By the page `/orders/:id/pay`.
    Page,
}

/// What the page between us and the cashier shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashierView {
    pub amount: Fen,
    /// Through which channel.
    pub tender: Tender,
    /// What to do.
    pub step: CashierStep,
}

/// What the payer does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CashierStep {
    /// Goes on to this address.
    Follow(String),
    /// Posts this form: where to, and hidden fields.
    Post(String, Vec<(String, String)>),
    /// Scans a QR code: modules on a side, and the dark ones as a path of unit squares.
    Scan(i32, String),
    /// Opens the page in a browser: this channel's cashier does not open inside WeChat.
    OpenBrowser,
    /// Says who they are to the channel first.
    SignIn,
    /// Pays in the sheet of the app whose browser this is: the request for it, as JSON.
    Invoke(String),
}

/// What a credit on the ledger does for the power of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    On,
    /// It comes back by itself.
    Coming,
    /// Something else than the credit keeps it off.
    Off,
}

/// The switch before it is used.
#[derive(Clone, Debug)]
pub struct SwitchOffer {
    /// For the form, so that sending it twice makes one command.
    pub key: Uuid,
    pub room: Room,
    /// Why it may not be used.
    pub refusal: Option<AppError>,
}

/// How far a switching is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandView {
    /// On or off.
    pub on: bool,
    /// Where it stands.
    pub state: CommandState,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Since when the meter has been silent.
    pub lost_since: Option<Timestamp>,
    /// The server's time of this answer.
    pub now: Timestamp,
}

/// Whose room it is.
#[derive(Clone, Debug)]
pub struct Me {
    pub login: String,
    /// The room; `None` where none is open.
    pub room: Option<Room>,
    /// Since when the account is theirs.
    pub since: Option<Timestamp>,
}
