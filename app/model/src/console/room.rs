//! A room: its meter, its account, its commands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccountState, CaseLine, EventLine, ReceiptNumber, ReturnLine};
use crate::case::CaseKind;
use crate::command::{CommandKind, CommandReason};
use crate::energy::Energy;
use crate::event::DayMark;
use crate::gateway::SweepInterval;
use crate::ids::{AccountId, CommandId, GatewayId, MeterId, OrderId, ReturnId, Uuid};
use crate::issue::Issue;
use crate::meter::{ControlMode, Latest, Wallet};
use crate::money::{Fen, Money};
use crate::order::{CommandState, Tender};
use crate::reading::{JournalKind, ReadingQuality, ReadingSource};
use crate::time::{Date, Timestamp};

/// Place of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomName {
    pub building: String,
    /// Floor or unit; may be empty.
    pub floor: String,
    pub room: String,
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.building, &self.floor, &self.room];
        let mut parts = parts.into_iter().filter(|part| !part.is_empty());
        f.write_str(parts.next().map_or("", String::as_str))?;
        parts.try_for_each(|part| write!(f, " {part}"))
    }
}

/// The room page.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    pub name: RoomName,
    pub gateway: GatewayId,
    pub gateway_name: String,
    /// Bus address of the meter.
    pub unit: i64,
    pub serial: String,
    /// Reading interval; `None` for the gateway's.
    pub sweep: Option<SweepInterval>,
    pub profile: String,
    /// Kind of wallet; [`Wallet::None`] for an instrument.
    pub kind: Wallet,
    /// Its account that is opening, open or closing.
    pub account: Option<Account>,
    /// Latest readings, newest first.
    pub readings: Vec<Reading>,
    /// Energy of the latest days, oldest first.
    pub days: Vec<RoomDay>,
    /// Events, open ones first.
    pub events: Vec<EventLine>,
    /// The meter's journal, newest first.
    pub journal: Vec<JournalLine>,
    /// How many sales and returns its account has had here. A form with an older number shows amounts that are out of date.
    pub money_operations: i64,
    /// Whether the meter reports its serial number; `None` if unknown.
    pub identified: Option<bool>,
    /// Last known state of the meter, and its commands.
    pub progress: Progress,
    pub cases: Vec<CaseLine>,
    /// Returns and corrections of its account that wait for approval, oldest first.
    pub waiting: Vec<ReturnLine>,
    /// Server wallet; `None` for a meter wallet.
    pub wallet: Option<WalletView>,
}

impl Room {
    /// Whether the meter shows another account than the books: then it takes no money, and no account can be opened in it.
    #[must_use]
    pub fn has_foreign_account(&self) -> bool {
        let latest = &self.progress.latest;
        let is_shown = self.kind == Wallet::Meter && latest.observed_at.is_some();
        let differs = match &self.account {
            None => is_shown && latest.status.account_open(),
            Some(account) => is_shown && account.state == AccountState::Open && !latest.status.account_open(),
        };
        // While a command is on its way, the books are ahead of the meter.
        (differs && !self.progress.is_moving()) || self.cases.iter().any(|case| case.detail.has_foreign_account())
    }

    /// Whether a sale can reach the meter: its account is open, or its opening is on its way and not with a person.
    #[must_use]
    pub fn takes_sales(&self) -> bool {
        let state = self.account.as_ref().map(|account| account.state);
        let is_held = self.cases.iter().any(|case| case.detail.kind() == CaseKind::Delivery);
        let is_open = state == Some(AccountState::Open) || (state == Some(AccountState::Opening) && !is_held);
        is_open && !self.has_foreign_account()
    }

    /// Whether money can be taken back out of the meter.
    #[must_use]
    pub fn gives_back(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.state == AccountState::Open) && !self.has_foreign_account()
    }
}

/// A server wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletView {
    /// Desired relay position: `true` for closed.
    pub closed: bool,
    /// Time of the last charged reading.
    pub counted_at: Option<Timestamp>,
    /// Energy in the tier period.
    pub tier: Energy,
    /// Energy that waits for a price plan.
    pub uncharged: Energy,
    pub limits: WalletLimits,
    /// Charges of the latest days by price, newest first.
    pub charges: Vec<DayCharge>,
}

/// Limits of a server wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalletLimits {
    /// Alarm 1 below this amount.
    pub alarm1: Fen,
    /// Alarm 2 below this amount; at most alarm 1.
    pub alarm2: Fen,
    pub overdraft: Fen,
    /// Hoarding limit; 0 for the site's.
    pub hoarding: Fen,
    /// Trips above this power, W; 0 for never.
    pub overload_w: u16,
    /// Trips on a resistive load step of this power, W; 0 for never.
    pub malignant_w: u16,
}

/// Energy of a day at one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCharge {
    pub day: Date,
    /// The price plan, and the number of its version.
    pub plan: String,
    /// 1 spike, 2 peak, 3 flat, 4 valley.
    pub rate: i64,
    /// 1-3.
    pub tier: i64,
    pub price: Money,
    pub energy: Energy,
    /// Cost, to 0.0001 yuan.
    pub cost: Money,
}

/// A day of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomDay {
    pub day: Date,
    /// Energy; `None` without readings.
    pub energy: Option<Energy>,
    /// Reverse energy in it.
    pub reverse: Energy,
    /// By rate: spike, peak, flat, valley; zero if the meter has no rate registers.
    pub rates: [Energy; 4],
    pub mark: DayMark,
}

