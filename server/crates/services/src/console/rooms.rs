//! A room: all that is known of its meter, and the commands to it.

use std::collections::HashMap;

use app::api::rooms::RoomsPort;
use async_trait::async_trait;
use model::command::CommandKind;
use model::console::{
    Account, CommandContent, CommandLine, JournalLine, Progress, Reading, Resident, RetiredMeter, Room, RoomDay, WalletLimits,
};
use model::energy::Energy;
use model::error::AppError;
use model::event::DayMark;
use model::gateway::SweepInterval;
use model::ids::{MeterId, Uuid};
use model::issue::Issue;
use model::meter::ControlMode;
use model::money::Fen;
use model::parameters::Parameters;
use model::person::Who;
use model::time::{Date, Timestamp};

use super::{ConsoleService, prices};
use crate::Context;
use domain::command_args::CommandArgs;
use domain::money_rule::MoneyOperation;
use domain::rollup::Parts;
use metering::journals;
use queries::{AccountRow, CommandRow};
use store::console;
use store::energy::{self, DayEnergy};
use store::{Db, money_operations, parameters, readings, wallets};

/// Days in the chart, readings in the table, commands in the list.
const DAYS: i64 = 14;
const READINGS: i64 = 20;
const COMMANDS: i64 = 20;
/// Commands of a meter out of service.
const RETIRED_COMMANDS: i64 = 50;
/// Lines of the meter's own journal, and events.
const JOURNAL: i64 = 16;
const EVENTS: i64 = 10;

#[async_trait]
impl RoomsPort for ConsoleService {
    async fn room(&self, who: &Who, meter: MeterId) -> Result<Room, AppError> {
        let row = self.context.room(who, meter).await?;
        let (db, today) = (&self.context.db, self.context.now().date());
        let account_id = row.account.account_id;
        Ok(Room {
            name: row.name(),
            kind: row.wallet,
            gateway: row.gateway_id,
            gateway_name: row.gateway,
            unit: row.unit,
            serial: row.serial,
            sweep: row.sweep_interval_s.and_then(SweepInterval::new),
            profile: row.profile,
            account: account(db, row.account).await?,
            readings: readings(db, meter).await?,
            days: days(db, meter, (today.plus(1 - DAYS), today), today).await?,
            progress: progress(&self.context, meter).await?,
            events: alarms::events_of(db, who.user, meter, EVENTS, self.context.now()).await?,
            journal: journal(db, meter).await?,
            money_operations: match account_id {
                Some(account) => money_operations::count(db, account, meter).await?,
                None => 0,
            },
            identified: self.context.gateway.is_identified(meter),
            wallet: prices::wallet(&self.context, meter, account_id).await?,
            cases: console::cases_of(db, who.user, meter).await?,
            waiting: match account_id {
                Some(account) => queries::waiting_returns(db, who.user, account, self.context.now()).await?,
                None => Vec::new(),
            },
        })
    }

    async fn retired_meter(&self, who: &Who, meter: MeterId) -> Result<RetiredMeter, AppError> {
        let db = &self.context.db;
        let row = queries::retired_meter(db, who.user, meter).await?.ok_or(AppError::NotFound)?;
        let by = match &row.by_name {
            Some(name) => Some(name.clone()),
            None => queries::retired_by(db, meter, row.new_id).await?,
        };
        let commands = queries::commands(db, meter, RETIRED_COMMANDS).await?;
        Ok(RetiredMeter {
            id: meter,
            room: row.room(),
            serial: row.serial,
            profile: row.profile,
            gateway: row.gateway,
            since: row.retired_at,
            by,
            replaced_by: row.new_id.zip(row.new_serial),
            in_room: row.in_room,
            accounts: queries::accounts_of_meter(db, meter).await?,
            commands: commands.into_iter().map(command).collect(),
        })
    }

    async fn parameters(&self, who: &Who, meter: MeterId) -> Result<Option<(Parameters, Timestamp)>, AppError> {
        self.context.room(who, meter).await?;
        Ok(parameters::find(&self.context.db, meter).await?)
    }

