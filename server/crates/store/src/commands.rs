//! The outbox of meter commands: stored with the decision, claimed before the first byte, done when read back.

use model::ids::{AccountId, CommandId, MeterId, OrderId, UserId};
use model::order::CommandState;
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Db, Result, StoreError, Tx, on, read};

/// Priorities on a bus; the smallest goes first.
pub mod priority {
    pub const MONEY: i64 = 0;
    /// The relay: modes and the resident's switch.
    pub const RELAY: i64 = 1;
    pub const SETTINGS: i64 = 2;
    /// Somebody asked to see the meter.
    pub const READ: i64 = 3;
}

/// A command as it is decided.
#[derive(Clone, Debug)]
pub struct NewCommand {
    pub id: CommandId,
    /// To which meter.
    pub meter: MeterId,
    /// For which account, where it is about money.
    pub account: Option<AccountId>,
    /// For which order, where it delivers one.
    pub order: Option<OrderId>,
    /// Operation: `open`, `credit`, `debit`, `close`, `mode`, `switch`, ...
    pub kind: &'static str,
    /// The operation's fields as JSON.
    pub args: String,
    /// Whether it moves the purchase count or the epoch.
    pub money: bool,
    /// See [`priority`].
    pub priority: i64,
    /// Who decided; `None` for the system.
    pub by: Option<UserId>,
}

/// A stored command.
#[derive(Clone, Debug, FromRow)]
pub struct Command {
    /// [`CommandId`].
    pub id: Uuid,
    /// [`MeterId`].
    pub meter_id: Uuid,
    /// [`AccountId`].
    pub account_id: Option<Uuid>,
    /// [`OrderId`].
    pub order_id: Option<Uuid>,
    pub kind: String,
    /// Fields as JSON.
    pub args: String,
    /// Moves the purchase count or the epoch.
    pub money: bool,
    /// See [`priority`].
    pub priority: i64,
    /// A word of [`CommandState`].
    pub state: String,
    /// Epoch it is sent in, once claimed.
    pub epoch: Option<i64>,
    /// Purchase count it carries, once claimed.
    pub count: Option<i64>,
    /// How often it was sent.
    pub attempts: i64,
    pub next_at: i64,
    /// When it was decided.
    pub decided_at: i64,
    /// When it was first sent.
    pub sent_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// The meter's result code.
    pub result: Option<i64>,
    /// Why it stands where it stands.
    pub note: Option<String>,
}

impl Command {
    /// Where it stands.
    ///
    /// # Errors
    /// Where the stored word is unknown.
    pub fn state(&self) -> Result<CommandState> {
        CommandState::parse(&self.state).ok_or(StoreError::Inconsistent { table: "commands", column: "state" })
    }
}

/// Stores a command in the transaction of its decision. A relay wish that was not sent yet gives way to a newer one of its kind.
pub async fn enqueue(tx: &mut Tx, at: Timestamp, command: &NewCommand) -> Result<()> {
    if command.priority == priority::RELAY {
        on!(tx, |c| sqlx::query(
            "UPDATE commands SET state = 'superseded', finished_at = $1 WHERE meter_id = $2 AND kind = $3 AND state = 'queued'"
        )
        .bind(at.0)
        .bind(command.meter.0)
        .bind(command.kind)
        .execute(c)
        .await)?;
    }
    on!(tx, |c| {
        sqlx::query(
        "INSERT INTO commands (id, meter_id, account_id, order_id, kind, args, money, priority, state, next_at, decided_by, decided_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $10, $9)",
    )
    .bind(command.id.0)
    .bind(command.meter.0)
    .bind(command.account.map(|id| id.0))
    .bind(command.order.map(|id| id.0))
    .bind(command.kind)
    .bind(&command.args)
    .bind(command.money)
    .bind(command.priority)
    .bind(at.0)
    .bind(command.by.map(|id| id.0))
    .execute(c)
    .await
    })?;
    Ok(())
}

/// Takes back a command of which no frame was sent. Gives whether it could: the engine counts a try before its first byte leaves.
pub(super) async fn cancel_unsent(tx: &mut Tx, at: Timestamp, id: CommandId) -> Result<bool> {
    let cancelled = on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $2, note = $3
         WHERE id = $1 AND attempts = 0 AND state IN ('queued', 'sending')"
    )
    .bind(id.0)
    .bind(at.0)
    .bind(super::deliveries::note::CANCELLED)
    .execute(c)
    .await)?;
    Ok(cancelled == 1)
}

/// Takes back what was to bring an order into its meter. Gives whether nothing of it can arrive any more: no frame was sent, or the
/// meter refused the frame because it holds too much already.
pub(super) async fn take_back(tx: &mut Tx, at: Timestamp, order: OrderId) -> Result<bool> {
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $2, note = $3
         WHERE order_id = $1 AND ((state IN ('queued', 'sending') AND attempts = 0)
                                  OR (state = 'case' AND (attempts = 0 OR note LIKE '%\"why\":\"hoarding-limit\"%')))"
    )
    .bind(order.0)
    .bind(at.0)
    .bind(super::deliveries::note::REFUND)
    .execute(c)
    .await)?;
    let left: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM commands WHERE order_id = $1 AND state <> 'superseded'")
            .bind(order.0)
            .fetch_optional(c)
            .await)?;
    Ok(left.is_none())
}

/// Takes up again what [`take_back`] took back. Gives whether there was such a command.
pub(super) async fn send_after_all(tx: &mut Tx, at: Timestamp, order: OrderId) -> Result<bool> {
    let queued = on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'queued', epoch = NULL, count = NULL, next_at = $2, finished_at = NULL, result = NULL,
                             note = NULL
         WHERE order_id = $1 AND state = 'superseded' AND note = $3"
    )
    .bind(order.0)
    .bind(at.0)
    .bind(super::deliveries::note::REFUND)
    .execute(c)
    .await)?;
    Ok(queued == 1)
}

/// Commands that may move now, most urgent first: due, and no open delivery case on their meter.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Command>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, meter_id, account_id, order_id, kind, args, money, priority, state, epoch, count, attempts, next_at,
                decided_at, sent_at, finished_at, result, note
         FROM commands
         WHERE state IN ('queued', 'sending') AND next_at <= $1
           AND NOT (money AND EXISTS (SELECT 1 FROM cases WHERE cases.meter_id = commands.meter_id
                                      AND cases.kind = 'delivery' AND cases.closed_at IS NULL))
         ORDER BY priority, decided_at, id LIMIT $2",
    )
    .bind(now.0)
    .bind(limit)
    .fetch_all(pool)
    .await)
}

pub async fn find(db: &Db, id: CommandId) -> Result<Option<Command>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, meter_id, account_id, order_id, kind, args, money, priority, state, epoch, count, attempts, next_at,
                decided_at, sent_at, finished_at, result, note
         FROM commands WHERE id = $1",
    )
    .bind(id.0)
    .fetch_optional(pool)
    .await)
}

/// Raises and gives the meter's frame number, durable before the frame leaves.
///
/// # Errors
/// Where the database fails or the meter is unknown.
pub async fn next_frame_number(tx: &mut Tx, meter: MeterId) -> Result<u32> {
    let row: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("UPDATE meters SET frame_number = frame_number + 1 WHERE id = $1 RETURNING frame_number")
            .bind(meter.0)
            .fetch_optional(c)
            .await)?;
    row.and_then(|(number,)| u32::try_from(number).ok())
        .ok_or(StoreError::Inconsistent { table: "meters", column: "frame_number" })
}
