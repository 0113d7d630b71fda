//! Accounts that an operator may see, and the other meters of a room.

use model::console::OtherMeter;
use model::console::RoomName;
use model::ids::{AccountId, GatewayId, MeterId, UserId};
use model::meter::Wallet;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, read};

/// The account with this number, open or being opened, if the operator may see it.
pub async fn account_by_number(db: &Db, operator: UserId, number: &str) -> Result<Option<AccountId>> {
    let row: Option<(AccountId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT a.id FROM accounts a JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE a.number = $2 AND a.state IN ('opening', 'open') AND",
        within!()
    ))
    .bind(operator)
    .bind(number)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(id,)| id))
}

/// The room of an account, if the operator may see it.
pub async fn room_of_account(db: &Db, operator: UserId, account: AccountId) -> Result<Option<RoomName>> {
    let row: Option<Name> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        names!(),
        "FROM accounts a JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE a.id = $2 AND",
        within!()
    ))
    .bind(operator)
    .bind(account)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(RoomName::from))
}

#[derive(FromRow)]
struct OtherMeterRow {
    id: MeterId,
    serial: String,
    account_id: Option<AccountId>,
    wallet: Wallet,
}

/// The other meters of a meter's room: those of its account, and those without an account. The caller checks that the operator
/// may see the meter.
pub async fn other_meters(db: &Db, meter: MeterId, account: Option<AccountId>) -> Result<(Vec<OtherMeter>, Vec<OtherMeter>)> {
    let rows: Vec<OtherMeterRow> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id, m.serial, am.account_id, m.wallet FROM meters m
         JOIN meters here ON here.place_id = m.place_id AND here.id = $1 AND m.id <> here.id
         LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL
         WHERE m.retired_at IS NULL ORDER BY m.serial"
    )
    .bind(meter)
    .fetch_all(pool)
    .await)?;
    let (mut siblings, mut free) = (Vec::new(), Vec::new());
    for row in rows {
        let one = OtherMeter { meter: row.id, serial: row.serial };
        match row.account_id {
            of @ Some(_) if account == of => siblings.push(one),
            None if row.wallet != Wallet::None => free.push(one),
            _ => {}
        }
    }
    Ok((siblings, free))
}

/// The gateways that serve meters which the operator may see, by name.
pub async fn gateway_names(db: &Db, operator: UserId) -> Result<Vec<(GatewayId, String)>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT DISTINCT g.id, g.name FROM gateways g
         JOIN meters m ON m.gateway_id = g.id AND m.retired_at IS NULL JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE g.retired_at IS NULL AND",
        within!(),
        "ORDER BY g.name"
    ))
    .bind(operator)
    .fetch_all(pool)
    .await)
}
