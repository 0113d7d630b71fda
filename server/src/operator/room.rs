//! All there is to know of one room.

use app::api::operator::{Account, AccountState, CommandLine, Progress, Reading, Resident, Room, What};
use app::error::AppError;
use app::model::energy::Energy;
use app::model::gateway::SweepInterval;
use app::model::ids::{AccountId, CommandId, GatewayId, MeterId};
use app::model::issue::Issue;
use app::model::meter::ControlMode;
use app::model::money::Fen;
use app::model::time::{Date, Timestamp};
use app::ports::Who;

use super::Operator;
use crate::store::console::{self, AccountRow, CommandRow};
use crate::store::{self, Db, StoreError};

/// Days in the chart, readings in the table, commands in the list.
const DAYS: i64 = 14;
const READINGS: i64 = 20;
const COMMANDS: i64 = 20;

pub(super) async fn room(desk: &Operator, who: &Who, meter: MeterId) -> Result<Room, AppError> {
    let row = desk.room_of(who, meter).await?;
    let today = desk.clock.now().date();
    Ok(Room {
        name: row.name(),
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
        cases: console::cases_of(&desk.db, who.user, meter).await?,
    })
}

pub(super) async fn progress(desk: &Operator, meter: MeterId) -> Result<Progress, AppError> {
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
    let rows = console::readings(db, meter, READINGS).await?;
    let readings = rows.into_iter().map(|(at, quality, source, total, remaining, power_w, voltage_dv, current_ca)| Reading {
        at: Timestamp(at),
        quality: u8::try_from(quality).unwrap_or(u8::MAX),
        source: u8::try_from(source).unwrap_or(u8::MAX),
        total: Energy(total),
        remaining: Fen(remaining),
        power_w,
        voltage_dv,
        current_ca,
    });
    Ok(readings.collect())
}

/// The last days up to today; a day without a row was not read.
async fn days(db: &Db, meter: MeterId, today: Date) -> store::Result<Vec<(Date, Option<Energy>)>> {
    let first = today.plus(1 - DAYS);
    let known: std::collections::HashMap<i64, i64> = console::days(db, meter, first).await?.into_iter().collect();
    Ok((0..DAYS).map(|n| first.plus(n)).map(|day| (day, known.get(&day.0).copied().map(Energy))).collect())
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
fn what(kind: &str, text: &str) -> What {
    let args: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let amount = args.get("amount_fen").and_then(serde_json::Value::as_i64).map(Fen);
    let mode = args.get("mode").and_then(serde_json::Value::as_str).and_then(ControlMode::parse);
    let on = args.get("on").and_then(serde_json::Value::as_bool);
    match (kind, amount, mode, on) {
        ("open", ..) => What::Open,
        ("close", ..) => What::Close,
        ("credit", Some(amount), ..) => What::Credit(amount),
        ("debit", Some(amount), ..) => What::Debit(amount),
        ("mode", _, Some(mode), _) => What::Mode(mode),
        ("switch", _, _, Some(on)) => What::Switch(on),
        _ => Issue::stored(kind, text).map_or_else(|| What::Other(kind.to_owned()), What::Issue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood_from_their_arguments() {
        assert_eq!(what("credit", r#"{"order":7,"amount_fen":6320}"#), What::Credit(Fen(6_320)));
        assert_eq!(what("mode", r#"{"mode":"forced_off"}"#), What::Mode(ControlMode::ForcedOff));
        assert_eq!(what("switch", r#"{"on":false}"#), What::Switch(false));
        assert_eq!(what("credit", "{"), What::Other("credit".into()), "what is broken is shown, not dropped");
        assert_eq!(what("clock", "{}"), What::Issue(Issue::Clock));
    }
}
