//! The end of somebody's personal data, after they have left and all money is settled. Orders, receipts and the audit chain
//! stay, as the law on books of account requires; they name the person no longer, except for the login name in old audit lines.

use model::audit::AuditAction;
use model::error::AppError;
use model::person::Who;
use model::personal::Erasable;
use model::time::Timestamp;
use serde_json::json;
use store::audit::record;
use store::sessions;
use store::{Db, Result, Tx, on, read};

/// What stands in place of a name.
const NO_NAME: &str = "—";

/// Whether a resident has a room, and whether money of theirs is still on its way: a payment, a refund, or what was left in an
/// account that they had to its end.
macro_rules! obstacles {
    () => {
        "SELECT EXISTS (SELECT 1 FROM account_residents WHERE user_id = $1 AND to_at IS NULL),
                EXISTS (SELECT 1 FROM orders o
                        WHERE o.created_by = $1 AND o.state IN ('pending', 'paid', 'refunding', 'case'))
                OR EXISTS (SELECT 1 FROM account_residents ar JOIN account_closures c ON c.account_id = ar.account_id
                           JOIN accounts a ON a.id = ar.account_id
                           WHERE ar.user_id = $1 AND c.ended_at IS NULL AND (ar.to_at IS NULL OR ar.to_at = a.closed_at))"
    };
}

fn judged(row: Option<(bool, bool)>) -> Erasable {
    match row {
        Some((false, false)) => Erasable::Now,
        Some((false, true)) => Erasable::NotSettled,
        _ => Erasable::HasRoom,
    }
}

pub async fn erasable(db: &Db, who: &Who) -> Result<Erasable> {
    Ok(judged(read!(db, |pool| sqlx::query_as(obstacles!()).bind(who.user).fetch_optional(pool).await)?))
}

/// Removes what the system knows of a resident beyond the books, and their log-in with it, for somebody who has proved the
/// password of this hash.
///
/// # Errors
/// Refused with [`AppError::HasAccount`] or [`AppError::NotSettled`], with [`AppError::NotFound`] for who is no resident, and as
/// [`sessions::hold_proved`], also where it is done already.
pub async fn erase(db: &Db, at: Timestamp, who: &Who, password_hash: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold_proved(&mut tx, who.user, password_hash).await?;
    let login: Option<(String,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE users SET disabled_at = $2 WHERE id = $1 AND role = 'resident' AND disabled_at IS NULL RETURNING login"
    )
    .bind(who.user)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let (login,) = login.ok_or(AppError::NotFound)?;
    let row: Option<(bool, bool)> = on!(&mut tx, |c| sqlx::query_as(obstacles!()).bind(who.user).fetch_optional(c).await)?;
    match judged(row) {
        Erasable::Now => {}
        Erasable::HasRoom => return Err(AppError::HasAccount.into()),
        Erasable::NotSettled => return Err(AppError::NotSettled.into()),
    }
    let gone = format!("erased-{}", who.user);
    on!(&mut tx, |c| sqlx::query(
        "UPDATE users SET login = $2, name = $3, password_hash = '', password_due = FALSE WHERE id = $1"
    )
    .bind(who.user)
    .bind(&gone)
    .bind(NO_NAME)
    .execute(c)
    .await)?;
    on!(&mut tx, |c| sqlx::query("UPDATE account_batch_rooms SET resident = $2, login = $3 WHERE login = $1")
        .bind(login)
        .bind(NO_NAME)
        .bind(gone)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE invitations SET withdrawn_at = $2 WHERE user_id = $1 AND used_at IS NULL AND withdrawn_at IS NULL"
    )
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await)?;
    remove_rows(&mut tx, who).await?;
    record(&mut tx, at, who, (AuditAction::UserErase, &format!("user:{}", who.user)), &json!({})).await?;
    tx.commit().await
}

/// The rows of tables that hold nothing but what is of the person.
async fn remove_rows(tx: &mut Tx, who: &Who) -> Result<()> {
    for sql in [
        "DELETE FROM log_in_steps WHERE user_id = $1",
        "DELETE FROM phone_log_ins WHERE user_id = $1",
        "DELETE FROM wechat_sign_ins WHERE user_id = $1",
        "DELETE FROM wechat_bindings WHERE user_id = $1",
        "DELETE FROM kiosk_log_ins WHERE user_id = $1",
        "DELETE FROM kiosk_codes WHERE user_id = $1",
        "DELETE FROM sessions WHERE user_id = $1",
        "DELETE FROM second_factors WHERE user_id = $1",
        "DELETE FROM recovery_codes WHERE user_id = $1",
        "DELETE FROM api_tokens WHERE user_id = $1",
        "DELETE FROM alert_preferences WHERE user_id = $1",
        "DELETE FROM alert_addresses WHERE user_id = $1",
        "DELETE FROM address_codes WHERE user_id = $1",
        "DELETE FROM notification_parts WHERE notification_id IN (SELECT id FROM notifications WHERE user_id = $1)",
        "DELETE FROM notification_receipts WHERE notification_id IN (SELECT id FROM notifications WHERE user_id = $1)",
        "DELETE FROM notifications WHERE user_id = $1",
        "DELETE FROM text_requests WHERE user_id = $1",
        "DELETE FROM switch_schedules WHERE created_by = $1",
        "DELETE FROM top_up_reminders WHERE user_id = $1",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(who.user).execute(c).await)?;
    }
    Ok(())
}
