//! Shifts, as the till asks for them.

use app::api::till::{Shift, ShiftEnd, Shifts, Takings};
use model::error::AppError;
use model::ids::ShiftId;
use model::money::Fen;
use model::order::Tender;
use model::person::{Role, Who};
use model::time::Timestamp;

use super::Till;
use store::shifts;
use store::{Result, StoreError};

/// Shifts on the page.
const RECENT: i64 = 30;

pub(super) async fn shifts(till: &Till, who: &Who) -> std::result::Result<Shifts, AppError> {
    let own = shifts::recent(&till.db, Some(who.user), 1).await?;
    let all = if who.role == Role::Admin { None } else { Some(who.user) };
    let mut recent = Vec::new();
    for row in shifts::recent(&till.db, all, RECENT).await? {
        recent.push(told(till, row).await?);
    }
    let closed = own.first().is_some_and(|row| row.closed_at.is_some());
    let open = match own.into_iter().next().filter(|row| row.closed_at.is_none()) {
        Some(row) => Some(told(till, row).await?),
        None => None,
    };
    Ok(Shifts { open, closed, recent })
}

/// One's own shift; an administrator's are all.
pub(super) async fn shift(till: &Till, who: &Who, id: ShiftId) -> std::result::Result<Shift, AppError> {
    let row = shifts::find(&till.db, id).await?.ok_or(AppError::NotFound)?;
    if row.operator_id != who.user.0 && who.role != Role::Admin {
        return Err(AppError::NotFound);
    }
    Ok(told(till, row).await?)
}

async fn told(till: &Till, row: shifts::Shift) -> Result<Shift> {
    let takings: Vec<Takings> = shifts::takings(&till.db, row.id()).await?.into_iter().map(by_tender).collect::<Result<_>>()?;
    let cash = takings.iter().find(|takings| takings.tender == Tender::Cash);
    let now = Fen(row.float_fen) + cash.map_or(Fen::ZERO, |cash| cash.taken - cash.given);
    let end = row.closed_at.zip(row.counted_fen).map(|(at, counted)| ShiftEnd {
        at: Timestamp(at),
        counted: Fen(counted),
        reason: row.reason.clone().unwrap_or_default(),
    });
    Ok(Shift {
        id: row.id(),
        operator: row.operator_name,
        opened_at: Timestamp(row.opened_at),
        float: Fen(row.float_fen),
        takings,
        expected: row.expected_fen.map_or(now, Fen),
        end,
    })
}

fn by_tender(row: shifts::Takings) -> Result<Takings> {
    Ok(Takings {
        tender: Tender::parse(&row.tender).ok_or(StoreError::Inconsistent { table: "orders", column: "tender" })?,
        sales: row.sales,
        taken: Fen(row.taken_fen),
        payouts: row.payouts,
        given: Fen(row.given_fen),
    })
}