    async fn set_mode(&self, who: &Who, meter: MeterId, mode: ControlMode, key: Uuid) -> Result<(), AppError> {
        console::set_mode(&self.context.db, &self.context.rng, self.context.now(), who, meter, mode, key).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn set_limits(&self, who: &Who, meter: MeterId, limits: &WalletLimits) -> Result<(), AppError> {
        self.context.room(who, meter).await?;
        let WalletLimits { alarm1, alarm2, overdraft, hoarding, overload_w, malignant_w } = *limits;
        let limits = wallets::Limits { alarm1, alarm2, overdraft, hoarding, overload_w, malignant_w };
        wallets::set_limits(&self.context.db, &self.context.rng, self.context.now(), who, meter, &limits).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn read_now(&self, who: &Who, meter: MeterId) -> Result<(), AppError> {
        self.context.room(who, meter).await?;
        self.context.gateway.read_now(meter);
        Ok(())
    }
}

/// The changing part of a room. The caller has checked who asks.
async fn progress(context: &Context, meter: MeterId) -> Result<Progress, AppError> {
    let rows = queries::commands(&context.db, meter, COMMANDS).await?;
    Ok(Progress { at: context.now(), latest: context.latest(meter), commands: rows.into_iter().map(command).collect() })
}

async fn account(db: &Db, row: AccountRow) -> store::Result<Option<Account>> {
    let (Some(id), Some(number), Some(state), Some(opened_at)) = (row.account_id, row.number, row.state, row.opened_at) else {
        return Ok(None);
    };
    let residents = queries::residents(db, id).await?;
    let receipt = queries::opening_receipt(db, id).await?;
    let first_purchase = match receipt {
        Some(opening) => queries::first_purchase(db, opening).await?,
        None => None,
    };
    Ok(Some(Account {
        id,
        number,
        state,
        opened_at,
        receipt,
        first_purchase,
        residents: residents.into_iter().map(|(name, login)| Resident { name, login }).collect(),
    }))
}

async fn readings(db: &Db, meter: MeterId) -> store::Result<Vec<Reading>> {
    Ok(readings::recent(db, meter, READINGS).await?.into_iter().map(reading).collect())
}

pub(super) fn reading(row: readings::Reading) -> Reading {
    Reading {
        at: row.at,
        quality: row.quality,
        source: row.source,
        total: row.total_wh,
        reverse: row.reverse_wh,
        remaining: row.remaining_fen,
        power_w: row.power_w,
        voltage_dv: row.voltage_dv,
        current_ca: row.current_ca,
    }
}

/// The days of a range, both ends included. A day without a row was not read.
pub(super) async fn days(db: &Db, meter: MeterId, (first, last): (Date, Date), today: Date) -> store::Result<Vec<RoomDay>> {
    // A last day that is over is estimated if its end was not read; today's end is still to come.
    let known = energy::days(db, meter, first, if last < today { last.plus(1) } else { last }).await?;
    let known: HashMap<Date, DayEnergy> = known.into_iter().map(|day| (day.day, day)).collect();
    let day = |day: Date| match known.get(&day) {
        Some(known) => {
            let Parts { reverse, rates } = known.parts;
            RoomDay { day, energy: Some(known.energy), reverse, rates, mark: known.mark }
        }
        None => RoomDay { day, energy: None, reverse: Energy::ZERO, rates: [Energy::ZERO; 4], mark: DayMark::default() },
    };
    Ok((first.0..=last.0).map(|n| day(Date(n))).collect())
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
        what: command_content(command.kind, command.args()),
        state: command.state,
        order: command.order_id,
        back: row.return_id,
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

/// The content of a command; a check of planned prices, and one whose arguments cannot be read, is shown by its kind.
fn command_content(kind: CommandKind, args: Option<&CommandArgs>) -> CommandContent {
    let Some(args) = args else { return CommandContent::Other(kind) };
    match args {
        CommandArgs::Money(MoneyOperation::Open(_)) => CommandContent::Open,
        CommandArgs::Money(MoneyOperation::Close { .. }) => CommandContent::Close,
        CommandArgs::Money(MoneyOperation::Credit { amount, .. }) => CommandContent::Credit(Fen((*amount).into())),
        CommandArgs::Money(MoneyOperation::Debit { amount, .. }) => CommandContent::Debit(Fen((*amount).into())),
        CommandArgs::Issue(Issue::Mode(mode)) => CommandContent::Mode(*mode),
        CommandArgs::Issue(Issue::Switch(on)) => CommandContent::Switch(*on),
        CommandArgs::Issue(issue) => CommandContent::Issue(issue.clone()),
        CommandArgs::CloseForeign { account, .. } => CommandContent::CloseForeign(account.to_string()),
        CommandArgs::ClockCorrection => CommandContent::Issue(Issue::Clock),
        CommandArgs::Relay { closed } => CommandContent::Relay(*closed),
        CommandArgs::InForce { .. } => CommandContent::Other(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_content_is_read_from_its_arguments() {
        let of = |args: CommandArgs| command_content(args.kind(), Some(&args));
        let credit = CommandArgs::Money(MoneyOperation::Credit { order: 7, amount: 6_320 });
        assert_eq!(of(credit), CommandContent::Credit(Fen(6_320)));
        assert_eq!(of(Issue::Mode(ControlMode::ForcedOff).into()), CommandContent::Mode(ControlMode::ForcedOff));
        assert_eq!(of(Issue::Switch(false).into()), CommandContent::Switch(false));
        assert_eq!(of(CommandArgs::Relay { closed: true }), CommandContent::Relay(true));
        assert_eq!(of(Issue::Clock.into()), CommandContent::Issue(Issue::Clock));
        let unreadable = command_content(CommandKind::Credit, None);
        assert_eq!(unreadable, CommandContent::Other(CommandKind::Credit), "what is broken is shown, not dropped");
    }
}
