//! A room: its meter, its account, its commands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CaseLine, EventLine};
use crate::command::{CommandKind, CommandReason};
use crate::energy::Energy;
use crate::event::DayMark;
use crate::gateway::SweepInterval;
use crate::ids::{AccountId, CommandId, GatewayId, MeterId, Uuid};
use crate::issue::Issue;
use crate::meter::{ControlMode, Latest, Wallet};
use crate::money::{Fen, Money};
use crate::order::{CommandState, Tender};
use crate::reading::{JournalKind, ReadingQuality, ReadingSource};
use crate::time::{Date, Timestamp};

/// Where a room is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomName {
    pub building: String,
    /// The floor or unit; may be empty.
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

/// All there is to know of a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Where it is.
    pub name: RoomName,
    pub gateway: GatewayId,
    /// The gateway's name.
    pub gateway_name: String,
    /// The meter's address on its bus.
    pub unit: i64,
    /// The meter's serial number.
    pub serial: String,
    /// How often it is read; `None`: as its gateway.
    pub sweep: Option<SweepInterval>,
    pub profile: String,
    /// Where its credit lives; [`Wallet::None`] for an instrument, which sells and switches nothing.
    pub kind: Wallet,
    /// The account that is open, opening or closing; `None` where there is none.
    pub account: Option<Account>,
    /// The last readings, newest first.
    pub readings: Vec<Reading>,
    /// Energy of the last days, oldest first.
    pub days: Vec<RoomDay>,
    /// What is or was the matter with it, open first.
    pub events: Vec<EventLine>,
    /// What the meter wrote down itself, newest first.
    pub journal: Vec<JournalLine>,
    /// Whether the meter says who it is; `None` where that is not known.
    pub identified: Option<bool>,
    /// What the meter was last seen to hold, and its commands.
    pub progress: Progress,
    pub cases: Vec<CaseLine>,
    /// The wallet, where it is on the ledger; `None` where it is in the meter.
    pub wallet: Option<WalletView>,
}

/// A wallet on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletView {
    /// The relay as it should be: `true` for closed.
    pub closed: bool,
    /// Charged up to this reading.
    pub counted_at: Option<Timestamp>,
    /// Use in the tier period.
    pub tier: Energy,
    /// Used where no price plan holds: waits for one.
    pub uncharged: Energy,
    /// When it warns and trips.
    pub limits: WalletLimits,
    /// What was charged on the last days, by price, the newest day first.
    pub charges: Vec<DayCharge>,
}

/// When a wallet on the ledger warns, trips, and takes no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalletLimits {
    /// First warning below this.
    pub alarm1: Fen,
    /// Second warning below this; not above the first.
    pub alarm2: Fen,
    /// How far below zero it may go.
    pub overdraft: Fen,
    /// The most it may hold; 0: as the site has it.
    pub hoarding: Fen,
    /// Above this power it trips, W; 0: never.
    pub overload_w: u16,
    /// A step up of so much power that takes its current in phase trips, W; 0: never.
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
    /// What it cost, to 0.0001 yuan.
    pub cost: Money,
}

/// A day of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomDay {
    pub day: Date,
    /// How much; `None` where nothing was read.
    pub energy: Option<Energy>,
    /// Of it backwards.
    pub reverse: Energy,
    /// Of it by rate: spike, peak, flat, valley; zero where the meter does not say.
    pub rates: [Energy; 4],
    /// How sure it is.
    pub mark: DayMark,
}

/// A line of a meter's own journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// When, by the meter's clock; `None` where that was lost.
    pub at: Option<Timestamp>,
    pub kind: JournalKind,
    /// The status bit behind a relay record; 255 by command.
    pub cause: u8,
    /// Of a money record.
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
    /// Its number in the meter.
    pub number: String,
    /// Where it stands.
    pub state: super::AccountState,
    pub opened_at: Timestamp,
    /// Who may log in for it.
    pub residents: Vec<Resident>,
}

/// Somebody who lives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// What to call them.
    pub name: String,
    /// How they log in.
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
    /// What was left.
    pub remaining: Fen,
    pub power_w: Option<i64>,
    /// 0.1 V.
    pub voltage_dv: Option<i64>,
    /// 0.01 A.
    pub current_ca: Option<i64>,
}

/// What a command tells the meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandContent {
    /// Open an account.
    Open,
    /// Credit a purchase.
    Credit(Fen),
    /// Take credit back.
    Debit(Fen),
    /// Close the account.
    Close,
    /// Change the control mode.
    Mode(ControlMode),
    /// The resident's switch.
    Switch(bool),
    /// The relay of a meter without a wallet: `true` closes it.
    Relay(bool),
    /// A setting, or a reading that was asked for.
    Issue(Issue),
    /// Arguments that this version cannot read, by their kind.
    Other(CommandKind),
}

/// A command and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    pub id: CommandId,
    /// What it tells the meter.
    pub what: CommandContent,
    /// Where it stands.
    pub state: CommandState,
    /// Who decided; `None` for the system.
    pub by: Option<String>,
    pub decided_at: Timestamp,
    /// When its first byte left.
    pub sent_at: Option<Timestamp>,
    /// When it was read back, or given up.
    pub finished_at: Option<Timestamp>,
    /// How often it was sent.
    pub attempts: i64,
    /// When it will be tried again.
    pub next_at: Timestamp,
    /// The purchase count it carries.
    pub count: Option<i64>,
    /// Why it waits, failed, or was given up.
    pub reason: Option<CommandReason>,
}

/// What of a room moves: the newest values, and the commands, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The server's time.
    pub at: Timestamp,
    /// What the meter was last seen to hold.
    pub latest: Latest,
    pub commands: Vec<CommandLine>,
}

impl Progress {
    /// Whether something is still on its way.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.commands.iter().any(|command| !command.state.is_final())
    }
}

/// A sale at the counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Into which meter.
    pub meter: MeterId,
    pub amount: Fen,
    /// How it was paid.
    pub tender: Tender,
    /// Made with the form.
    pub key: Uuid,
}

#[cfg(test)]
mod tests {
    use super::*;

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
