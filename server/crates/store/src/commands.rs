//! The outbox of meter commands: stored with the decision, claimed before the first byte, done when read back.

use model::command::{CommandKind, CommandPriority, CommandReason};
use model::ids::{AccountId, CommandId, MeterId, OrderId, UserId};
use model::order::CommandState;
use model::time::Timestamp;
use sqlx::FromRow;

use super::json_text::JsonText;
use super::one_trip::OneTrip;
use super::{Db, Result, StoreError, Tx, on, read};
use domain::command_args::{CommandArgs, StoredArgs};

/// A command as it is decided.
#[derive(Clone, Debug)]
pub struct NewCommand {
    pub id: CommandId,
    pub meter: MeterId,
    /// Where it moves money.
    pub account: Option<AccountId>,
    /// Where it delivers one.
    pub order: Option<OrderId>,
    pub args: CommandArgs,
    /// `None` for the system.
    pub by: Option<UserId>,
}

impl NewCommand {
    /// A command that moves no money.
    #[must_use]
    pub const fn setting(id: CommandId, meter: MeterId, args: CommandArgs, by: Option<UserId>) -> Self {
        Self { id, meter, account: None, order: None, args, by }
    }
}

/// A stored command.
#[derive(Clone, Debug, FromRow)]
pub struct Command {
    pub id: CommandId,
    pub meter_id: MeterId,
    pub account_id: Option<AccountId>,
    pub order_id: Option<OrderId>,
    pub kind: CommandKind,
    args: JsonText<StoredArgs>,
    /// Whether it changes the purchase count or the key epoch.
    pub money: bool,
    pub priority: CommandPriority,
    pub state: CommandState,
    /// The key epoch that it is sent in, once claimed.
    pub epoch: Option<i64>,
    /// The purchase count that it makes, once claimed.
    pub count: Option<i64>,
    /// How often it was sent.
    pub attempts: i64,
    pub next_at: Timestamp,
    pub decided_at: Timestamp,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The meter's result code.
    pub result: Option<i64>,
    pub reason: Option<CommandReason>,
}

impl Command {
    /// `None` where this version cannot read them.
    #[must_use]
    pub const fn args(&self) -> Option<&CommandArgs> {
        self.args.0.readable()
    }
}

/// The columns of [`Command`], of the table or alias `c`.
#[macro_export]
macro_rules! command_columns {
    () => {
        " c.id, c.meter_id, c.account_id, c.order_id, c.kind, c.args, c.money, c.priority, c.state, c.epoch, c.count, c.attempts,
          c.next_at, c.decided_at, c.sent_at, c.finished_at, c.result, c.reason "
    };
}

/// Commands that may move now, of the alias `c` and with the instant in `$1`: due, and no money where a delivery case is open.
macro_rules! may_move {
    () => {
        " c.state IN ('queued', 'sending') AND c.next_at <= $1
          AND NOT (c.money AND EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = c.meter_id AND k.kind = 'delivery'
                                       AND k.closed_at IS NULL)) "
    };
}

pub use crate::command_columns;
pub(crate) use may_move;

/// Stores a command in the transaction of its decision. A relay command that was not sent yet
/// gives way to a newer one of its kind.
pub async fn enqueue(tx: &mut Tx, at: Timestamp, command: &NewCommand) -> Result<()> {
    let kind = command.args.kind();
    if kind.priority() == CommandPriority::Relay {
        on!(tx, |c| sqlx::query(
            "UPDATE commands SET state = 'superseded', finished_at = $1 WHERE meter_id = $2 AND kind = $3 AND state = 'queued'"
        )
        .bind(at)
        .bind(command.meter)
        .bind(kind)
        .execute(c)
        .await)?;
    }
    let mut trip = OneTrip::of(tx);
    add_command(&mut trip, at, command);
    trip.run(tx).await?;
    Ok(())
}

