//! Shifts: an operator's cash drawer between opening and closing.

use app::api::shifts::{Shift, ShiftEnd, Shifts, ShiftsPort, Takings};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::ShiftId;
use model::money::Fen;
use model::order::Tender;
use model::permission::Permission;
use model::person::Who;

use super::CashDeskService;
use store::{Db, shifts};

/// Shifts on the page.
const RECENT: i64 = 30;

#[async_trait]
impl ShiftsPort for CashDeskService {
    async fn shifts(&self, who: &Who) -> Result<Shifts, AppError> {
        let db = &self.context.db;
        let own = shifts::recent(db, who.user, 1).await?;
        let rows = if oversees(who) {
            shifts::overseen(db, who.user, RECENT).await?
        } else {
            shifts::recent(db, who.user, RECENT).await?
        };
        let mut recent = Vec::new();
        for row in rows {
            recent.push(shift_view(db, row).await?);
        }
        let closed = own.first().is_some_and(|row| row.closed_at.is_some());
        let open = match own.into_iter().next().filter(|row| row.closed_at.is_none()) {
            Some(row) => Some(shift_view(db, row).await?),
            None => None,
        };
        Ok(Shifts { open, closed, recent })
    }

    async fn shift(&self, who: &Who, id: ShiftId) -> Result<Shift, AppError> {
        let row = shifts::find(&self.context.db, who.user, id).await?.ok_or(AppError::NotFound)?;
        if row.operator_id != who.user && !oversees(who) {
            return Err(AppError::NotFound);
        }
        Ok(shift_view(&self.context.db, row).await?)
    }

    async fn open_shift(&self, who: &Who, float: Fen) -> Result<(), AppError> {
        Ok(shifts::open(&self.context.db, &self.context.rng, self.context.now(), who, float).await?)
    }

    async fn close_shift(&self, who: &Who, id: ShiftId, counted: Fen, reason: &str) -> Result<(), AppError> {
        let now = self.context.now();
        Ok(shifts::close(&self.context.db, &self.context.rng, now, who, id, counted, reason).await?)
    }
}

/// Whether they see the shifts of other operators in their own buildings.
const fn oversees(who: &Who) -> bool {
    who.may(Permission::Approve) || who.may(Permission::Audit)
}

async fn shift_view(db: &Db, row: shifts::Shift) -> store::Result<Shift> {
    let takings: Vec<Takings> = shifts::takings(db, row.id).await?.into_iter().map(by_tender).collect();
    let cash = takings.iter().find(|takings| takings.tender == Tender::Cash);
    let now = row.float + cash.map_or(Fen::ZERO, |cash| cash.taken - cash.given);
    let end = row.closed_at.zip(row.counted);
    Ok(Shift {
        id: row.id,
        operator: row.operator_name,
        opened_at: row.opened_at,
        float: row.float,
        takings,
        expected: row.expected.unwrap_or(now),
        end: end.map(|(at, counted)| ShiftEnd { at, counted, reason: row.reason.unwrap_or_default() }),
    })
}

fn by_tender(row: shifts::Takings) -> Takings {
    Takings { tender: row.tender, sales: row.sales, taken: row.taken, payouts: row.payouts, given: row.given }
}
