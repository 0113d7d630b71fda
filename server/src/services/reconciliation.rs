//! The server's side of [`ReconcilePort`]: a matter of the whole site, for those who may see all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use app::api::reconcile::{Calendar, DayState, DayView, DifferenceLine, ReconcilePort, SettlementDay};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::money::{Fen, Money};
use model::order::Tender;
use model::person::Who;
use model::time::{Date, SECOND, Timestamp};

use domain::wall_layout::Scope;
use payments::Payments;
use store::reconcile::{self as stored, DayRow, DifferenceRow};
use store::{StoreError, console};

/// Days on the page.
const SPAN: i64 = 31;
/// As far back as a day is asked for, and no bill is kept longer.
const OLDEST: i64 = 90;
/// People ask a channel for a bill no sooner than this after the last time.
const PAUSE: i64 = 10 * SECOND;

pub struct Reconciliation {
    payments: Payments,
    /// When a person last asked each channel.
    asked: Mutex<BTreeMap<&'static str, Timestamp>>,
}

impl Reconciliation {
    /// Of these channels, and what they ask of the database.
    #[must_use]
    pub const fn new(payments: Payments) -> Self {
        Self { payments, asked: Mutex::new(BTreeMap::new()) }
    }

    /// The days whose bill a person may ask for.
    fn askable(&self) -> (Date, Date) {
        let today = self.payments.parts().1.now().date();
        (today.plus(-OLDEST), today.plus(-1))
    }

    /// A channel is asked now and then, whoever presses how often.
    fn in_turn(&self, channel: Tender) -> Result<(), AppError> {
        let now = self.payments.parts().1.now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.get(channel.as_str()).is_some_and(|last| now.since(*last) < PAUSE) {
            return Err(AppError::RateLimited);
        }
        asked.insert(channel.as_str(), now);
        Ok(())
    }

    async fn allowed(&self, who: &Who) -> Result<(), AppError> {
        let scope = console::scope(self.payments.parts().0, who.user).await?;
        if scope == Scope::All { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

#[async_trait]
impl ReconcilePort for Reconciliation {
    async fn calendar(&self, who: &Who, until: Option<Date>) -> Result<Calendar, AppError> {
        self.allowed(who).await?;
        let (db, clock, _) = self.payments.parts();
        let to = until.unwrap_or_else(|| clock.now().date().plus(-1));
        let from = to.plus(1 - SPAN);
        let days: Vec<SettlementDay> = stored::days(db, from, to).await?.into_iter().map(told).collect::<Result<_, _>>()?;
        let offered: Vec<Tender> = self.payments.offered().into_iter().filter(|tender| tender.is_channel()).collect();
        let known: BTreeSet<&str> = days.iter().map(|day| day.channel.as_str()).collect();
        let of = |channel: &Tender| offered.contains(channel) || known.contains(channel.as_str());
        let channels = Tender::ALL.into_iter().filter(of).collect();
        let undecided = days.iter().map(|day| day.undecided).sum();
        Ok(Calendar { channels, span: (from, to), askable: self.askable(), days, undecided })
    }

    async fn day(&self, who: &Who, channel: Tender, day: Date) -> Result<DayView, AppError> {
        self.allowed(who).await?;
        let (db, clock, rng) = self.payments.parts();
        let (first, last) = self.askable();
        let known = match stored::day(db, channel, day).await? {
            Some(row) => told(row)?,
            None if self.payments.offered().contains(&channel) && first <= day && day <= last => unasked(channel, day),
            None => return Err(AppError::NotFound),
        };
        let lines = stored::differences(db, channel, day).await?.into_iter().map(line).collect();
        Ok(DayView { day: known, lines, key: rng.id(clock.now()) })
    }

    async fn run(&self, who: &Who, channel: Tender, day: Date) -> Result<(), AppError> {
        self.allowed(who).await?;
        let (first, last) = self.askable();
        if day < first || last < day {
            return Err(AppError::Invalid);
        }
        self.in_turn(channel)?;
        self.payments.reconcile(channel, day, Some(who)).await?;
        Ok(())
    }

    async fn close(&self, who: &Who, channel: Tender, day: Date, reason: &str) -> Result<(), AppError> {
        self.allowed(who).await?;
        let (db, clock, _) = self.payments.parts();
        Ok(stored::close(db, clock.now(), who, channel, day, reason).await?)
    }

    async fn receive(&self, who: &Who, channel: Tender, day: Date, key: Uuid, amount: Fen) -> Result<(), AppError> {
        self.allowed(who).await?;
        let (db, clock, rng) = self.payments.parts();
        Ok(stored::note_receipt(db, rng, clock.now(), who, (channel, day), key, amount).await?)
    }
}

/// A day that nobody has asked for yet.
fn unasked(channel: Tender, day: Date) -> SettlementDay {
    SettlementDay {
        channel,
        day,
        state: DayState::Waiting,
        window: None,
        tried_at: None,
        note: Some("not-asked".to_owned()),
        compared_at: None,
        bill: Fen::ZERO,
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

fn told(row: DayRow) -> Result<SettlementDay, StoreError> {
    let channel = Tender::parse(&row.channel).ok_or(StoreError::Inconsistent { table: "settlement_days", column: "channel" })?;
    let state = match row.compared_at {
        _ if row.closed_at.is_some() => DayState::Closed,
        None => DayState::Waiting,
        Some(_) if row.differences > 0 => DayState::Differs,
        Some(_) => DayState::Equal,
    };
    let closed = row.closed_at.map(|at| (Timestamp(at), row.closed_by.unwrap_or_default(), row.reason.unwrap_or_default()));
    Ok(SettlementDay {
        channel,
        day: Date(row.day),
        state,
        window: row.from_at.zip(row.to_at).map(|(from, to)| (Timestamp(from), Timestamp(to))),
        tried_at: Some(Timestamp(row.tried_at)),
        note: row.note,
        compared_at: row.compared_at.map(Timestamp),
        bill: Fen(row.bill_fen),
        ledger: Fen(row.ledger_fen),
        gaps: Fen(row.gaps_fen),
        fees: Money(row.fee_e4),
        received: Fen(row.received_fen),
        equal: row.equal_lines,
        differences: row.differences,
        undecided: row.undecided,
        meters: (row.purchases, row.delivered, row.in_journal),
        closed,
    })
}

fn line(row: DifferenceRow) -> DifferenceLine {
    DifferenceLine {
        class: row.class,
        refund: row.kind == "refunded",
        out_trade_no: row.out_trade_no,
        trade_no: row.trade_no,
        refund_no: row.refund_no,
        bill: row.bill_fen.map(Fen),
        ours: row.ours_fen.map(Fen),
        gap: Fen(row.gap_fen),
        why: row.why,
        meter: row.meter_id.map(MeterId),
        order: row.order_number,
        decision: row.decided_at.map(|_| (row.decision.unwrap_or_default(), row.decided_by.unwrap_or_default())),
    }
}