/// A line of a meter's own journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// Time by the meter's clock; `None` if the clock was lost.
    pub at: Option<Timestamp>,
    pub kind: JournalKind,
    /// Status bit that caused a relay record; 255 for a command.
    pub cause: u8,
    pub amount: Fen,
    /// Purchase count after it.
    pub count: Option<i64>,
    /// Remaining amount after it.
    pub remaining: Option<Fen>,
}

/// The account of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    /// Account number in the meter.
    pub number: String,
    pub state: super::AccountState,
    pub opened_at: Timestamp,
    /// Of its opening; `None` where it was taken over from an older system.
    pub receipt: Option<ReceiptNumber>,
    /// Of what was sold with its opening.
    pub first_purchase: Option<ReceiptNumber>,
    pub residents: Vec<Resident>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    pub name: String,
    pub login: String,
}

/// A stored reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub at: Timestamp,
    pub quality: ReadingQuality,
    pub source: ReadingSource,
    pub total: Energy,
    /// The reverse counter.
    pub reverse: Option<Energy>,
    pub remaining: Fen,
    pub power_w: Option<i64>,
    /// 0.1 V.
    pub voltage_dv: Option<i64>,
    /// 0.01 A.
    pub current_ca: Option<i64>,
}

/// Content of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandContent {
    Open,
    Credit(Fen),
    /// Debit the meter.
    Debit(Fen),
    Close,
    /// Close an account that the books do not know, by its number.
    CloseForeign(String),
    Mode(ControlMode),
    /// Set the resident's switch.
    Switch(bool),
    /// The relay of a meter without a wallet: `true` closes it.
    Relay(bool),
    /// A setting or a requested reading.
    Issue(Issue),
    /// Arguments that this version cannot parse.
    Other(CommandKind),
}

/// A command and its progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    pub id: CommandId,
    pub what: CommandContent,
    pub state: CommandState,
    /// The order that it delivers.
    pub order: Option<OrderId>,
    /// The return that it debits the meter for.
    pub back: Option<ReturnId>,
    /// `None` for the system.
    pub by: Option<String>,
    pub decided_at: Timestamp,
    /// When its first frame was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was read back or ended.
    pub finished_at: Option<Timestamp>,
    /// Number of frames sent.
    pub attempts: i64,
    /// Time of the next attempt.
    pub next_at: Timestamp,
    /// Claimed purchase count.
    pub count: Option<i64>,
    /// Why it waits, failed or was cancelled.
    pub reason: Option<CommandReason>,
}

/// The changing part of the room page: latest values and commands, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub at: Timestamp,
    /// Last known state of the meter.
    pub latest: Latest,
    pub commands: Vec<CommandLine>,
}

impl Progress {
    /// Whether a command is still in progress.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.commands.iter().any(|command| !command.state.is_final())
    }

    /// Credits and debits under way that the meter did not show yet when it was read last; debits are negative.
    pub fn coming(&self) -> impl Iterator<Item = (&CommandLine, Fen)> {
        let count = i64::from(self.latest.count);
        let coming = self.commands.iter().filter(move |one| !one.state.is_final() && one.count.is_none_or(|own| own > count));
        coming.filter_map(|one| match one.what {
            CommandContent::Credit(amount) => Some((one, amount)),
            CommandContent::Debit(amount) => Some((one, Fen::ZERO - amount)),
            _ => None,
        })
    }
}

/// A sale at the cash desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub meter: MeterId,
    pub amount: Fen,
    pub tender: Tender,
    /// Idempotency key of the form.
    pub key: Uuid,
    /// [`Room::money_operations`] when it was confirmed: another number means that the resulting amount is another one, too.
    /// `None`: whatever was there.
    pub seen: Option<i64>,
}

/// What a form with an idempotency key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once<T> {
    pub id: T,
    /// It had been done before: nothing was done twice.
    pub is_repeated: bool,
}

/// What a form had done when it was shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoneBefore {
    Sale(OrderId),
    Return(ReturnId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_meter_does_not_show_yet_is_coming() {
        let line = |what, state, count| CommandLine {
            id: CommandId(Uuid::nil()),
            what,
            state,
            order: None,
            back: None,
            by: None,
            decided_at: Timestamp(1),
            sent_at: None,
            finished_at: None,
            attempts: 0,
            next_at: Timestamp(1),
            count,
            reason: None,
        };
        let commands = vec![
            line(CommandContent::Credit(Fen(500)), CommandState::Queued, None),
            line(CommandContent::Debit(Fen(200)), CommandState::Sending, Some(8)),
            line(CommandContent::Credit(Fen(900)), CommandState::Sending, Some(7)),
            line(CommandContent::Credit(Fen(300)), CommandState::Done, Some(6)),
            line(CommandContent::Switch(true), CommandState::Queued, None),
        ];
        let latest = Latest { count: 7, ..Latest::unseen(MeterId(Uuid::nil())) };
        let progress = Progress { at: Timestamp(2), latest, commands };
        let amounts: Vec<Fen> = progress.coming().map(|(_, amount)| amount).collect();
        assert_eq!(amounts, [Fen(500), Fen(-200)], "the seventh was read back already");
    }

    #[test]
    fn a_room_without_a_floor_has_no_gap_in_its_name() {
        let name = |building: &str, floor: &str, room: &str| {
            RoomName { building: building.into(), floor: floor.into(), room: room.into() }.to_string()
        };
        assert_eq!(name("1号楼", "3层", "301"), "1号楼 3层 301");
        assert_eq!(name("1号楼", "", "301"), "1号楼 301");
        assert_eq!(name("", "", "301"), "301");
    }
}