/// Stores a command that no other one gives way to, as one statement of several.
pub(super) fn add_command(trip: &mut OneTrip, at: Timestamp, command: &NewCommand) {
    let kind = command.args.kind();
    trip.write(
        "INSERT INTO commands (id, meter_id, account_id, order_id, kind, args, relay_closed, money, priority, state, next_at,
                               decided_by, decided_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11, $10 WHERE TRUE",
    )
    .bind(command.id)
    .bind(command.meter)
    .bind(command.account)
    .bind(command.order)
    .bind(kind)
    .bind(JsonText(&command.args))
    .bind(command.args.relay_closed())
    .bind(kind.moves_money())
    .bind(kind.priority())
    .bind(at)
    .bind(command.by);
}

/// Cancels a command of which no frame was sent. Gives whether it could: the engine
/// counts an attempt before its first byte leaves.
pub(super) async fn cancel_unsent(tx: &mut Tx, at: Timestamp, id: CommandId) -> Result<bool> {
    let cancelled = on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $2, reason = 'cancelled'
         WHERE id = $1 AND attempts = 0 AND state IN ('queued', 'sending')"
    )
    .bind(id)
    .bind(at)
    .execute(c)
    .await)?;
    Ok(cancelled == 1)
}

/// Withdraws the command that delivers an order, so that its money can be refunded. Gives whether nothing of it can arrive any
/// more: no frame was sent, or the meter refused the frame because it holds too much already.
pub(super) async fn take_back(tx: &mut Tx, at: Timestamp, order: OrderId) -> Result<bool> {
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $2, reason = 'refund'
         WHERE order_id = $1 AND ((state IN ('queued', 'sending') AND attempts = 0)
                                  OR (state = 'case' AND (attempts = 0 OR reason = 'hoarding-limit')))"
    )
    .bind(order)
    .bind(at)
    .execute(c)
    .await)?;
    let left: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM commands WHERE order_id = $1 AND state <> 'superseded'")
            .bind(order)
            .fetch_optional(c)
            .await)?;
    Ok(left.is_none())
}

/// Queues again what [`take_back`] withdrew. Gives whether there was such a command.
pub(super) async fn send_after_all(tx: &mut Tx, at: Timestamp, order: OrderId) -> Result<bool> {
    let queued = on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'queued', epoch = NULL, count = NULL, next_at = $2, finished_at = NULL, result = NULL,
                             reason = NULL
         WHERE order_id = $1 AND state = 'superseded' AND reason = 'refund'"
    )
    .bind(order)
    .bind(at)
    .execute(c)
    .await)?;
    Ok(queued == 1)
}

/// Commands that may move now, most urgent first.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Command>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        command_columns!(),
        "FROM commands c WHERE",
        may_move!(),
        "ORDER BY c.priority, c.decided_at, c.id LIMIT $2"
    ))
    .bind(now)
    .bind(limit)
    .fetch_all(pool)
    .await)
}

pub async fn find(db: &Db, id: CommandId) -> Result<Option<Command>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", command_columns!(), "FROM commands c WHERE c.id = $1"))
        .bind(id)
        .fetch_optional(pool)
        .await)
}

/// The same in the caller's transaction.
pub async fn find_in(tx: &mut Tx, id: CommandId) -> Result<Option<Command>> {
    on!(tx, |c| sqlx::query_as(concat!("SELECT", command_columns!(), "FROM commands c WHERE c.id = $1"))
        .bind(id)
        .fetch_optional(c)
        .await)
}

/// Increments and returns the meter's frame number, durable before the frame leaves.
pub async fn next_frame_number(tx: &mut Tx, meter: MeterId) -> Result<u32> {
    let row: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("UPDATE meters SET frame_number = frame_number + 1 WHERE id = $1 RETURNING frame_number")
            .bind(meter)
            .fetch_optional(c)
            .await)?;
    row.and_then(|(number,)| u32::try_from(number).ok())
        .ok_or(StoreError::Inconsistent { table: "meters", column: "frame_number" })
}
