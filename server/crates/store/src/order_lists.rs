//! Orders as residents look for them.

use crate::orders::order_columns;
use model::ids::{AccountId, OrderId, UserId};
use model::order::CommandState;
use model::time::Timestamp;
use sqlx::FromRow;

use super::orders::Order;
use super::payments::AttemptState;
use super::{Db, Result, Tx, on, read};

/// Whether a resident paid an order `o` from another room: they never had its account, or had left it before.
#[macro_export]
macro_rules! from_another_room {
    () => {
        " o.tender IN ('alipay', 'wechat', 'unionpay') AND NOT EXISTS (
              SELECT 1 FROM account_residents h WHERE h.account_id = o.account_id AND h.user_id = o.created_by
                     AND (h.to_at IS NULL OR h.to_at > o.created_at)) "
    };
}

/// An order, and how far its payment and its delivery are.
#[derive(Clone, Debug, FromRow)]
pub struct Progress {
    #[sqlx(flatten)]
    pub order: Order,
    /// State of its newest attempt.
    pub attempt_state: Option<AttemptState>,
    /// Whether something was told of one of its attempts that does not fit.
    pub held: bool,
    /// Until when it can be paid.
    pub expires_at: Option<Timestamp>,
    pub command_state: Option<CommandState>,
    /// How often the meter was told.
    pub command_attempts: Option<i64>,
    /// When it was told first.
    pub sent_at: Option<Timestamp>,
    /// When it will be told next.
    pub next_at: Option<Timestamp>,
    /// Why the delivery waits or failed.
    pub reason: Option<model::command::CommandReason>,
}

/// One order with its progress.
pub async fn progress(db: &Db, id: OrderId) -> Result<Option<Progress>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        order_columns!("o."),
        ", p.state AS attempt_state, p.expires_at, c.state AS command_state,
                EXISTS (SELECT 1 FROM payment_attempts h WHERE h.order_id = o.id AND h.state = 'held') AS held,
                c.attempts AS command_attempts, c.sent_at, c.next_at, c.reason
         FROM orders o
         LEFT JOIN payment_attempts p
           ON p.id = (SELECT id FROM payment_attempts WHERE order_id = o.id ORDER BY created_at DESC, id DESC LIMIT 1)
         LEFT JOIN commands c ON c.order_id = o.id
         WHERE o.id = $1"
    ))
    .bind(id.0)
    .fetch_optional(pool)
    .await)
}

/// How many orders of an account wait for payment beside one more of this person. Those of its residents and those of others are
/// counted apart, so that others, however many, do not keep a room from paying for itself.
pub(crate) async fn pending_beside(tx: &mut Tx, account: AccountId, by: UserId) -> Result<i64> {
    let pending: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT COUNT(*) FROM orders o WHERE o.account_id = $1 AND o.state = 'pending'
           AND (EXISTS (SELECT 1 FROM account_residents h
                        WHERE h.account_id = $1 AND h.user_id = o.created_by AND h.to_at IS NULL))
             = (EXISTS (SELECT 1 FROM account_residents h WHERE h.account_id = $1 AND h.user_id = $2 AND h.to_at IS NULL))"
    )
    .bind(account)
    .bind(by)
    .fetch_optional(c)
    .await)?;
    Ok(pending.map_or(0, |(count,)| count))
}
