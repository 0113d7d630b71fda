//! Until when the certificates are valid that gateways showed at their last connection inside TLS.

use model::ids::GatewayId;
use model::time::Timestamp;

use store::{Db, Result, on, read};

/// A gateway's name, and until when its certificate is valid.
pub type GatewayCertificate = (String, Timestamp);

/// Stores what gateways have shown since the start, and gives it with what was shown before. An expired certificate is refused,
/// so only what is stored tells of it after a restart. A pinned certificate is trusted whatever its dates, and not among them.
pub async fn certificates(db: &Db, shown: &[(GatewayId, Timestamp)]) -> Result<Vec<GatewayCertificate>> {
    let rows: Vec<(GatewayId, String, Option<Timestamp>)> = read!(db, |pool| sqlx::query_as(
        "SELECT g.id, g.name, c.until_at FROM gateways g LEFT JOIN gateway_certificates c ON c.gateway_id = g.id
         WHERE g.retired_at IS NULL AND g.framing = 'modbus-tls' AND g.tls_pin IS NULL ORDER BY g.name"
    )
    .fetch_all(pool)
    .await)?;
    let (mut found, mut changed) = (Vec::new(), Vec::new());
    for (id, name, stored) in rows {
        let shown = shown.iter().find(|(gateway, _)| *gateway == id).map(|(_, until)| *until);
        changed.extend(shown.filter(|until| stored != Some(*until)).map(|until| (id, until)));
        found.extend(shown.or(stored).map(|until| (name, until)));
    }
    if !changed.is_empty() {
        let mut tx = db.begin().await?;
        for (gateway, until) in changed {
            on!(&mut tx, |c| sqlx::query(
                "INSERT INTO gateway_certificates (gateway_id, until_at) VALUES ($1, $2)
                 ON CONFLICT (gateway_id) DO UPDATE SET until_at = excluded.until_at"
            )
            .bind(gateway)
            .bind(until)
            .execute(c)
            .await)?;
        }
        tx.commit().await?;
    }
    Ok(found)
}
