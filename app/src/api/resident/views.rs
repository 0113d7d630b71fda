//! View types of the resident's pages.

use serde::{Deserialize, Serialize};

use super::ScheduleView;
use model::account_record::{AccountRecord, OtherRoom, SaleCorrection};
use model::energy::Energy;
use model::error::AppError;
use model::event::DayMark;
use model::forecast::Forecast;
use model::friendly::EmergencyCredit;
use model::ids::{CommandId, OrderId, Uuid};
use model::meter::Latest;
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, ReturnState, Tender};
use model::time::{Date, Timestamp};

/// The resident's room.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// The room's name: `1-203`.
    pub name: String,
    /// Building and floor: `1号楼 2单元`.
    pub place: String,
    pub account: String,
    /// The meter has confirmed the opening.
    pub opened: bool,
    /// The account takes no money: it is being closed, or its meter replaced.
    pub leaving: bool,
    /// The meter does not show the account, so it takes no money until that is settled.
    pub suspended: bool,
    pub latest: Latest,
}

/// A resident's last account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAccount {
    /// Building, floor and name of the room.
    pub room: String,
    pub account: String,
    /// `None` while it is being closed, or its meter replaced.
    pub closed_at: Option<Timestamp>,
    /// The meter is being replaced; the account continues.
    pub replacing: bool,
    /// The remaining balance, and whether it was paid out or transferred already; `None` before the final reading.
    pub left: Option<(Fen, bool)>,
}

/// Energy of a day or an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used<T> {
    pub of: T,
    /// `None` where nothing was read.
    pub energy: Option<Energy>,
    pub mark: DayMark,
    /// For a server wallet.
    pub cost: Option<Money>,
    /// Energy at the rates 1-4, as far as the meter counts by them.
    pub rates: [Energy; 4],
}

/// What keeps the power on although the credit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptOn {
    FriendlyHours {
        until: Timestamp,
        /// Of a meter with its own wallet: how much may be owed meanwhile.
        limit: Option<Fen>,
    },
    /// Emergency credit that was taken, and how much of it is left.
    EmergencyCredit(Fen),
}

/// The room at a glance.
#[derive(Clone, Debug)]
pub struct Home {
    pub room: Room,
    pub forecast: Option<Forecast>,
    /// Since when the power has been observed off.
    pub off_since: Option<Timestamp>,
    /// The last seven days and today, oldest first.
    pub days: Vec<Used<Date>>,
    /// A purchase that is paid and not in the meter yet, and its amount.
    pub coming: Option<(OrderId, Fen)>,
    /// A switch command that is not done.
    pub switching: Option<(CommandId, bool)>,
    /// The newest records of money.
    pub records: Vec<AccountRecord>,
    pub kept_on: Option<KeptOn>,
    pub emergency: EmergencyCredit,
}

/// The limits and channels of a payment.
#[derive(Clone, Debug)]
pub struct PayOffer {
    /// The form's idempotency key.
    pub key: Uuid,
    pub min: Fen,
    pub max: Fen,
    /// The amounts on the buttons, ascending, and the one that is chosen at first.
    pub amounts: Vec<Fen>,
    pub likely: Option<Fen>,
    pub channels: Vec<Tender>,
    /// Whether one of them works within WeChat.
    pub works_in_wechat: bool,
}

/// How a resident's own room can be paid for.
#[derive(Clone, Debug)]
pub struct TopUpOffer {
    pub room: Room,
    /// Its `max` is at most what the meter may still take, and is below `min` where the meter is full.
    pub pay: PayOffer,
    /// The site lets residents pay for another room.
    pub pays_for_others: bool,
}

/// A page of the records of the account.
#[derive(Clone, Debug)]
pub struct Records {
    pub records: Vec<AccountRecord>,
    /// There are older ones.
    pub more: bool,
}

