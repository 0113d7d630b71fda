//! Sweep intervals of gateways and meters. A meter without one is read as its gateway is, else as the default parameters of its
//! room say, else as the configuration says.

use model::audit::AuditAction;
use model::error::AppError;
use model::gateway::{Sweep, SweepInterval};
use model::person::Who;
use model::time::Timestamp;

use store::audit::{self, Entry};
use store::{Db, Result, on};

/// Sets an interval, or removes it so that the level above applies, with its audit line in one transaction. The caller has
/// checked the permission.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a gateway or meter that is not in service.
pub async fn set(db: &Db, at: Timestamp, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<()> {
    let (text, id, subject) = match of {
        Sweep::Gateway(id) => {
            ("UPDATE gateways SET sweep_interval_s = $1 WHERE id = $2 AND retired_at IS NULL", id.0, format!("gateway:{id}"))
        }
        Sweep::Meter(id) => {
            ("UPDATE meters SET sweep_interval_s = $1 WHERE id = $2 AND retired_at IS NULL", id.0, format!("meter:{id}"))
        }
    };
    let seconds = interval.map(|interval| i64::from(interval.seconds()));
    let mut tx = db.begin().await?;
    let found = on!(&mut tx, |c| sqlx::query(text).bind(seconds).bind(id).execute(c).await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    let detail = serde_json::json!({ "seconds": seconds }).to_string();
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::SweepInterval,
        subject: &subject,
        detail: &detail,
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
