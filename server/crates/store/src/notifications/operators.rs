//! What operators choose to be told.

use model::ids::UserId;
use model::language::Lang;
use model::notification::{AlertDelivery, NotificationKind, OperatorAlerts, QuietHours};
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::alerts::record;
use crate::{Db, Result, Tx, on, read};
use model::audit::AuditAction;

#[derive(FromRow)]
struct AlertsRow {
    gateway_lost: AlertDelivery,
    delivery_stuck: AlertDelivery,
    payment_mismatch: AlertDelivery,
    certificate_expiring: AlertDelivery,
    alarm: AlertDelivery,
    digest_hour: i64,
    quiet_from: i64,
    quiet_until: i64,
}

/// What an operator wants to be told; the usual where they have not chosen.
pub async fn operator_alerts(db: &Db, user: UserId) -> Result<OperatorAlerts> {
    let row: Option<AlertsRow> = read!(db, |pool| sqlx::query_as(
        "SELECT gateway_lost, delivery_stuck, payment_mismatch, certificate_expiring, alarm, digest_hour, quiet_from,
                quiet_until
         FROM operator_alerts WHERE user_id = $1"
    )
    .bind(user)
    .fetch_optional(pool)
    .await)?;
    let Some(row) = row else { return Ok(OperatorAlerts::default()) };
    let hour = |stored: i64| u8::try_from(stored).unwrap_or_default();
    Ok(OperatorAlerts {
        gateway_lost: row.gateway_lost,
        delivery_stuck: row.delivery_stuck,
        payment_mismatch: row.payment_mismatch,
        certificate_expiring: row.certificate_expiring,
        alarm: row.alarm,
        digest_hour: hour(row.digest_hour),
        quiet: QuietHours::new(hour(row.quiet_from), hour(row.quiet_until)).unwrap_or_default(),
    })
}

/// Sets what an operator wants to be told, and in which language.
pub async fn set_operator_alerts(db: &Db, at: Timestamp, who: &Who, chosen: &OperatorAlerts, language: Lang) -> Result<()> {
    let mut tx = db.begin().await?;
    store_operator_alerts(&mut tx, who.user, Some(chosen), language).await?;
    let told_by = |delivery: AlertDelivery| {
        NotificationKind::OF_OPERATORS.into_iter().filter(|kind| chosen.delivery(*kind) == Some(delivery)).collect::<Vec<_>>()
    };
    let QuietHours { from, until } = chosen.quiet;
    let detail: Value = json!({
        "alerts": told_by(AlertDelivery::AtOnce), "digest_of": told_by(AlertDelivery::Digest),
        "digest_hour": format!("{:02}:00", chosen.digest_hour), "quiet_hours": format!("{from:02}:00-{until:02}:00"),
    });
    record(&mut tx, at, who, AuditAction::AlertPreferences, &detail).await?;
    tx.commit().await
}

/// `None` keeps what was chosen, or stores the usual.
pub(super) async fn store_operator_alerts(
    tx: &mut Tx,
    user: UserId,
    chosen: Option<&OperatorAlerts>,
    language: Lang,
) -> Result<()> {
    const KEEP: &str = "INSERT INTO operator_alerts
         (user_id, language, gateway_lost, delivery_stuck, payment_mismatch, certificate_expiring, alarm, digest_hour,
          quiet_from, quiet_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (user_id) DO UPDATE SET language = excluded.language";
    const REPLACE: &str = "INSERT INTO operator_alerts
         (user_id, language, gateway_lost, delivery_stuck, payment_mismatch, certificate_expiring, alarm, digest_hour,
          quiet_from, quiet_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (user_id) DO UPDATE SET language = excluded.language,
             gateway_lost = excluded.gateway_lost, delivery_stuck = excluded.delivery_stuck,
             payment_mismatch = excluded.payment_mismatch, certificate_expiring = excluded.certificate_expiring,
             alarm = excluded.alarm, digest_hour = excluded.digest_hour, quiet_from = excluded.quiet_from,
             quiet_until = excluded.quiet_until";
    let (sql, alerts) = chosen.map_or_else(|| (KEEP, OperatorAlerts::default()), |chosen| (REPLACE, *chosen));
    on!(tx, |c| sqlx::query(sql)
        .bind(user)
        .bind(language.tag())
        .bind(alerts.gateway_lost)
        .bind(alerts.delivery_stuck)
        .bind(alerts.payment_mismatch)
        .bind(alerts.certificate_expiring)
        .bind(alerts.alarm)
        .bind(i64::from(alerts.digest_hour))
        .bind(i64::from(alerts.quiet.from))
        .bind(i64::from(alerts.quiet.until))
        .execute(c)
        .await)?;
    Ok(())
}
