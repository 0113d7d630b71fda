//! All there is to know of one room.

use model::console::{
    Account, AccountState, CommandContent, CommandLine, JournalLine, Progress, Reading, Resident, Room, RoomDay,
};
use model::energy::Energy;
use model::error::AppError;
use model::event::DayMark;
use model::gateway::SweepInterval;
use model::ids::{AccountId, CommandId, GatewayId, MeterId};
use model::issue::Issue;
use model::meter::ControlMode;
use model::money::Fen;
use model::person::Who;
use model::time::{Date, Timestamp};

use super::Operator;
use domain::rollup::Parts;
use store::console::{self, AccountRow, CommandRow};
use store::{Db, StoreError, energy, journals, readings};

/// Days in the chart, readings in the table, commands in the list.
const DAYS: i64 = 14;
const READINGS: i64 = 20;
const COMMANDS: i64 = 20;
/// Lines of its own journal, and events.
const JOURNAL: i64 = 16;
const EVENTS: i64 = 10;

pub(super) async fn room(desk: &Operator, who: &Who, meter: MeterId) -> Result<Room, AppError> {
    let row = desk.room_of(who, meter).await?;
    let owner = row.account.account_id.map(AccountId);
    let today = desk.clock.now().date();
    Ok(Room {
        name: row.name(),
        kind: row.wallet()?,
        gateway: GatewayId(row.gateway_id),
        gateway_name: row.gateway,
        unit: row.unit,
        serial: row.serial,
        sweep: row.sweep_interval_s.and_then(SweepInterval::new),
        profile: row.profile,
        account: account(&desk.db, row.account).await?,
        readings: readings(&desk.db, meter).await?,
        days: days(&desk.db, meter, today).await?,
        progress: progress(desk, meter).await?,
        events: console::events_of(&desk.db, who.user, meter, EVENTS).await?,
        journal: journal(&desk.db, meter).await?,
        identified: desk.field.is_identified(meter),
        wallet: super::prices::wallet(desk, meter, owner).await?,
        cases: console::cases_of(&desk.db, who.user, meter).await?,
    })
}

async fn progress(desk: &Operator, meter: MeterId) -> Result<Progress, AppError> {
    let rows = console::commands(&desk.db, meter, COMMANDS).await?;
    Ok(Progress {
        at: desk.clock.now(),
        latest: desk.latest(meter),
        commands: rows.into_iter().map(command).collect::<Result<_, StoreError>>()?,
    })
}

async fn account(db: &Db, row: AccountRow) -> store::Result<Option<Account>> {
    let (Some(id), Some(number), Some(state), Some(opened_at)) = (row.account_id, row.number, row.state, row.opened_at) else {
        return Ok(None);
    };
    let residents = console::residents(db, id).await?;
    Ok(Some(Account {
        id: AccountId(id),
        number,
        state: AccountState::parse(&state).ok_or(StoreError::Inconsistent { table: "accounts", column: "state" })?,
        opened_at: Timestamp(opened_at),
        residents: residents.into_iter().map(|(name, login)| Resident { name, login }).collect(),
    }))
}

async fn readings(db: &Db, meter: MeterId) -> store::Result<Vec<Reading>> {
    let rows = readings::recent(db, meter, READINGS).await?;
    let readings = rows.into_iter().map(|row| Reading {
        at: Timestamp(row.at),
        quality: u8::try_from(row.quality).unwrap_or(u8::MAX),
        source: u8::try_from(row.source).unwrap_or(u8::MAX),
        total: Energy(row.total_wh),
        reverse: row.reverse_wh.map(Energy),
        remaining: Fen(row.remaining_fen),
        power_w: row.power_w,
        voltage_dv: row.voltage_dv,
        current_ca: row.current_ca,
    });
    Ok(readings.collect())
}

/// The last days up to today; a day without a row was not read.
async fn days(db: &Db, meter: MeterId, today: Date) -> store::Result<Vec<RoomDay>> {
    let first = today.plus(1 - DAYS);
    let known = energy::days(db, meter, first, today).await?;
    let day = |day: Date| match known.iter().find(|known| known.day == day) {
        Some(known) => {
            let Parts { reverse, rates } = known.parts;
            RoomDay { day, energy: Some(known.energy), reverse, rates, mark: known.mark }
        }
        None => RoomDay { day, energy: None, reverse: Energy::ZERO, rates: [Energy::ZERO; 4], mark: DayMark::default() },
    };
    Ok((0..DAYS).map(|n| day(first.plus(n))).collect())
}

async fn journal(db: &Db, meter: MeterId) -> store::Result<Vec<JournalLine>> {
    let rows = journals::recent(db, meter, JOURNAL).await?;
    let lines = rows.into_iter().map(|row| JournalLine {
        at: Some(Timestamp(row.at)).filter(|at| at.0 > 0),
        kind: row.kind,
        cause: u8::try_from(row.cause).unwrap_or(0),
        amount: Fen(row.amount_fen),
        count: row.count,
        remaining: row.remaining_fen.map(Fen),
    });
    Ok(lines.collect())
}

fn command(row: CommandRow) -> store::Result<CommandLine> {
    let command = row.command;
    Ok(CommandLine {
        id: CommandId(command.id),
        what: what(&command.kind, &command.args),
        state: command.state()?,
        by: row.by_name,
        decided_at: Timestamp(command.decided_at),
        sent_at: command.sent_at.map(Timestamp),
        finished_at: command.finished_at.map(Timestamp),
        attempts: command.attempts,
        next_at: Timestamp(command.next_at),
        count: command.count,
        note: command.note,
    })
}

/// What a command says, from its kind and arguments; what is not understood is shown by its kind.
fn what(kind: &str, text: &str) -> CommandContent {
    let args: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let amount = args.get("amount_fen").and_then(serde_json::Value::as_i64).map(Fen);
    let mode = args.get("mode").and_then(serde_json::Value::as_str).and_then(ControlMode::parse);
    let on = args.get("on").and_then(serde_json::Value::as_bool);
    let closed = args.get("closed").and_then(serde_json::Value::as_bool);
    match (kind, amount, mode, on) {
        ("open", ..) => CommandContent::Open,
        ("close", ..) => CommandContent::Close,
        ("credit", Some(amount), ..) => CommandContent::Credit(amount),
        ("debit", Some(amount), ..) => CommandContent::Debit(amount),
        ("mode", _, Some(mode), _) => CommandContent::Mode(mode),
        ("relay", ..) if closed.is_some() => CommandContent::Relay(closed == Some(true)),
        ("switch", _, _, Some(on)) => CommandContent::Switch(on),
        _ => Issue::stored(kind, text).map_or_else(|| CommandContent::Other(kind.to_owned()), CommandContent::Issue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood_from_their_arguments() {
        assert_eq!(what("credit", r#"{"order":7,"amount_fen":6320}"#), CommandContent::Credit(Fen(6_320)));
        assert_eq!(what("mode", r#"{"mode":"forced_off"}"#), CommandContent::Mode(ControlMode::ForcedOff));
        assert_eq!(what("switch", r#"{"on":false}"#), CommandContent::Switch(false));
        assert_eq!(what("relay", r#"{"closed":true}"#), CommandContent::Relay(true));
        assert_eq!(what("credit", "{"), CommandContent::Other("credit".into()), "what is broken is shown, not dropped");
        assert_eq!(what("clock", "{}"), CommandContent::Issue(Issue::Clock));
    }
}
