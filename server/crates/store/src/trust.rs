//! Whom to trust at a gateway that speaks Modbus inside TLS.

use model::error::AppError;
use model::gateway::Trust;
use model::ids::GatewayId;
use model::person::Who;
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Db, Result, on};

/// Sets it, with its audit line in one transaction. Whether that person may is the caller's to know.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such gateway in service that speaks TLS.
pub async fn set(db: &Db, at: Timestamp, who: &Who, gateway: GatewayId, trust: &Trust) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = on!(&mut tx, |c| sqlx::query(
        "UPDATE gateways SET tls_name = $1, tls_pin = $2 WHERE id = $3 AND framing = 'modbus-tls' AND retired_at IS NULL"
    )
    .bind(&trust.name)
    .bind(&trust.pin)
    .bind(gateway.0)
    .execute(c)
    .await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    let (actor, subject) = (format!("user:{}", who.user), format!("gateway:{gateway}"));
    let detail = serde_json::json!({ "name": trust.name, "pin": trust.pin }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: "gateway.trust", subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
