//! The certificate that is trusted at a Modbus/TLS gateway.

use model::audit::AuditAction;
use model::error::AppError;
use model::gateway::Trust;
use model::ids::GatewayId;
use model::person::Who;
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Db, Result, on};

/// Sets it, with its audit line in one transaction. The caller has checked the permission.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a gateway that is not in service or not of Modbus/TLS.
pub async fn set(db: &Db, at: Timestamp, who: &Who, gateway: GatewayId, trust: &Trust) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = on!(&mut tx, |c| sqlx::query(
        "UPDATE gateways SET tls_name = $1, tls_pin = $2 WHERE id = $3 AND framing = 'modbus-tls' AND retired_at IS NULL"
    )
    .bind(&trust.name)
    .bind(&trust.pin)
    .bind(gateway)
    .execute(c)
    .await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    let (actor, subject) = (format!("user:{}", who.user), format!("gateway:{gateway}"));
    let detail = serde_json::json!({ "name": trust.name, "pin": trust.pin }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::GatewayTrust, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
