//! Closures for the console.

use model::console::ClosingKind;
use model::energy::Energy;
use model::ids::{AccountId, BatchId, ClosingId, CommandId, MeterId, OrderId, ReturnId, UserId, Uuid};
use model::issue::Issue;
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, ReturnState, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

use store::{Db, JsonText, Result, read};

#[derive(FromRow)]
struct Row {
    id: ClosingId,
    kind: ClosingKind,
    account_id: AccountId,
    number: String,
    tender: Option<Tender>,
    to_account_id: Option<AccountId>,
    to_number: Option<String>,
    to_meter_id: Option<MeterId>,
    reason: String,
    by_name: String,
    begun_at: Timestamp,
    read_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    return_id: Option<ReturnId>,
    return_state: Option<ReturnState>,
    order_id: Option<OrderId>,
    order_state: Option<OrderState>,
    withdrawn_by: Option<String>,
    arrived: bool,
}

/// A closure with its meters.
#[derive(Clone, Debug)]
pub struct ClosingRow {
    pub id: ClosingId,
    pub kind: ClosingKind,
    pub account: AccountId,
    pub number: String,
    /// How the balance is paid out, if at the cash desk.
    pub tender: Option<Tender>,
    /// The account to which the balance goes, with its number.
    pub to_account: Option<(AccountId, String)>,
    /// The meter to which the balance goes.
    pub to_meter: Option<MeterId>,
    pub reason: String,
    pub by: String,
    pub begun_at: Timestamp,
    /// When the last of its meters was read.
    pub read_at: Option<Timestamp>,
    /// When the balance arrived.
    pub ended_at: Option<Timestamp>,
    /// The return of the balance.
    pub returned: Option<(ReturnId, ReturnState)>,
    /// The order that transfers the balance.
    pub carried: Option<(OrderId, OrderState)>,
    pub meters: Vec<ClosingMeterRow>,
    pub withdrawn_by: Option<String>,
    /// Whether the account in the new room is in use.
    pub arrived: bool,
    /// The settings sent to a new meter.
    pub settings: Vec<ClosingSettingRow>,
}

/// A setting that a new meter took over from the old one.
#[derive(Clone, Debug)]
pub struct ClosingSettingRow {
    /// The batch that sends it.
    pub batch: BatchId,
    pub issue: Issue,
    pub state: CommandState,
}

/// A meter of a closure.
#[derive(Clone, Debug)]
pub struct ClosingMeterRow {
    pub meter: MeterId,
    pub serial: String,
    /// Whether the credit is in the meter.
    pub own_wallet: bool,
    /// State of its `close` command.
    pub command_state: Option<CommandState>,
    /// Why that waits or failed.
    pub reason: Option<model::command::CommandReason>,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// Since when nothing readable came from the meter.
    pub lost_since: Option<Timestamp>,
    /// Whether it answers, but cannot be read.
    pub unreadable: bool,
    /// When its final reading was stored.
    pub final_at: Option<Timestamp>,
    /// The balance of its final reading.
    pub left: Option<Fen>,
    /// The amount written off; negative if the meter was overdrawn.
    pub written_off: Option<Money>,
    /// The final counter.
    pub total: Option<Energy>,
    /// Who entered the values, and how they are known.
    pub counted: Option<(String, String)>,
}

#[derive(FromRow)]
struct MeterRow {
    meter_id: MeterId,
    serial: String,
    command_id: Option<CommandId>,
    command_state: Option<CommandState>,
    reason: Option<model::command::CommandReason>,
    sent_at: Option<i64>,
    lost_since: Option<i64>,
    unreadable: bool,
    final_at: Option<i64>,
    final_fen: Option<i64>,
    written_off_e4: Option<i64>,
    final_wh: Option<i64>,
    counted_name: Option<String>,
    said: Option<String>,
}

