//! The state that a request is made on.

use model::approval::{Basis, Decision};
use model::error::AppError;
use model::ids::{AccountId, MeterId, OrderId, PlaceGroupId, PlaceId};
use model::money::Fen;
use model::subsidy::{Month, Per};
use model::time::Timestamp;
use uuid::Uuid;

use super::{RequestRow, meter};
use crate::{Result, StoreError, Tx, on, prices, refunds, subsidies};
use domain::meter_state::StateBlock;
use domain::subsidy::Rule;

/// What a decision is about, as it is now.
pub(super) struct Ground {
    pub(super) basis: Basis,
    /// What it gives away or writes off; of a subsidy in a month.
    pub(super) amount: Fen,
    /// Whose buildings it is in; `None`: of the whole site.
    pub(super) place: Option<PlaceId>,
    /// The account that is open on the meter by the books.
    pub(super) account: Option<AccountId>,
}

impl Ground {
    const fn of(basis: Basis, amount: Fen, place: Option<PlaceId>) -> Self {
        Self { basis, amount, place, account: None }
    }
}

/// # Errors
/// Refused with [`AppError::NotFound`] for what is not there, and with [`AppError::Conflict`] where there is nothing to do.
pub(super) async fn ground(tx: &mut Tx, decision: &Decision, seen: Option<&StateBlock>) -> Result<Ground> {
    match decision {
        Decision::Subsidy { place, from, per, amount } => {
            let rule = Rule { place: *place, from: *from, per: *per, amount: *amount };
            let (rooms, residents) = subsidies::recipients(tx, *place).await?;
            let basis = Basis::Subsidy { before: rule_before(tx, *place, *from).await?, rooms };
            Ok(Ground::of(basis, rule.in_a_month(rooms, residents), Some(*place)))
        }
        Decision::Prices { plan, effective_at, .. } => {
            if let Some(planned) = effective_at
                && prices::begins_at(tx, plan, *planned).await?
            {
                return Err(AppError::Conflict.into());
            }
            let basis = Basis::Prices { newest: prices::newest(tx, plan).await? };
            Ok(Ground::of(basis, Fen::ZERO, None))
        }
        Decision::PricePlace { place, plan } => {
            let basis = price_place(tx, *place, *plan).await?;
            Ok(Ground::of(basis, Fen::ZERO, Some(*place)))
        }
        Decision::PriceGroup { group, plan } => {
            let basis = price_group(tx, *group, *plan).await?;
            Ok(Ground::of(basis, Fen::ZERO, None))
        }
        Decision::WriteOff { order } => {
            let place = place_of_order(tx, *order).await?;
            let left = refunds::left_to_write_off(tx, *order).await?;
            if left <= Fen::ZERO {
                return Err(AppError::Conflict.into());
            }
            Ok(Ground::of(Basis::WriteOff { left }, left, Some(place)))
        }
        Decision::CloseForeign { meter } | Decision::Adjustment { meter } => {
            let seen = seen.ok_or(AppError::Internal)?;
            let place = place_of_meter(tx, *meter).await?;
            let account = meter::possible(tx, decision.kind(), *meter, seen).await?;
            let (basis, amount) = meter::basis(decision.kind(), account.as_ref(), seen);
            Ok(Ground { basis, amount, place: Some(place), account: account.map(|account| account.account_id) })
        }
    }
}

/// Whether everything is as it was when the request was made.
///
/// # Errors
/// Refused with what has changed.
pub(super) async fn unchanged(tx: &mut Tx, at: Timestamp, row: &RequestRow, seen: Option<&StateBlock>) -> Result<()> {
    let decision = &row.args.0;
    let stale = match decision {
        Decision::Subsidy { .. } => AppError::StaleSubsidy,
        Decision::Prices { .. } | Decision::PricePlace { .. } | Decision::PriceGroup { .. } => AppError::StalePrices,
        Decision::WriteOff { .. } => AppError::StaleAmount,
        Decision::CloseForeign { .. } | Decision::Adjustment { .. } => AppError::StaleMeter,
    };
    // Prices do not begin in the past.
    if matches!(decision, Decision::Prices { effective_at: Some(planned), .. } if *planned < at) {
        return Err(stale.into());
    }
    match ground(tx, decision, seen).await {
        Ok(now) if now.basis == row.basis.0 => Ok(()),
        Ok(_) => Err(stale.into()),
        Err(StoreError::Refused(AppError::Conflict)) => Err(stale.into()),
        Err(error) => Err(error),
    }
}

