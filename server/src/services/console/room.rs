//! All there is to know of one room.

use model::command::CommandKind;
use model::console::{
    Account, AccountState, CommandContent, CommandLine, JournalLine, Progress, Reading, Resident, Room, RoomDay,
};
use model::energy::Energy;
use model::error::AppError;
use model::event::DayMark;
use model::gateway::SweepInterval;
use model::ids::MeterId;
use model::issue::Issue;
use model::money::Fen;
use model::person::Who;
use model::time::Date;

use super::Operator;
use domain::command_args::CommandArgs;
use domain::money_rule::MoneyOperation;
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
    let owner = row.account.account_id;
    let today = desk.clock.now().date();
    Ok(Room {
        name: row.name(),
        kind: row.wallet,
        gateway: row.gateway_id,
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
    Ok(Progress { at: desk.clock.now(), latest: desk.latest(meter), commands: rows.into_iter().map(command).collect() })
}

async fn account(db: &Db, row: AccountRow) -> store::Result<Option<Account>> {
    let (Some(id), Some(number), Some(state), Some(opened_at)) = (row.account_id, row.number, row.state, row.opened_at) else {
        return Ok(None);
    };
    let residents = console::residents(db, id).await?;
    Ok(Some(Account {
        id,
        number,
        state: AccountState::parse(&state).ok_or(StoreError::Inconsistent { table: "accounts", column: "state" })?,
        opened_at,
        residents: residents.into_iter().map(|(name, login)| Resident { name, login }).collect(),
    }))
}

async fn readings(db: &Db, meter: MeterId) -> store::Result<Vec<Reading>> {
    let rows = readings::recent(db, meter, READINGS).await?;
    let readings = rows.into_iter().map(|row| Reading {
        at: row.at,
        quality: row.quality,
        source: row.source,
        total: row.total_wh,
        reverse: row.reverse_wh,
        remaining: row.remaining_fen,
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
        at: Some(row.at).filter(|at| at.0 > 0),
        kind: row.kind,
        cause: u8::try_from(row.cause).unwrap_or(0),
        amount: row.amount_fen,
        count: row.count,
        remaining: row.remaining_fen,
    });
    Ok(lines.collect())
}

fn command(row: CommandRow) -> CommandLine {
    let command = row.command;
    CommandLine {
        id: command.id,
        what: content(command.kind, command.args()),
        state: command.state,
        by: row.by_name,
        decided_at: command.decided_at,
        sent_at: command.sent_at,
        finished_at: command.finished_at,
        attempts: command.attempts,
        next_at: command.next_at,
        count: command.count,
        reason: command.reason,
    }
}

/// What a command says; one whose arguments cannot be read is shown by its kind. Checks of planned prices have no content.
fn content(kind: CommandKind, args: Option<&CommandArgs>) -> CommandContent {
    let Some(args) = args else { return CommandContent::Other(kind) };
    match args {
        CommandArgs::Money(MoneyOperation::Open(_)) => CommandContent::Open,
        CommandArgs::Money(MoneyOperation::Close { .. }) => CommandContent::Close,
        CommandArgs::Money(MoneyOperation::Credit { amount, .. }) => CommandContent::Credit(Fen((*amount).into())),
        CommandArgs::Money(MoneyOperation::Debit { amount, .. }) => CommandContent::Debit(Fen((*amount).into())),
        CommandArgs::Issue(Issue::Mode(mode)) => CommandContent::Mode(*mode),
        CommandArgs::Issue(Issue::Switch(on)) => CommandContent::Switch(*on),
        CommandArgs::Issue(issue) => CommandContent::Issue(issue.clone()),
        CommandArgs::ClockCorrection => CommandContent::Issue(Issue::Clock),
        CommandArgs::Relay { closed } => CommandContent::Relay(*closed),
        CommandArgs::InForce { .. } => CommandContent::Other(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::meter::ControlMode;

    #[test]
    fn commands_are_shown_by_their_arguments() {
        let of = |args: CommandArgs| content(args.kind(), Some(&args));
        let credit = CommandArgs::Money(MoneyOperation::Credit { order: 7, amount: 6_320 });
        assert_eq!(of(credit), CommandContent::Credit(Fen(6_320)));
        assert_eq!(of(Issue::Mode(ControlMode::ForcedOff).into()), CommandContent::Mode(ControlMode::ForcedOff));
        assert_eq!(of(Issue::Switch(false).into()), CommandContent::Switch(false));
        assert_eq!(of(CommandArgs::Relay { closed: true }), CommandContent::Relay(true));
        assert_eq!(of(Issue::Clock.into()), CommandContent::Issue(Issue::Clock));
        assert_eq!(content(CommandKind::Credit, None), CommandContent::Other(CommandKind::Credit), "shown, not dropped");
    }
}
