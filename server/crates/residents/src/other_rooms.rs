//! Paying for another room: whether the site allows it, and the rooms that a resident may mean.

use model::ids::{AccountId, MeterId, OrderId, UserId};
use sqlx::FromRow;
use store::{Db, Result, from_another_room, read};

/// Rooms of one name on a site, with their residents, that are looked at.
const MOST: i64 = 500;

/// A room with one of its residents, as somebody else needs it to pay.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PayableRoom {
    pub account_id: AccountId,
    /// The first of the account's meters, which top-ups go to.
    pub meter_id: MeterId,
    /// From the building inwards.
    pub place: String,
    pub resident_id: UserId,
    /// The name of the resident.
    pub resident: String,
}

/// [`PayableRoom`]; the condition follows.
macro_rules! payable_rooms {
    () => {
        "SELECT a.id AS account_id, am.meter_id,
                COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name AS place,
                u.id AS resident_id, u.name AS resident
         FROM accounts a
         JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         JOIN account_residents ar ON ar.account_id = a.id AND ar.to_at IS NULL
         JOIN users u ON u.id = ar.user_id
         JOIN account_meters am ON am.account_id = a.id AND am.to_at IS NULL
              AND am.meter_id = (SELECT f.meter_id FROM account_meters f WHERE f.account_id = a.id AND f.to_at IS NULL
                                 ORDER BY f.from_at, f.meter_id LIMIT 1)
         WHERE a.closed_at IS NULL AND a.state = 'open' AND "
    };
}

/// What a room `r` in `p` in `t` may be called, in the form of [`domain::other_room::comparable`]: its name alone, after what it
/// is in, or as people write it short, `3-301` in 3号楼, also with the building before it.
macro_rules! room_names {
    () => {
        " (LOWER(REPLACE(r.name, ' ', '')), LOWER(REPLACE(COALESCE(p.name, '') || r.name, ' ', '')),
           LOWER(REPLACE(COALESCE(t.name, '') || r.name, ' ', '')),
           LOWER(REPLACE(COALESCE(t.name, '') || COALESCE(p.name, '') || r.name, ' ', '')),
           LOWER(REPLACE(COALESCE(REPLACE(COALESCE(t.name, p.name), '号楼', '') || '-', '') || r.name, ' ', '')),
           LOWER(REPLACE(COALESCE(COALESCE(t.name, p.name) || REPLACE(COALESCE(t.name, p.name), '号楼', '') || '-', '')
                         || r.name, ' ', ''))) "
    };
}
pub(crate) use room_names;

/// Rooms of that name, alone or with what it is in, once for each resident. `name` has the form of
/// [`domain::other_room::comparable`].
pub async fn named(db: &Db, name: &str) -> Result<Vec<PayableRoom>> {
    read!(db, |pool| sqlx::query_as(concat!(payable_rooms!(), "LOWER($1) IN", room_names!(), "ORDER BY a.id, u.id LIMIT $2"))
        .bind(name)
        .bind(MOST)
        .fetch_all(pool)
        .await)
}

/// The room of a resident, where it takes top-ups.
pub async fn of_resident(db: &Db, resident: UserId) -> Result<Option<PayableRoom>> {
    read!(db, |pool| sqlx::query_as(concat!(payable_rooms!(), "u.id = $1 ORDER BY a.id LIMIT 1"))
        .bind(resident)
        .fetch_optional(pool)
        .await)
}

/// The place of the room that an order is for, where this person paid it from another room.
pub async fn paid_for(db: &Db, payer: UserId, order: OrderId) -> Result<Option<String>> {
    let row: Option<(String,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name
         FROM orders o JOIN accounts a ON a.id = o.account_id JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         WHERE o.id = $1 AND o.created_by = $2 AND",
        from_another_room!()
    ))
    .bind(order)
    .bind(payer)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(place,)| place))
}

/// The name of the resident of another room who made an order; `None` where a resident of its own room did, or an operator.
pub async fn paid_by(db: &Db, order: OrderId) -> Result<Option<String>> {
    let row: Option<(String,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT u.name FROM orders o JOIN users u ON u.id = o.created_by AND u.role = 'resident' WHERE o.id = $1 AND",
        from_another_room!()
    ))
    .bind(order)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(name,)| name))
}