async fn rule_before(tx: &mut Tx, place: PlaceId, month: Month) -> Result<Option<(Month, Per, Fen)>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT from_month, per, amount_fen FROM subsidy_rules WHERE place_id = $1 AND from_month <= $2
         ORDER BY from_month DESC LIMIT 1"
    )
    .bind(place)
    .bind(month)
    .fetch_optional(c)
    .await)
}

async fn price_place(tx: &mut Tx, place: PlaceId, plan: Uuid) -> Result<Basis> {
    let newest = newest_of(tx, plan).await?;
    let before: Option<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT plan_id FROM price_places WHERE place_id = $1 ORDER BY from_at DESC LIMIT 1")
            .bind(place)
            .fetch_optional(c)
            .await)?;
    Ok(Basis::PricePlace { before: before.map(|(plan,)| plan), newest })
}

async fn price_group(tx: &mut Tx, group: PlaceGroupId, plan: Option<Uuid>) -> Result<Basis> {
    // The update locks the group, so that its places stay what they are.
    let found = on!(tx, |c| sqlx::query("UPDATE place_groups SET name = name WHERE id = $1").bind(group).execute(c).await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    let newest = match plan {
        Some(plan) => {
            prices::require_places(tx, group).await?;
            newest_of(tx, plan).await?
        }
        None => {
            prices_remain(tx, group).await?;
            None
        }
    };
    Ok(Basis::PricePlace { before: prices::plan_of_group(tx, group).await?, newest })
}

/// Refuses to leave a place of a group without any prices: a server wallet cannot be charged there.
///
/// # Errors
/// [`AppError::NoPrices`].
async fn prices_remain(tx: &mut Tx, group: PlaceGroupId) -> Result<()> {
    let without: Option<(PlaceId,)> = on!(tx, |c| {
        sqlx::query_as(
        "SELECT r.id FROM place_group_members m JOIN places r ON r.id = m.place_id
           LEFT JOIN places a ON a.id = r.parent_id LEFT JOIN places b ON b.id = a.parent_id
           LEFT JOIN places c ON c.id = b.parent_id
         WHERE m.group_id = $1 AND NOT EXISTS (SELECT 1 FROM price_places p WHERE p.place_id IN (r.id, a.id, b.id, c.id)) LIMIT 1"
    )
    .bind(group)
    .fetch_optional(c)
    .await
    })?;
    if without.is_none() { Ok(()) } else { Err(AppError::NoPrices.into()) }
}

/// The number of the newest version of a plan that is there.
async fn newest_of(tx: &mut Tx, plan: Uuid) -> Result<Option<i64>> {
    let name: Option<(String,)> =
        on!(tx, |c| sqlx::query_as("SELECT name FROM price_plans WHERE id = $1").bind(plan).fetch_optional(c).await)?;
    prices::newest(tx, &name.ok_or(AppError::NotFound)?.0).await
}

async fn place_of_order(tx: &mut Tx, order: OrderId) -> Result<PlaceId> {
    let row: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT m.place_id FROM orders o JOIN meters m ON m.id = o.meter_id WHERE o.id = $1")
            .bind(order)
            .fetch_optional(c)
            .await)?;
    row.map(|(place,)| place).ok_or_else(|| AppError::NotFound.into())
}

async fn place_of_meter(tx: &mut Tx, meter: MeterId) -> Result<PlaceId> {
    let row: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id FROM meters WHERE id = $1 AND retired_at IS NULL AND wallet = 'meter'")
            .bind(meter)
            .fetch_optional(c)
            .await)?;
    row.map(|(place,)| place).ok_or_else(|| AppError::NotFound.into())
}
