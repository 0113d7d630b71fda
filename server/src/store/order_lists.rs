//! Orders as people look for them: a resident's own, and the operators' register with its totals.

use app::model::ids::{AccountId, OrderId, UserId, Uuid};
use app::model::order::{OrderState, Tender};
use app::model::time::Timestamp;
use sqlx::FromRow;

use super::orders::Order;
use super::{Db, Result, read};

/// An order, and how far its payment and its delivery are.
#[derive(Clone, Debug, FromRow)]
pub struct Progress {
    /// The order.
    #[sqlx(flatten)]
    pub order: Order,
    /// Whether money for it is held for a person: state of its newest attempt.
    pub attempt_state: Option<String>,
    /// Until when it can be paid.
    pub expires_at: Option<i64>,
    /// A word of `CommandState`.
    pub command_state: Option<String>,
    /// How often the meter was told.
    pub command_attempts: Option<i64>,
    /// When it was told first.
    pub sent_at: Option<i64>,
    /// When it will be told next.
    pub next_at: Option<i64>,
    /// Why the delivery stands where it stands.
    pub note: Option<String>,
}

/// One order with its progress.
///
/// # Errors
/// Where the database fails.
pub async fn progress(db: &Db, id: OrderId) -> Result<Option<Progress>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT o.id, o.number, o.account_id, o.meter_id, o.tender, o.amount_fen, o.state, o.created_by, o.created_at, o.paid_at,
                o.credited_at, o.count, o.remaining_fen, p.state AS attempt_state, p.expires_at, c.state AS command_state,
                c.attempts AS command_attempts, c.sent_at, c.next_at, c.note
         FROM orders o
         LEFT JOIN payment_attempts p
           ON p.id = (SELECT id FROM payment_attempts WHERE order_id = o.id ORDER BY created_at DESC, id DESC LIMIT 1)
         LEFT JOIN commands c ON c.order_id = o.id
         WHERE o.id = $1"
    )
    .bind(id.0)
    .fetch_optional(pool)
    .await)
}

/// The orders of an account, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn of_account(db: &Db, account: AccountId, limit: i64, offset: i64) -> Result<Vec<Order>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, number, account_id, meter_id, tender, amount_fen, state, created_by, created_at, paid_at, credited_at,
                count, remaining_fen
         FROM orders WHERE account_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
    )
    .bind(account.0)
    .bind(limit)
    .bind(offset)
    .fetch_all(pool)
    .await)
}

/// What operators look for; everything left out matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of the order number, the account number, or the name of room, unit or building.
    pub text: String,
    /// Where it stands.
    pub state: Option<OrderState>,
    /// How it is paid.
    pub tender: Option<Tender>,
    /// Asked at or after.
    pub from: Option<Timestamp>,
    /// Asked before.
    pub until: Option<Timestamp>,
}

/// A line of the operators' register.
#[derive(Clone, Debug, FromRow)]
pub struct Line {
    /// The order.
    #[sqlx(flatten)]
    pub order: Order,
    /// The account's number.
    pub account_number: String,
    /// The room.
    pub room: String,
    /// The node above the room: its unit or building.
    pub above: Option<String>,
    /// The node above that.
    pub top: Option<String>,
    /// Who asked.
    pub created_by_name: String,
}

/// What the whole filter holds, not only the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Totals {
    /// How many.
    pub orders: i64,
    /// Sum of what was paid, fen.
    pub paid_fen: i64,
    /// Sum of what is in the meters, fen.
    pub credited_fen: i64,
}

