//! The meters, with their rooms, gateways and residents, and the search over them.

use model::console::{MeterLine, MeterQuery, Page};
use model::ids::{MeterId, UserId};
use model::meter::Latest;
use sqlx::FromRow;

use super::{Name, above, like, matches, names, within};
use crate::{Db, Result, read};

#[derive(FromRow)]
struct MeterListRow {
    id: MeterId,
    serial: String,
    unit: i64,
    gateway: String,
    residents: String,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

/// A page of meters, by place. The caller adds their newest state.
pub async fn meters(db: &Db, operator: UserId, query: &MeterQuery) -> Result<Page<MeterLine>> {
    let rows: Vec<MeterListRow> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH listed AS (
             SELECT meters.id, meters.serial, meters.unit, meters.place_id, gateways.name AS gateway, accounts.number,
                    (l.lost_since IS NOT NULL OR l.observed_at IS NULL) AS lost,
                    COALESCE((SELECT string_agg(users.name || ' ' || users.login, ', ') FROM account_residents
                              JOIN users ON users.id = account_residents.user_id
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
        matches!("m.serial || ' ' || m.gateway || ' ' || COALESCE(m.number, '') || ' ' || m.residents"),
        "AND (m.lost OR NOT $3)
         ORDER BY t.sort, b.sort, r.sort, m.unit, m.id LIMIT $4 OFFSET $5"
    ))
    .bind(operator)
    .bind(like(&query.text))
    .bind(query.lost)
    .bind(Page::<MeterLine>::SIZE)
    .bind(query.page * Page::<MeterLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let lines = rows.into_iter().map(|row| MeterLine {
        latest: Latest::unseen(row.id),
        room: row.name.into(),
        gateway: row.gateway,
        unit: row.unit,
        serial: row.serial,
        residents: row.residents,
    });
    Ok(Page { lines: lines.collect(), total })
}
