//! Reconciliation of the channels' statements with the ledger, for operators of the whole site.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use app::api::reconciliation::{Calendar, DayState, DayView, DifferenceLine, ForeignLine, ReconciliationPort, SettlementDay};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::Uuid;
use model::money::{Fen, Money};
use model::order::Tender;
use model::person::Who;
use model::reconciliation::StatementProblem;
use model::time::{Date, SECOND, Timestamp};

use super::Context;
use domain::statement::LineKind;
use payments::Payments;
use reconciliation as stored;
use reconciliation::{DayRow, DifferenceRow};

/// Days on the page.
const SPAN: i64 = 31;
/// Days back that a statement can be requested; no channel keeps them longer.
const OLDEST: i64 = 90;
/// Lines of other systems that a day's page lists; it has the number and the total of all.
const FOREIGN_LINES: i64 = 500;
/// The shortest time between two requests to a channel.
const PAUSE: i64 = 10 * SECOND;

pub struct ReconciliationService {
    context: Context,
    payments: Payments,
    /// When a person last requested a statement of each channel.
    last_requests: Mutex<BTreeMap<Tender, Timestamp>>,
}

impl ReconciliationService {
    #[must_use]
    pub const fn new(context: Context, payments: Payments) -> Self {
        Self { context, payments, last_requests: Mutex::new(BTreeMap::new()) }
    }

    /// First and last day whose statement a person may request.
    fn askable(&self) -> (Date, Date) {
        let today = self.context.now().date();
        (today.plus(-OLDEST), today.plus(-1))
    }

    /// Limits how often people can make this server call a channel.
    fn limit_requests(&self, channel: Tender) -> Result<(), AppError> {
        let now = self.context.now();
        let mut last_requests = self.last_requests.lock().unwrap_or_else(PoisonError::into_inner);
        if last_requests.get(&channel).is_some_and(|last| now.since(*last) < PAUSE) {
            return Err(AppError::AskedJustNow);
        }
        last_requests.insert(channel, now);
        Ok(())
    }
}

#[async_trait]
impl ReconciliationPort for ReconciliationService {
    async fn calendar(&self, who: &Who, until: Option<Date>) -> Result<Calendar, AppError> {
        self.context.require_whole_site(who).await?;
        let to = until.unwrap_or_else(|| self.context.now().date().plus(-1));
        let from = to.plus(1 - SPAN);
        let days = stored::days(&self.context.db, from, to).await?;
        let days: Vec<SettlementDay> = days.into_iter().map(day_view).collect();
        let offered: Vec<Tender> = self.payments.channels().into_iter().filter(|tender| tender.is_channel()).collect();
        let with_days: BTreeSet<Tender> = days.iter().map(|day| day.channel).collect();
        let is_shown = |channel: &Tender| offered.contains(channel) || with_days.contains(channel);
        let channels = Tender::ALL.into_iter().filter(is_shown).collect();
        let undecided = days.iter().map(|day| day.undecided).sum();
        Ok(Calendar { channels, span: (from, to), askable: self.askable(), days, undecided })
    }

    async fn settlement_day(&self, who: &Who, channel: Tender, day: Date) -> Result<DayView, AppError> {
        self.context.require_whole_site(who).await?;
        let db = &self.context.db;
        let (first, last) = self.askable();
        let view = match stored::day(db, channel, day).await? {
            Some(row) => day_view(row),
            None if self.payments.channels().contains(&channel) && first <= day && day <= last => not_requested(channel, day),
            None => return Err(AppError::NotFound),
        };
        let lines = stored::differences(db, channel, day).await?.into_iter().map(line).collect();
        let foreign = stored::foreign_lines(db, channel, day, FOREIGN_LINES).await?.into_iter().map(foreign_line).collect();
        Ok(DayView { day: view, lines, foreign, key: self.context.form_key() })
    }

    async fn reconcile_day(&self, who: &Who, channel: Tender, day: Date) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let (first, last) = self.askable();
        if day < first || last < day {
            return Err(AppError::Invalid);
        }
        self.limit_requests(channel)?;
        self.payments.reconcile(channel, day, Some(who)).await?;
        Ok(())
    }

    async fn close_day(&self, who: &Who, channel: Tender, day: Date, reason: &str) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(stored::close(&self.context.db, self.context.now(), who, channel, day, reason).await?)
    }

    async fn note_receipt(&self, who: &Who, channel: Tender, day: Date, key: Uuid, amount: Fen) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let Context { db, rng, .. } = &self.context;
        Ok(stored::note_receipt(db, rng, self.context.now(), who, (channel, day), key, amount).await?)
    }
}

/// A day whose statement was never requested.
fn not_requested(channel: Tender, day: Date) -> SettlementDay {
    SettlementDay {
        channel,
        day,
        state: DayState::Waiting,
        window: None,
        tried_at: None,
        problem: Some(StatementProblem::NotRequested),
        problem_row: None,
        problem_column: None,
        foreign: (0, Fen::ZERO),
        compared_at: None,
        statement: Fen::ZERO,
        ledger: Fen::ZERO,
        gaps: Fen::ZERO,
        fees: Money::ZERO,
        received: Fen::ZERO,
        equal: 0,
        differences: 0,
        undecided: 0,
        meters: (0, 0, 0),
        closed: None,
    }
}

fn day_view(row: DayRow) -> SettlementDay {
    let state = match row.compared_at {
        _ if row.closed_at.is_some() => DayState::Closed,
        None => DayState::Waiting,
        Some(_) if row.differences > 0 => DayState::Differs,
        Some(_) => DayState::Equal,
    };
    SettlementDay {
        channel: row.channel,
        day: row.day,
        state,
        window: row.from_at.zip(row.to_at),
        tried_at: Some(row.tried_at),
        problem: row.problem,
        problem_row: row.problem_row,
        problem_column: row.problem_column,
        foreign: (row.foreign_lines, row.foreign),
        compared_at: row.compared_at,
        statement: row.statement,
        ledger: row.ledger,
        gaps: row.gaps,
        fees: row.fees,
        received: row.received,
        equal: row.equal_lines,
        differences: row.differences,
        undecided: row.undecided,
        meters: (row.purchases, row.delivered, row.in_journal),
        closed: row.closed_at.map(|at| (at, row.closed_by.unwrap_or_default(), row.reason.unwrap_or_default())),
    }
}

fn foreign_line(line: stored::ForeignLine) -> ForeignLine {
    ForeignLine {
        refund: line.kind == LineKind::Refunded,
        out_trade_no: line.out_trade_no,
        trade_no: line.trade_no,
        amount: line.amount,
        at: line.at,
    }
}

fn line(row: DifferenceRow) -> DifferenceLine {
    DifferenceLine {
        class: row.class,
        refund: row.kind == LineKind::Refunded,
        out_trade_no: row.out_trade_no,
        trade_no: row.trade_no,
        refund_no: row.refund_no,
        statement: row.statement,
        ledger: row.ledger,
        gap: row.gap,
        reason: row.reason,
        meter: row.meter_id,
        order: row.order_number,
        decision: row.decided_at.map(|_| (row.decision.unwrap_or_default(), row.decided_by.unwrap_or_default())),
    }
}
