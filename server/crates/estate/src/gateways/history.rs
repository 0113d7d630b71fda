//! What has become of gateways: when they were lost, what people changed, and which are retired.

use model::console::{GatewayChange, GatewayLoss};
use model::ids::GatewayId;
use model::time::Timestamp;

use store::{Db, Result, read};

/// The most lines of a gateway's history.
const HISTORY: i64 = 50;

/// When a gateway was lost, the newest first.
pub async fn losses(db: &Db, gateway: GatewayId) -> Result<Vec<GatewayLoss>> {
    let rows: Vec<(Timestamp, Option<Timestamp>)> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT since, until_at FROM events WHERE gateway_id = $1 AND kind = 'gateway-lost' ORDER BY since DESC, id DESC LIMIT $2"
    )
    .bind(gateway)
    .bind(HISTORY)
    .fetch_all(pool)
    .await
    })?;
    Ok(rows.into_iter().map(|(since, until)| GatewayLoss { since, until }).collect())
}

macro_rules! changes_with {
    ($id:literal) => {
        concat!(
            "SELECT a.at, COALESCE(u.name, a.actor), a.action, a.detail
             FROM audit a LEFT JOIN users u ON a.actor = 'user:' || ",
            $id,
            " WHERE a.subject = $1 ORDER BY a.seq DESC LIMIT $2"
        )
    };
}

/// What people changed about a gateway, the newest first.
pub async fn changes(db: &Db, gateway: GatewayId) -> Result<Vec<GatewayChange>> {
    let sql = match db {
        Db::Sqlite { .. } => changes_with!("LOWER(HEX(u.id))"),
        Db::Postgres { .. } => changes_with!("REPLACE(CAST(u.id AS TEXT), '-', '')"),
    };
    let rows: Vec<(Timestamp, String, String, String)> =
        read!(db, |pool| sqlx::query_as(sql).bind(format!("gateway:{gateway}")).bind(HISTORY).fetch_all(pool).await)?;
    let change = |(at, by, action, detail): (Timestamp, String, String, String)| {
        let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
        let text = |key: &str| detail.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        GatewayChange { at, by, action, from: text("from"), to: text("to"), reason: text("reason") }
    };
    Ok(rows.into_iter().map(change).collect())
}

/// Gateways that are retired: id, name and since when; the newest first.
pub async fn retired(db: &Db) -> Result<Vec<(GatewayId, String, Timestamp)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, name, retired_at FROM gateways WHERE retired_at IS NOT NULL ORDER BY retired_at DESC LIMIT $1"
    )
    .bind(HISTORY)
    .fetch_all(pool)
    .await)
}
