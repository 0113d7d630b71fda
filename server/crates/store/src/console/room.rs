//! One room.

use model::ids::{MeterId, UserId};
use model::meter::Wallet;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Name, above, names, within};
use crate::{Db, Result, StoreError, read};

/// A meter, where it is, and the account on it.
#[derive(FromRow)]
pub struct RoomRow {
    #[sqlx(flatten)]
    name: Name,
    pub gateway_id: Uuid,
    /// The gateway's name.
    pub gateway: String,
    /// Its address on the bus.
    pub unit: i64,
    /// Its serial number.
    pub serial: String,
    pub profile: String,
    wallet: String,
    /// Seconds between two readings; `None`: as its gateway has it.
    pub sweep_interval_s: Option<i64>,
    /// The account on it.
    #[sqlx(flatten)]
    pub account: AccountRow,
}

impl RoomRow {
    /// Where it is.
    #[must_use]
    pub fn name(&self) -> model::console::RoomName {
        let Name { building, floor, room } = &self.name;
        model::console::RoomName { building: building.clone(), floor: floor.clone(), room: room.clone() }
    }

    /// Where its credit lives.
    ///
    /// # Errors
    /// Where the stored word is unknown.
    pub fn wallet(&self) -> Result<Wallet> {
        Wallet::parse(&self.wallet).ok_or(StoreError::Inconsistent { table: "meters", column: "wallet" })
    }
}

/// The account on a meter; all empty where there is none.
#[derive(FromRow)]
pub struct AccountRow {
    pub account_id: Option<Uuid>,
    pub number: Option<String>,
    /// A word of `AccountState`.
    pub state: Option<String>,
    pub opened_at: Option<i64>,
}

/// A room that the operator may see.
pub async fn room(db: &Db, operator: UserId, meter: MeterId) -> Result<Option<RoomRow>> {
    read!(db, |pool| {
        sqlx::query_as(concat!(
        "SELECT m.gateway_id, g.name AS gateway, m.unit, m.serial, m.profile, m.wallet, m.sweep_interval_s, a.id AS account_id, a.number, a.state, a.opened_at,",
        names!(),
        "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL LEFT JOIN accounts a ON a.id = am.account_id
         WHERE m.id = $2 AND m.retired_at IS NULL AND",
        within!()
    ))
    .bind(operator.0)
    .bind(meter.0)
    .fetch_optional(pool)
    .await
    })
}

/// Name and login of an account's residents.
pub async fn residents(db: &Db, account: Uuid) -> Result<Vec<(String, String)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT u.name, u.login FROM account_residents ar JOIN users u ON u.id = ar.user_id
         WHERE ar.account_id = $1 AND ar.to_at IS NULL ORDER BY ar.from_at, u.login"
    )
    .bind(account)
    .fetch_all(pool)
    .await)
}

/// A command of a meter and who decided it.
#[derive(FromRow)]
pub struct CommandRow {
    #[sqlx(flatten)]
    pub command: crate::commands::Command,
    pub by_name: Option<String>,
}

/// The newest commands of a meter.
pub async fn commands(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<CommandRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT c.id, c.meter_id, c.account_id, c.order_id, c.kind, c.args, c.money, c.priority, c.state, c.epoch, c.count,
                c.attempts, c.next_at, c.decided_at, c.sent_at, c.finished_at, c.result, c.note, u.name AS by_name
         FROM commands c LEFT JOIN users u ON u.id = c.decided_by
         WHERE c.meter_id = $1 ORDER BY c.decided_at DESC, c.id DESC LIMIT $2"
    )
    .bind(meter.0)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
