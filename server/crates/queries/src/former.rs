//! Closed accounts and meters out of service, as people look for them: by number and serial number.

use model::console::{AccountState, FormerAccount, FormerMeter, RetiredMeterAccount, RoomName};
use model::ids::{AccountId, ClosingId, MeterId, PlaceId, UserId};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, like, names, within};
use store::{Db, Result, read};

/// Accounts or meters that one text finds.
const MOST: i64 = 20;
/// Shorter texts name rooms.
const LEAST: usize = 4;

/// Whether a text can be part of an account's number or of a serial number.
fn is_number(text: &str) -> bool {
    (LEAST..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[derive(FromRow)]
struct AccountRow {
    id: AccountId,
    number: String,
    closed_at: Option<Timestamp>,
    closing: Option<ClosingId>,
    #[sqlx(flatten)]
    name: Name,
}

/// Closed accounts in whose number the text occurs, newest first.
pub async fn former_accounts(db: &Db, operator: UserId, text: &str) -> Result<Vec<FormerAccount>> {
    let text = text.trim();
    if !is_number(text) {
        return Ok(Vec::new());
    }
    let rows: Vec<AccountRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT a.id, a.number, a.closed_at,
                (SELECT c.id FROM account_closures c WHERE c.account_id = a.id ORDER BY c.begun_at DESC, c.id DESC LIMIT 1)
                AS closing,",
        names!(),
        "FROM accounts a JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE a.closed_at IS NOT NULL AND LOWER(a.number) LIKE LOWER($2) ESCAPE '!' AND",
        within!(),
        "ORDER BY a.closed_at DESC, a.id LIMIT $3"
    ))
    .bind(operator)
    .bind(like(text))
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let found = |row: AccountRow| FormerAccount {
        id: row.id,
        number: row.number,
        room: row.name.into(),
        closed_at: row.closed_at,
        closing: row.closing,
    };
    Ok(rows.into_iter().map(found).collect())
}

#[derive(FromRow)]
struct MeterRow {
    id: MeterId,
    serial: String,
    retired_at: Timestamp,
    #[sqlx(flatten)]
    name: Name,
}

/// Meters out of service in whose serial number the text occurs, newest first.
pub async fn former_meters(db: &Db, operator: UserId, text: &str) -> Result<Vec<FormerMeter>> {
    let text = text.trim();
    if !is_number(text) {
        return Ok(Vec::new());
    }
    let rows: Vec<MeterRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.serial, m.retired_at,",
        names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.retired_at IS NOT NULL AND LOWER(m.serial) LIKE LOWER($2) ESCAPE '!' AND",
        within!(),
        "ORDER BY m.retired_at DESC, m.id LIMIT $3"
    ))
    .bind(operator)
    .bind(like(text))
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let found = |row: MeterRow| FormerMeter { id: row.id, serial: row.serial, room: row.name.into(), retired_at: row.retired_at };
    Ok(rows.into_iter().map(found).collect())
}

/// A meter out of service.
#[derive(FromRow)]
pub struct RetiredMeterRow {
    #[sqlx(flatten)]
    name: Name,
    pub place_id: PlaceId,
    pub serial: String,
    pub profile: String,
    /// The gateway's name.
    pub gateway: String,
    pub retired_at: Timestamp,
    /// Who took it out of service.
    pub by_name: Option<String>,
    /// The meter that came in its place.
    pub new_id: Option<MeterId>,
    pub new_serial: Option<String>,
    /// The first meter in service in its room.
    pub in_room: Option<MeterId>,
}

impl RetiredMeterRow {
    /// Where it was.
    #[must_use]
    pub fn room(&self) -> RoomName {
        self.name.clone().into()
    }
}

/// A meter out of service that the operator may see. The meter in its place is the one that its account's replacement names, or
/// the one that was added to the room at that instant.
pub async fn retired_meter(db: &Db, operator: UserId, meter: MeterId) -> Result<Option<RetiredMeterRow>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.place_id, m.serial, m.profile, g.name AS gateway, m.retired_at, u.name AS by_name, n.id AS new_id,
                n.serial AS new_serial,
                (SELECT s.id FROM meters s WHERE s.place_id = m.place_id AND s.retired_at IS NULL ORDER BY s.unit, s.id LIMIT 1)
                AS in_room,",
        names!(),
        "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN meters n ON n.id = COALESCE(
             (SELECT c.to_meter_id FROM account_closure_meters l JOIN account_closures c ON c.id = l.closure_id
              WHERE l.meter_id = m.id AND c.kind = 'replace' AND c.to_meter_id IS NOT NULL
              ORDER BY c.begun_at DESC LIMIT 1),
             (SELECT s.id FROM meters s WHERE s.place_id = m.place_id AND s.created_at = m.retired_at LIMIT 1))
         LEFT JOIN users u ON u.id = (SELECT c.begun_by FROM account_closure_meters l
              JOIN account_closures c ON c.id = l.closure_id
              WHERE l.meter_id = m.id AND c.kind = 'replace' AND c.to_meter_id IS NOT NULL
              ORDER BY c.begun_at DESC LIMIT 1)
         WHERE m.id = $2 AND m.retired_at IS NOT NULL AND",
        within!()
    ))
    .bind(operator)
    .bind(meter)
    .fetch_optional(pool)
    .await)
}

/// Who took a meter out of service, alone or for another one, by the audit log; `None` where no person did.
pub async fn retired_by(db: &Db, meter: MeterId, new: Option<MeterId>) -> Result<Option<String>> {
    let other = new.map_or_else(String::new, |new| format!("meter:{new}"));
    let line: Option<(String,)> = read!(db, |pool| sqlx::query_as(
        "SELECT actor FROM audit
         WHERE (subject = $1 AND action = 'meter.retire') OR (subject = $2 AND action = 'meter.swap')
         ORDER BY seq DESC LIMIT 1"
    )
    .bind(format!("meter:{meter}"))
    .bind(&other)
    .fetch_optional(pool)
    .await)?;
    let person: Option<UserId> = line.and_then(|(actor,)| actor.strip_prefix("user:")?.parse().ok());
    let Some(person) = person else { return Ok(None) };
    let sql = "SELECT name FROM users WHERE id = $1";
    let name: Option<(String,)> = read!(db, |pool| sqlx::query_as(sql).bind(person).fetch_optional(pool).await)?;
    Ok(name.map(|(name,)| name))
}

#[derive(FromRow)]
struct HeldAccountRow {
    number: String,
    state: AccountState,
    from_at: Timestamp,
    to_at: Option<Timestamp>,
    closing: Option<ClosingId>,
}

/// The accounts that a meter had, newest first. The caller has checked who asks.
pub async fn accounts_of_meter(db: &Db, meter: MeterId) -> Result<Vec<RetiredMeterAccount>> {
    let rows: Vec<HeldAccountRow> = read!(db, |pool| sqlx::query_as(
        "SELECT a.number, a.state, am.from_at, am.to_at,
                (SELECT c.id FROM account_closures c JOIN account_closure_meters l ON l.closure_id = c.id
                 WHERE c.account_id = a.id AND l.meter_id = am.meter_id ORDER BY c.begun_at DESC, c.id DESC LIMIT 1) AS closing
         FROM account_meters am JOIN accounts a ON a.id = am.account_id
         WHERE am.meter_id = $1 ORDER BY am.from_at DESC LIMIT $2"
    )
    .bind(meter)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let account = |row: HeldAccountRow| RetiredMeterAccount {
        number: row.number,
        state: row.state,
        from: row.from_at,
        until: row.to_at,
        closing: row.closing,
    };
    Ok(rows.into_iter().map(account).collect())
}
