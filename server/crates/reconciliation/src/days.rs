//! Closing a settlement day by a person.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::CaseId;
use model::order::Tender;
use model::person::Who;
use model::time::{Date, Timestamp};

use crate::subject;
use store::audit::{self, Entry};
use store::{Db, Result, cases, on};

/// Closes a day. `reason` may be empty only if a person has decided about every difference.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a day that was not compared, [`AppError::Conflict`] for a closed one, or
/// [`AppError::DifferencesOpen`]; with [`AppError::RefundsUnbooked`] whatever the reason.
pub async fn close(db: &Db, at: Timestamp, who: &Who, channel: Tender, day: Date, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row: Option<(Option<Timestamp>, Option<CaseId>)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE settlement_days SET tried_at = tried_at WHERE channel = $1 AND day = $2 AND compared_at IS NOT NULL
         RETURNING closed_at, case_id"
    )
    .bind(channel)
    .bind(day)
    .fetch_optional(c)
    .await)?;
    let (closed, case) = row.ok_or(AppError::NotFound)?;
    if closed.is_some() {
        return Err(AppError::Conflict.into());
    }
    let open: Option<(i64,)> = on!(&mut tx, |c| {
        sqlx::query_as(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM settlement_differences d
             JOIN cases k ON k.id = d.case_id AND k.closed_at IS NULL
             WHERE d.channel = $1 AND d.day = $2 AND d.gone_at IS NULL",
        )
        .bind(channel)
        .bind(day)
        .fetch_optional(c)
        .await
    })?;
    // A refund of a payment of ours that is not booked: the channel's account is wrong, and no reason makes it right.
    let unbooked: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM settlement_differences d
         WHERE d.channel = $1 AND d.day = $2 AND d.gone_at IS NULL AND d.class = 'channel-only' AND d.kind = 'refunded'
           AND d.order_id IS NOT NULL"
    )
    .bind(channel)
    .bind(day)
    .fetch_optional(c)
    .await)?;
    if unbooked.is_some_and(|(count,)| count > 0) {
        return Err(AppError::RefundsUnbooked.into());
    }
    let undecided = open.map_or(0, |(count,)| count);
    if undecided > 0 && reason.is_empty() {
        return Err(AppError::DifferencesOpen.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "UPDATE settlement_days SET closed_at = $3, closed_by = $4, reason = $5, case_id = NULL WHERE channel = $1 AND day = $2"
    )
    .bind(channel)
    .bind(day)
    .bind(at)
    .bind(who.user)
    .bind(reason)
    .execute(c)
    .await)?;
    if let Some(case) = case {
        cases::mend(&mut tx, at, case).await?;
    }
    let detail = serde_json::json!({ "undecided": undecided, "reason": reason }).to_string();
    let (actor, subject) = (format!("user:{}", who.user), subject(channel, day));
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SettlementClose, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
