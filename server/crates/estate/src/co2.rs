//! How much carbon dioxide reports count per energy: a setting of the site.

use model::audit::AuditAction;
use model::co2::Co2Factor;
use model::person::Who;
use model::time::Timestamp;

use store::audit;
use store::{Db, Result, StoreError, on, read};

/// The site's own factor; `None` where it has not set one.
pub async fn own_factor(db: &Db) -> Result<Option<Co2Factor>> {
    let row: Option<(Option<i64>,)> =
        read!(db, |pool| sqlx::query_as("SELECT co2_factor FROM site_settings WHERE one = 1").fetch_optional(pool).await)?;
    checked(row.and_then(|(steps,)| steps))
}

/// The factor that reports use.
pub async fn factor(db: &Db) -> Result<Co2Factor> {
    Ok(own_factor(db).await?.unwrap_or(Co2Factor::NATIONAL_2023))
}

fn checked(steps: Option<i64>) -> Result<Option<Co2Factor>> {
    let wrong = StoreError::Inconsistent { table: "site_settings", column: "co2_factor" };
    steps.map(|steps| Co2Factor::new(steps).ok_or(wrong)).transpose()
}

/// Sets the site's factor, or the national average with `None`, with its audit line in one transaction; nothing happens where it
/// is set already. The caller has checked the permission.
pub async fn set_factor(db: &Db, at: Timestamp, who: &Who, factor: Option<Co2Factor>) -> Result<()> {
    let mut tx = db.begin().await?;
    // The update locks the row, so that what it was is what it is changed from.
    let row: Option<(Option<i64>,)> =
        on!(&mut tx, |c| sqlx::query_as("UPDATE site_settings SET one = one RETURNING co2_factor").fetch_optional(c).await)?;
    let before = checked(row.and_then(|(steps,)| steps))?;
    if factor == before {
        return Ok(());
    }
    on!(&mut tx, |c| sqlx::query("UPDATE site_settings SET co2_factor = $1 WHERE one = 1").bind(factor).execute(c).await)?;
    let text = |factor: Option<Co2Factor>| factor.map(|factor| factor.to_string());
    let detail = serde_json::json!({ "co2_kg_per_kwh": { "before": text(before), "after": text(factor) } });
    audit::record(&mut tx, at, who, (AuditAction::SiteCo2Factor, "site"), &detail).await?;
    tx.commit().await
}