/// A page of the register as `viewer` may see it (an operator bound to buildings sees those only), newest first.
///
/// # Errors
/// Where the database fails.
pub async fn search(db: &Db, viewer: UserId, filter: &Filter, limit: i64, offset: i64) -> Result<(Vec<Line>, Totals)> {
    let terms = Terms::of(viewer, filter);
    let lines: Vec<Line> = read!(db, |pool| terms
        .bind_as(sqlx::query_as(
            "SELECT o.id, o.number, o.account_id, o.meter_id, o.tender, o.amount_fen, o.state, o.created_by, o.created_at,
                    o.paid_at, o.credited_at, o.count, o.remaining_fen, a.number AS account_number, r.name AS room,
                    b.name AS above, t.name AS top, u.name AS created_by_name
             FROM orders o JOIN accounts a ON a.id = o.account_id JOIN users u ON u.id = o.created_by
             JOIN places r ON r.id = a.place_id LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id
             WHERE (NOT EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1)
                    OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (r.id, b.id, t.id)))
               AND ($2 = '' OR CAST(o.number AS TEXT) LIKE $2 ESCAPE '!' OR a.number LIKE $2 ESCAPE '!'
                    OR r.name LIKE $2 ESCAPE '!' OR b.name LIKE $2 ESCAPE '!' OR t.name LIKE $2 ESCAPE '!')
               AND ($3 = '' OR o.state = $3) AND ($4 = '' OR o.tender = $4) AND o.created_at >= $5 AND o.created_at < $6
             ORDER BY o.created_at DESC, o.id DESC LIMIT $7 OFFSET $8"
        ))
        .bind(limit)
        .bind(offset)
        .fetch_all(pool)
        .await)?;
    let totals: Option<Totals> = read!(db, |pool| terms
        .bind_as(sqlx::query_as(
            "SELECT COUNT(*) AS orders,
                    CAST(COALESCE(SUM(CASE WHEN o.paid_at IS NULL THEN 0 ELSE o.amount_fen END), 0) AS BIGINT) AS paid_fen,
                    CAST(COALESCE(SUM(CASE WHEN o.credited_at IS NULL THEN 0 ELSE o.amount_fen END), 0) AS BIGINT) AS credited_fen
             FROM orders o JOIN accounts a ON a.id = o.account_id
             JOIN places r ON r.id = a.place_id LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id
             WHERE (NOT EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1)
                    OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (r.id, b.id, t.id)))
               AND ($2 = '' OR CAST(o.number AS TEXT) LIKE $2 ESCAPE '!' OR a.number LIKE $2 ESCAPE '!'
                    OR r.name LIKE $2 ESCAPE '!' OR b.name LIKE $2 ESCAPE '!' OR t.name LIKE $2 ESCAPE '!')
               AND ($3 = '' OR o.state = $3) AND ($4 = '' OR o.tender = $4) AND o.created_at >= $5 AND o.created_at < $6"
        ))
        .fetch_optional(pool)
        .await)?;
    Ok((lines, totals.unwrap_or_default()))
}

/// A filter as the six values that both statements bind.
struct Terms {
    viewer: Uuid,
    like: String,
    state: &'static str,
    tender: &'static str,
    from: i64,
    until: i64,
}

impl Terms {
    fn of(viewer: UserId, filter: &Filter) -> Self {
        let text = filter.text.trim();
        let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Self {
            viewer: viewer.0,
            like: if text.is_empty() { String::new() } else { format!("%{escaped}%") },
            state: filter.state.map_or("", OrderState::as_str),
            tender: filter.tender.map_or("", Tender::as_str),
            from: filter.from.map_or(i64::MIN, |at| at.0),
            until: filter.until.map_or(i64::MAX, |at| at.0),
        }
    }

    fn bind_as<'q, D: sqlx::Database, T>(
        &'q self,
        query: sqlx::query::QueryAs<'q, D, T, D::Arguments>,
    ) -> sqlx::query::QueryAs<'q, D, T, D::Arguments>
    where
        Uuid: sqlx::Encode<'q, D> + sqlx::Type<D>,
        &'q str: sqlx::Encode<'q, D> + sqlx::Type<D>,
        i64: sqlx::Encode<'q, D> + sqlx::Type<D>,
    {
        query.bind(self.viewer).bind(&*self.like).bind(self.state).bind(self.tender).bind(self.from).bind(self.until)
    }
}