/// An order and its progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    pub id: OrderId,
    /// The number that people quote.
    pub number: i64,
    pub amount: Fen,
    pub tender: Tender,
    pub state: OrderState,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    /// When the command was first sent to the meter.
    pub sent_at: Option<Timestamp>,
    pub attempts: i64,
    /// When the command will be sent again.
    pub next_at: Option<Timestamp>,
    /// When the credit was read back from the meter.
    pub credited_at: Option<Timestamp>,
    /// The purchase count after delivery.
    pub count: Option<i64>,
    /// The meter's balance after it.
    pub remaining: Option<Fen>,
    /// Since when the meter has not answered.
    pub lost_since: Option<Timestamp>,
    /// The meter holds too much to take it; a person decides.
    #[serde(default)]
    pub full: bool,
    /// A notification of its payment does not match: the channel is queried, then a person decides.
    #[serde(default)]
    pub held: bool,
    #[serde(default)]
    pub refunds: Vec<RefundView>,
    /// What was taken back of it after it was delivered.
    #[serde(default)]
    pub corrections: Vec<SaleCorrection>,
    /// The channels by which it can be paid instead, while nothing was paid.
    #[serde(default)]
    pub other_channels: Vec<Tender>,
    /// The channel's number of the payment.
    #[serde(default)]
    pub trade_no: Option<String>,
    /// For a server wallet, whose credit needs no delivery.
    pub power: Option<Power>,
    #[serde(default)]
    pub other_room: Option<OtherRoom>,
    /// The server's time.
    pub now: Timestamp,
}

impl OrderView {
    /// Nothing more will happen without a person.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let back = self.corrections.iter().all(|one| one.state == ReturnState::Done);
        let back = back && self.refunds.iter().all(|refund| refund.done_at.is_some());
        back && self.state.is_final() && self.power != Some(Power::Coming)
    }
}

/// A refund as its payer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundView {
    pub amount: Fen,
    pub tender: Tender,
    pub at: Timestamp,
    pub done_at: Option<Timestamp>,
    /// A person must still approve it or pay it out.
    pub by_person: bool,
    /// The channel cannot give it back yet; it is tried again.
    pub held_up: bool,
}

/// How the payer comes to the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cashier {
    /// At an address of the channel.
    Address(String),
    /// Through the page `/orders/:id/pay`.
    Page,
}

/// The page between this site and the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashierView {
    pub amount: Fen,
    pub tender: Tender,
    pub step: CashierStep,
}

/// What the payer does on the cashier page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CashierStep {
    /// Continues to this address.
    Follow(String),
    /// Posts this form: its target, and hidden fields.
    Post(String, Vec<(String, String)>),
    /// Scans a QR code: modules on a side, and the dark ones as a path of unit squares.
    Scan(i32, String),
    /// Opens the page in a browser: this channel's cashier does not open inside WeChat.
    OpenBrowser,
    /// Signs in to the channel first.
    SignIn,
    /// Pays in the sheet of the app whose browser this is: the request for it, as JSON.
    Invoke(String),
}

/// The power of a room with a server wallet after a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    On,
    /// Will be switched on.
    Coming,
    /// Kept off by something other than the balance.
    Off,
}

/// The form that switches the room.
#[derive(Clone, Debug)]
pub struct SwitchOffer {
    /// The form's idempotency key.
    pub key: Uuid,
    pub room: Room,
    /// Why the room cannot be switched.
    pub refusal: Option<AppError>,
    /// When its residents have it switched.
    pub schedules: Vec<ScheduleView>,
}

/// A switch command and its progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandView {
    pub on: bool,
    pub state: CommandState,
    pub decided_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Since when the meter has not answered.
    pub lost_since: Option<Timestamp>,
    /// The server's time.
    pub now: Timestamp,
}

/// The resident and their room.
#[derive(Clone, Debug, Default)]
pub struct Me {
    pub login: String,
    /// `None` without an open account.
    pub room: Option<Room>,
    /// Since when the resident has had the account.
    pub since: Option<Timestamp>,
    pub opened_at: Option<Timestamp>,
    /// The serial numbers of the account's meters.
    pub meters: Vec<String>,
    /// The names of all who have the account.
    pub residents: Vec<String>,
}
