//! An order whose payer takes another channel.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::OrderId;
use model::order::OrderState;
use model::time::Timestamp;

use super::{Inserted, NewOrder, Order, by_key, insert, record};
use crate::{Db, Result, on, payments};
use domain::order::Limits;
use domain::rng::Rng;

/// Gives up an order that waits for payment and stores another one in its place: the next queries close the attempts of the old
/// one at its channel; without any it is closed at once. Until then both wait, so one more may wait than the limit says. The same
/// key gives the same order back.
///
/// # Errors
/// [`AppError::OrderClosed`] where the old one does not wait for payment, otherwise as [`super::create`]; then
/// nothing is given up.
pub async fn replace(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder, old: OrderId) -> Result<Order> {
    // As a settlement does: its attempts before it, and it before the meter.
    let mut tx = payments::begin_locked(db, old).await?;
    let state: Option<(OrderState,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT state FROM orders WHERE id = $1").bind(old).fetch_optional(c).await)?;
    if state != Some((OrderState::Pending,)) {
        // The same choice, sent twice at once: the other was first and has closed it.
        return by_key(&mut tx, new).await?.ok_or_else(|| AppError::OrderClosed.into());
    }
    payments::give_up(&mut tx, at, old).await?;
    let max_pending = if limits.max_pending == 0 { 0 } else { limits.max_pending.saturating_add(1) };
    let limits = Limits { max_pending, ..*limits };
    let order = match insert(&mut tx, rng, at, &limits, new, OrderState::Pending).await? {
        Inserted::New(order) => {
            record(&mut tx, at, new, &order, AuditAction::OrderCreate).await?;
            order
        }
        Inserted::Before(order) => order,
    };
    payments::close_unpayable(&mut tx, at, old, "other_channel").await?;
    tx.commit().await?;
    Ok(order)
}
