//! The cash desk: shifts with a counted drawer, sales, corrections and returns.

use std::collections::HashMap;

use model::ids::{MeterId, OrderId};
use model::meter::Wallet;
use model::money::Fen;
use model::order::{ReturnState, Tender};
use model::person::Who;
use model::time::{Date, HOUR, MINUTE, Timestamp};

use super::Span;
use super::delivery::deliver;
use super::room::PastRoom;
use super::staff::Staff;
use domain::order::Limits;
use domain::returns::Rules;
use domain::rng::Rng;
use store::closings::{self, BalanceTarget, ClosingRequest, NewClosing};
use store::orders::{self, NewOrder};
use store::returns::{self, NewReturn, ReturnSubject};
use store::{Db, Result, StoreError, shifts};

/// Change in the drawer in the morning.
const FLOAT: Fen = Fen(20_000);
/// When the desk opens and closes.
const HOURS: (i64, i64) = (8 * HOUR + 30 * MINUTE, 17 * HOUR + 30 * MINUTE);

/// The cash desk of the site.
pub struct Desk<'a> {
    pub db: &'a Db,
    pub rng: &'a Rng,
    pub staff: &'a Staff,
    /// The last sale into each meter.
    sold: HashMap<MeterId, OrderId>,
}

impl<'a> Desk<'a> {
    pub fn new(db: &'a Db, rng: &'a Rng, staff: &'a Staff) -> Self {
        Self { db, rng, staff, sold: HashMap::new() }
    }

    /// Who sells on a day.
    fn cashier(&self, day: Date) -> &'a Who {
        let [first, second] = &self.staff.cashiers;
        if day.0 % 2 == 0 { first } else { second }
    }

    /// When the desk opens and closes on a day; at the weekend not at all.
    pub fn hours(span: &Span, day: Date) -> [Option<Timestamp>; 2] {
        let is_open = day.weekday() < 5 && day > span.from.date();
        [HOURS.0, HOURS.1].map(|time| Some(day.start().plus(time)).filter(|at| is_open && *at < span.until))
    }

    pub async fn open(&self, at: Timestamp) -> Result<()> {
        shifts::open(self.db, self.rng, at, self.cashier(at.date()), FLOAT).await
    }

    /// Closes the shift with what is in the drawer, which is now and then not what it should be.
    pub async fn close(&self, at: Timestamp) -> Result<()> {
        let who = self.cashier(at.date());
        let open = shifts::recent(self.db, who.user, 1).await?.into_iter().find(|shift| shift.closed_at.is_none());
        let Some(shift) = open else { return Ok(()) };
        let takings = shifts::takings(self.db, shift.id).await?;
        let cash = takings.iter().find(|row| row.tender == Tender::Cash).map_or(Fen::ZERO, |row| row.taken - row.given);
        let (short, reason) = match at.date().0 % 17 {
            3 => (Fen(500), "找零时少收 5 元"),
            11 => (Fen(-1_000), "多出 10 元，待住户认领"),
            _ => (Fen::ZERO, ""),
        };
        shifts::close(self.db, self.rng, at, who, shift.id, shift.float + cash - short, reason).await
    }

    /// Sells at the counter and delivers.
    pub async fn sell(&mut self, at: Timestamp, past: &PastRoom<'_>, tender: Tender, fen: i64) -> Result<()> {
        let Some(account) = past.account else { return Ok(()) };
        let who = self.cashier(at.date());
        let new = NewOrder {
            key: self.rng.id(at),
            account,
            meter: past.meter,
            tender,
            amount: Fen(fen),
            by: who.user,
            ip: who.ip.clone(),
        };
        let order = orders::sell(self.db, self.rng, at, &Limits::default(), &new).await?;
        self.sold.insert(past.meter, order.id);
        if order.credited_at.is_none() {
            deliver(self.db, self.rng, at, past).await?;
        }
        Ok(())
    }

    /// Takes the last sale back.
    pub async fn undo(&self, at: Timestamp, past: &PastRoom<'_>, fen: i64) -> Result<()> {
        let Some(&sale) = self.sold.get(&past.meter) else {
            return Err(StoreError::Inconsistent { table: "orders", column: "id" });
        };
        self.give(at, past, ReturnSubject::Sale(sale, Fen(fen)), "金额输错，重新售电").await
    }

    /// Pays a part of the balance out.
    pub async fn pay_back(&self, at: Timestamp, past: &PastRoom<'_>, fen: i64) -> Result<()> {
        let Some(account) = past.account else { return Ok(()) };
        let of = ReturnSubject::Remaining { account, meter: past.meter, tender: Tender::Cash, amount: Fen(fen) };
        self.give(at, past, of, "住户外出实习，退部分电费").await
    }

    /// Closes the account of a room: the meter gives back what it holds, and that is paid out.
    pub async fn end(&self, at: Timestamp, past: &PastRoom<'_>) -> Result<()> {
        let (db, rng, who) = (self.db, self.rng, self.cashier(at.date()));
        let Some(account) = past.account else { return Ok(()) };
        let what = ClosingRequest::Close(BalanceTarget::Counter(Tender::Cash));
        let new = NewClosing { key: rng.id(at), account, what, reason: "学生退宿".into(), who: who.clone() };
        let closing = closings::begin(db, rng, at, &new).await?;
        deliver(db, rng, at, past).await?;
        let at = at.plus(MINUTE);
        closings::advance_all(db, rng, at, &Rules::default()).await?;
        let Some((id, state)) = queries::closing(db, closing).await?.and_then(|view| view.returned) else { return Ok(()) };
        if state == ReturnState::Waiting {
            returns::approve(db, rng, at, &Limits::default(), &self.staff.supervisor, id).await?;
        }
        returns::pay_out(db, rng, at.plus(MINUTE), who, id).await.map(drop)
    }

    /// Asks for a return, has it approved where one person may not do it alone, debits the meter and pays it out.
    async fn give(&self, at: Timestamp, past: &PastRoom<'_>, of: ReturnSubject, reason: &str) -> Result<()> {
        let (db, rng, who) = (self.db, self.rng, self.cashier(at.date()));
        let new = NewReturn { key: rng.id(at), of, reason: reason.into(), by: who.user, ip: who.ip.clone() };
        let limits = Limits::default();
        let asked = returns::ask(db, rng, at, &Rules::default(), &limits, &new).await?;
        if asked.state == ReturnState::Waiting {
            returns::approve(db, rng, at, &limits, &self.staff.supervisor, asked.id).await?;
        }
        if past.room.wallet == Wallet::Meter {
            deliver(db, rng, at, past).await?;
        }
        returns::pay_out(db, rng, at.plus(MINUTE), who, asked.id).await.map(drop)
    }
}