pub async fn closing(db: &Db, id: ClosingId) -> Result<Option<ClosingRow>> {
    let row: Option<Row> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT c.id, c.kind, c.account_id, a.number, c.tender, c.to_account_id, t.number AS to_number, c.to_meter_id, c.reason,
                u.name AS by_name, c.begun_at, c.read_at, c.ended_at, c.return_id, r.state AS return_state, c.order_id,
                o.state AS order_state, b.name AS withdrawn_by,
                COALESCE(c.kind = 'move' AND (t.state <> 'opening' OR EXISTS (SELECT 1 FROM orders x WHERE x.account_id = t.id)
                    OR EXISTS (SELECT 1 FROM commands x WHERE x.account_id = t.id AND x.attempts > 0)), FALSE) AS arrived
         FROM account_closures c JOIN accounts a ON a.id = c.account_id LEFT JOIN accounts t ON t.id = c.to_account_id
              JOIN users u ON u.id = c.begun_by LEFT JOIN returns r ON r.id = c.return_id LEFT JOIN orders o ON o.id = c.order_id
              LEFT JOIN users b ON b.id = c.withdrawn_by
         WHERE c.id = $1"
    )
    .bind(id)
    .fetch_optional(pool)
    .await
    })?;
    let Some(row) = row else { return Ok(None) };
    let meters: Vec<MeterRow> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT cm.meter_id, m.serial, cm.command_id, x.state AS command_state, x.reason, x.sent_at, l.lost_since,
                COALESCE(l.unreadable, FALSE) AS unreadable, cm.final_at, cm.final_fen, cm.written_off_e4, cm.final_wh,
                u.name AS counted_name, cm.reason AS said
         FROM account_closure_meters cm JOIN meters m ON m.id = cm.meter_id LEFT JOIN commands x ON x.id = cm.command_id
              LEFT JOIN meter_latest l ON l.meter_id = m.id LEFT JOIN users u ON u.id = cm.counted_by
         WHERE cm.closure_id = $1 ORDER BY cm.id",
        )
        .bind(id)
        .fetch_all(pool)
        .await
    })?;
    // The transaction that ended the closure has decided them.
    let settings: Vec<SettingRow> = read!(db, |pool| sqlx::query_as(
        "SELECT b.id, b.issue, x.state FROM account_closures c
              JOIN commands x ON x.meter_id = c.to_meter_id AND x.decided_at = c.ended_at AND x.kind <> 'in_force'
              JOIN batches b ON b.id = x.batch_id AND b.decided_at = c.ended_at
         WHERE c.id = $1 AND c.kind = 'replace' ORDER BY b.id"
    )
    .bind(id)
    .fetch_all(pool)
    .await)?;
    row.view(meters, settings).map(Some)
}

#[derive(FromRow)]
struct SettingRow {
    id: BatchId,
    issue: JsonText<Issue>,
    state: CommandState,
}

impl SettingRow {
    fn view(self) -> ClosingSettingRow {
        ClosingSettingRow { batch: self.id, issue: self.issue.0, state: self.state }
    }
}

impl Row {
    fn view(self, meters: Vec<MeterRow>, settings: Vec<SettingRow>) -> Result<ClosingRow> {
        Ok(ClosingRow {
            id: self.id,
            kind: self.kind,
            account: self.account_id,
            number: self.number,
            tender: self.tender,
            to_account: self.to_account_id.zip(self.to_number),
            to_meter: self.to_meter_id,
            reason: self.reason,
            by: self.by_name,
            begun_at: self.begun_at,
            read_at: self.read_at,
            ended_at: self.ended_at,
            returned: self.return_id.zip(self.return_state),
            carried: self.order_id.zip(self.order_state),
            meters: meters.into_iter().map(MeterRow::view).collect(),
            withdrawn_by: self.withdrawn_by,
            arrived: self.arrived,
            settings: settings.into_iter().map(SettingRow::view).collect(),
        })
    }
}

impl MeterRow {
    fn view(self) -> ClosingMeterRow {
        ClosingMeterRow {
            meter: self.meter_id,
            serial: self.serial,
            own_wallet: self.command_id.is_some(),
            command_state: self.command_state,
            reason: self.reason,
            sent_at: self.sent_at.map(Timestamp),
            lost_since: self.lost_since.map(Timestamp),
            unreadable: self.unreadable,
            final_at: self.final_at.map(Timestamp),
            left: self.final_fen.map(Fen),
            written_off: self.written_off_e4.map(Money),
            total: self.final_wh.map(Energy),
            counted: self.counted_name.zip(self.said),
        }
    }
}

/// The closure of a meter that this person began with that idempotency key, whatever has become of it and of the meter since.
pub async fn closing_begun_with(db: &Db, by: UserId, key: Uuid, meter: MeterId) -> Result<Option<(ClosingId, ClosingKind)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT c.id, c.kind FROM account_closures c JOIN account_closure_meters m ON m.closure_id = c.id
         WHERE c.key = $1 AND c.begun_by = $2 AND m.meter_id = $3"
    )
    .bind(key)
    .bind(by)
    .bind(meter)
    .fetch_optional(pool)
    .await)
}

/// The newest open closure that the meter leaves an account with or receives the balance of.
pub async fn closing_of_meter(db: &Db, meter: MeterId) -> Result<Option<ClosingId>> {
    let row: Option<(ClosingId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT id FROM account_closures WHERE ended_at IS NULL
           AND (to_meter_id = $1 OR id IN (SELECT closure_id FROM account_closure_meters WHERE meter_id = $1))
         ORDER BY begun_at DESC, id DESC LIMIT 1"
    )
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(id,)| id))
}
