//! A room: its meter, account, residents, and commands.

use model::console::AccountState;
use model::ids::{AccountId, GatewayId, MeterId, ReturnId, UserId};
use model::meter::Wallet;
use model::time::Timestamp;
use sqlx::FromRow;

use store::commands::command_columns;
use store::console::{Name, above, names, within};
use store::{Db, Result, read};

/// A meter with its room and account.
#[derive(FromRow)]
pub struct RoomRow {
    #[sqlx(flatten)]
    name: Name,
    pub gateway_id: GatewayId,
    /// The gateway's name.
    pub gateway: String,
    /// Its address on the bus.
    pub unit: i64,
    /// Its serial number.
    pub serial: String,
    pub profile: String,
    pub wallet: Wallet,
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
        self.name.clone().into()
    }
}

/// The account on a meter; all `None` without an account.
#[derive(FromRow)]
pub struct AccountRow {
    pub account_id: Option<AccountId>,
    pub number: Option<String>,
    pub state: Option<AccountState>,
    pub opened_at: Option<Timestamp>,
}

/// A room that the operator may see.
pub async fn room(db: &Db, operator: UserId, meter: MeterId) -> Result<Option<RoomRow>> {
    read!(db, |pool| {
        sqlx::query_as(concat!(
        "SELECT m.gateway_id, g.name AS gateway, m.unit, m.serial, m.profile, m.wallet, m.sweep_interval_s, a.id AS account_id,
                a.number, a.state, a.opened_at,",
        names!(),
        "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL LEFT JOIN accounts a ON a.id = am.account_id
         WHERE m.id = $2 AND m.retired_at IS NULL AND",
        within!()
    ))
        .bind(operator)
        .bind(meter)
        .fetch_optional(pool)
        .await
    })
}

/// Name and login of an account's residents.
pub async fn residents(db: &Db, account: AccountId) -> Result<Vec<(String, String)>> {
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
    pub command: store::commands::Command,
    pub by_name: Option<String>,
    pub return_id: Option<ReturnId>,
}

/// The newest commands of a meter.
pub async fn commands(db: &Db, meter: MeterId, limit: i64) -> Result<Vec<CommandRow>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        command_columns!(),
        ", u.name AS by_name, (SELECT b.id FROM returns b WHERE b.command_id = c.id) AS return_id
         FROM commands c LEFT JOIN users u ON u.id = c.decided_by
         WHERE c.meter_id = $1 ORDER BY c.decided_at DESC, c.id DESC LIMIT $2"
    ))
    .bind(meter)
    .bind(limit)
    .fetch_all(pool)
    .await)
}
