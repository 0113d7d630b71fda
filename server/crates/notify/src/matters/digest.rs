//! Digests of the day: whose is due, and what is open for them.

use model::ids::UserId;
use model::notification::NotificationKind;
use model::time::Timestamp;
use store::console::above;
use store::{Db, Result, read, silenced};

use super::{MOST, Operator};

/// Addresses of operators whose digest is due at these hours of the day and was not asked for since that midnight; the list
/// continues behind `after`.
pub async fn digests_due(db: &Db, midnight: Timestamp, hours: &[u8], after: Option<&Operator>) -> Result<Vec<Operator>> {
    let (first, last) = (hours.first().copied().unwrap_or(1), hours.last().copied().unwrap_or(0));
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        operator_columns!(),
        "FROM (SELECT 1) AS one",
        operators!(),
        "WHERE p.digest_hour BETWEEN $1 AND $2
           AND NOT EXISTS (
               SELECT 1 FROM notifications n
               WHERE n.kind = 'digest' AND n.channel = d.channel AND n.user_id = d.user_id AND n.asked_at >= $3)
           AND ($5 IS NULL OR (d.user_id, d.channel, d.address) > ($5, $6, $7))
         ORDER BY d.user_id, d.channel, d.address LIMIT $4"
    ))
    .bind(i64::from(first))
    .bind(i64::from(last))
    .bind(midnight)
    .bind(MOST)
    .bind(after.map(|last| last.user_id))
    .bind(after.map(|last| last.channel))
    .bind(after.map(|last| last.address.as_str()))
    .fetch_all(pool)
    .await)
}

/// How much is open of each kind that an operator wants to hear of, at once or in the digest, and not silenced now.
pub async fn open_counts(db: &Db, user: UserId, now: Timestamp) -> Result<Vec<(NotificationKind, i64)>> {
    let counts: Vec<(NotificationKind, i64)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT 'gateway-lost' AS kind, COUNT(*) AS open FROM",
        lost_gateways!(),
        "JOIN users u ON u.id = $1 JOIN operator_alerts p ON p.user_id = u.id AND p.gateway_lost <> 'off'
         WHERE",
        is_lost!(),
        "AND",
        sees_gateway!(),
        "AND NOT",
        silenced!("e.gateway_id", "$2"),
        "UNION ALL
         SELECT 'alarm', COUNT(*) FROM",
        of_alarm!(),
        "JOIN users u ON u.id = $1 JOIN operator_alerts p ON p.user_id = u.id AND p.alarm <> 'off'
         WHERE",
        is_alarm!(),
        "AND (",
        sees_room!(),
        "OR",
        sees_gateway!(),
        ") AND NOT",
        silenced!("e.gateway_id", "$2"),
        "UNION ALL
         SELECT CASE WHEN c.kind IN ('payment', 'paid-twice') THEN 'payment-mismatch' WHEN c.kind = 'expiry'
                     THEN 'certificate-expiring' ELSE 'delivery-stuck' END, COUNT(*)
         FROM",
        of_case!(),
        "JOIN users u ON u.id = $1 JOIN operator_alerts p ON p.user_id = u.id
         WHERE",
        is_told!(),
        "AND",
        choice!(),
        "<> 'off' AND",
        sees_room!(),
        "AND NOT",
        silenced!("NULL", "$2"),
        "GROUP BY 1 ORDER BY 1"
    ))
    .bind(user)
    .bind(now)
    .fetch_all(pool)
    .await)?;
    Ok(counts.into_iter().filter(|(_, open)| *open > 0).collect())
}
