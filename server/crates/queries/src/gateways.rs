//! The gateways and the health of the meters behind them.

use model::console::GatewayLine;
use model::gateway::{Dialling, SweepInterval, Trust};
use model::ids::UserId;
use model::time::Timestamp;
use sqlx::FromRow;

use domain::framing::Framing;
use store::console::{above, within};
use store::meters::{GatewayRow, gateway_columns};
use store::{Db, Result, read};

#[derive(FromRow)]
struct CountedGateway {
    #[sqlx(flatten)]
    row: GatewayRow,
    meters: i64,
    lost: i64,
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
}

/// The gateways with meters that the operator may see, counted over these, and for operators of the whole site those without
/// meters. The caller adds the health of the gateway itself.
pub async fn gateways(db: &Db, operator: UserId) -> Result<Vec<GatewayLine>> {
    let rows: Vec<CountedGateway> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH counted AS (
             SELECT m.gateway_id, COUNT(m.id) AS meters,
                    CAST(SUM(CASE WHEN l.lost_since IS NOT NULL OR l.observed_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS lost,
                    MAX(l.observed_at) AS newest,
                    MIN(CASE WHEN l.lost_since IS NULL THEN l.observed_at END) AS oldest
             FROM meters m LEFT JOIN meter_latest l ON l.meter_id = m.id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.retired_at IS NULL AND",
        within!(),
        "GROUP BY m.gateway_id)
         SELECT",
        gateway_columns!(),
        ", COALESCE(meters, 0) AS meters, COALESCE(lost, 0) AS lost, newest, oldest
         FROM gateways LEFT JOIN counted ON counted.gateway_id = gateways.id
         WHERE retired_at IS NULL
           AND (meters IS NOT NULL OR ((SELECT all_buildings FROM users WHERE id = $1)
                AND NOT EXISTS (SELECT 1 FROM meters m WHERE m.gateway_id = gateways.id AND m.retired_at IS NULL)))
         ORDER BY name"
    ))
    .bind(operator)
    .fetch_all(pool)
    .await)?;
    rows.into_iter()
        .map(|CountedGateway { row, meters, lost, newest, oldest }| {
            let reach = row.reach()?;
            Ok(GatewayLine {
                id: row.id,
                address: reach.to_string(),
                is_dial_in: matches!(reach, Dialling::DialIn { .. }),
                name: row.name,
                code: row.code,
                trust: (row.framing == Framing::ModbusTls).then_some(Trust { name: row.tls_name, pin: row.tls_pin }),
                framing: row.framing,
                sweep: row.sweep_interval_s.and_then(SweepInterval::new),
                health: None,
                noise: None,
                round_ms: None,
                meters,
                lost,
                newest,
                oldest,
            })
        })
        .collect()
}
