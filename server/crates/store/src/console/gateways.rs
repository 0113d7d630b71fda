//! The gateways and the health of the meters behind them.

use model::console::GatewayLine;
use model::gateway::{SweepInterval, Trust};
use model::ids::{GatewayId, UserId};
use model::time::Timestamp;
use sqlx::FromRow;

use super::{above, within};
use crate::{Db, Result, read};
use domain::framing::Framing;

#[derive(FromRow)]
struct GatewayRow {
    id: GatewayId,
    name: String,
    host: String,
    port: i64,
    framing: Framing,
    sweep_interval_s: Option<i64>,
    tls_name: Option<String>,
    tls_pin: Option<String>,
    meters: i64,
    lost: i64,
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
}

/// The gateways with meters that the operator may see, counted over these. The caller adds the health of the gateway itself.
pub async fn gateways(db: &Db, operator: UserId) -> Result<Vec<GatewayLine>> {
    let rows: Vec<GatewayRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT g.id, g.name, g.host, g.port, g.framing, g.sweep_interval_s, g.tls_name, g.tls_pin, COUNT(m.id) AS meters,
                CAST(SUM(CASE WHEN l.lost_since IS NOT NULL OR l.observed_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS lost,
                MAX(l.observed_at) AS newest,
                MIN(CASE WHEN l.lost_since IS NULL THEN l.observed_at END) AS oldest
         FROM gateways g JOIN meters m ON m.gateway_id = g.id AND m.retired_at IS NULL
         LEFT JOIN meter_latest l ON l.meter_id = m.id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE g.retired_at IS NULL AND",
        within!(),
        "GROUP BY g.id, g.name, g.host, g.port, g.framing, g.sweep_interval_s, g.tls_name, g.tls_pin ORDER BY g.name"
    ))
    .bind(operator)
    .fetch_all(pool)
    .await)?;
    let lines = rows.into_iter().map(|row| GatewayLine {
        id: row.id,
        name: row.name,
        address: format!("{}:{}", row.host, row.port),
        trust: (row.framing == Framing::ModbusTls).then_some(Trust { name: row.tls_name, pin: row.tls_pin }),
        framing: row.framing.as_str().to_owned(),
        sweep: row.sweep_interval_s.and_then(SweepInterval::new),
        health: None,
        noise: None,
        meters: row.meters,
        lost: row.lost,
        newest: row.newest,
        oldest: row.oldest,
    });
    Ok(lines.collect())
}
