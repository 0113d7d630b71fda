//! The meters, with their rooms, gateways and residents, and the search over them.

use model::console::{AccountState, MeterLine, MeterQuery, Page, RoomName};
use model::ids::{AccountId, MeterId, PlaceId, UserId};
use model::meter::{Latest, Wallet};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, like, names, text_matches, within};
use store::{Db, Result, read};

#[derive(FromRow)]
pub(super) struct MeterListRow {
    id: MeterId,
    serial: String,
    unit: i64,
    gateway: String,
    residents: String,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

/// A meter that is or was in service.
#[derive(FromRow)]
pub struct MeterIdentity {
    #[sqlx(flatten)]
    name: Name,
    pub serial: String,
    pub retired_at: Option<Timestamp>,
}

impl MeterIdentity {
    /// Where it is or was.
    #[must_use]
    pub fn room(self) -> RoomName {
        self.name.into()
    }
}

/// A meter that the operator may see, in service or not.
pub async fn meter(db: &Db, operator: UserId, meter: MeterId) -> Result<Option<MeterIdentity>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.serial, m.retired_at,",
        names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.id = $2 AND",
        within!()
    ))
    .bind(operator)
    .bind(meter)
    .fetch_optional(pool)
    .await)
}

/// A meter in service and its account.
#[derive(FromRow)]
pub struct MeterFacts {
    pub id: MeterId,
    pub serial: String,
    pub unit: i64,
    pub profile: String,
    pub wallet: Wallet,
    /// The gateway's name.
    pub gateway: String,
    /// The account's number.
    pub number: Option<String>,
    pub residents: String,
}

/// Whether the text is a whole name or number of a meter or its place: what people quote whole they mean.
macro_rules! is_named {
    ($text:literal, $serial:literal, $number:literal) => {
        concat!(
            " (",
            $text,
            " <> '' AND LOWER(",
            $text,
            ") IN (LOWER(r.name), LOWER(COALESCE(b.name, '')), LOWER(COALESCE(t.name, '')), LOWER(",
            $serial,
            "), COALESCE(",
            $number,
            ", ''))) "
        )
    };
}
pub(super) use is_named;

/// The names of who lives in the account `a`, as `p.names`.
macro_rules! residents {
    () => {
        " LEFT JOIN (SELECT ar.account_id, string_agg(u.name, ', ' ORDER BY ar.from_at, u.login) AS names
                    FROM account_residents ar JOIN users u ON u.id = ar.user_id
                    WHERE ar.to_at IS NULL GROUP BY ar.account_id) p ON p.account_id = a.id "
    };
}

/// All meters in service that the operator may see.
pub async fn meter_facts(db: &Db, operator: UserId) -> Result<Vec<MeterFacts>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.serial, m.unit, m.profile, m.wallet, g.name AS gateway, a.number, COALESCE(p.names, '') AS residents
         FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL
         LEFT JOIN accounts a ON a.id = am.account_id",
        residents!(),
        "WHERE m.retired_at IS NULL AND",
        within!()
    ))
    .bind(operator)
    .fetch_all(pool)
    .await)
}

/// A meter in service, and the account of its room that is not closed.
#[derive(Clone, Debug, FromRow)]
pub struct MeterOfRoom {
    pub id: MeterId,
    pub place_id: PlaceId,
    pub wallet: Wallet,
    pub account_id: Option<AccountId>,
    pub number: Option<String>,
    pub state: Option<AccountState>,
    pub residents: String,
}

/// All meters in service that the operator may see, with the accounts of their rooms.
pub async fn meters_of_rooms(db: &Db, operator: UserId) -> Result<Vec<MeterOfRoom>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.place_id, m.wallet, a.id AS account_id, a.number, a.state, COALESCE(p.names, '') AS residents
         FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN accounts a ON a.place_id = m.place_id AND a.closed_at IS NULL",
        residents!(),
        "WHERE m.retired_at IS NULL AND",
        within!()
    ))
    .bind(operator)
    .fetch_all(pool)
    .await)
}

/// A page of meters, by place; those that the text names whole come first. The caller adds their newest state.
pub async fn meters(db: &Db, operator: UserId, query: &MeterQuery) -> Result<Page<MeterLine>> {
    let rows: Vec<MeterListRow> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH listed AS (
             SELECT meters.id, meters.serial, meters.unit, meters.place_id, gateways.name AS gateway, accounts.number,
                    (l.lost_since IS NOT NULL OR l.observed_at IS NULL) AS lost,
                    COALESCE((SELECT string_agg(users.name || ' ' || users.login, ', ' ORDER BY from_at, users.login)
                              FROM account_residents JOIN users ON users.id = account_residents.user_id
                              WHERE account_id = accounts.id AND to_at IS NULL), '') AS residents
             FROM meters JOIN gateways ON gateways.id = meters.gateway_id
             LEFT JOIN meter_latest l ON l.meter_id = meters.id
             LEFT JOIN account_meters am ON am.meter_id = meters.id AND am.to_at IS NULL
             LEFT JOIN accounts ON accounts.id = am.account_id
             WHERE meters.retired_at IS NULL)
         SELECT m.id, m.serial, m.unit, m.gateway, m.residents, COUNT(*) OVER () AS total,",
        names!(),
        "FROM listed m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE",
        within!(),
        "AND",
        text_matches!("m.serial || ' ' || m.gateway || ' ' || COALESCE(m.number, '') || ' ' || m.residents"),
        "AND (m.lost OR NOT $3) ORDER BY ",
        is_named!("$6", "m.serial", "m.number"),
        "DESC, t.sort, b.sort, r.sort, m.unit, m.id LIMIT $4 OFFSET $5"
    ))
    .bind(operator)
    .bind(like(&query.text))
    .bind(query.lost)
    .bind(Page::<MeterLine>::SIZE)
    .bind(query.page * Page::<MeterLine>::SIZE)
    .bind(query.text.trim())
    .fetch_all(pool)
    .await)?;
    Ok(page(rows))
}

pub(super) fn page(rows: Vec<MeterListRow>) -> Page<MeterLine> {
    let total = rows.first().map_or(0, |row| row.total);
    Page { lines: rows.into_iter().map(line).collect(), total }
}

pub(super) fn line(row: MeterListRow) -> MeterLine {
    MeterLine {
        latest: Latest::unseen(row.id),
        room: row.name.into(),
        gateway: row.gateway,
        unit: row.unit,
        serial: row.serial,
        residents: row.residents,
    }
}
